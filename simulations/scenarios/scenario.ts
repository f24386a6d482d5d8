import type { NodePowers } from '../../node/index.ts'
import type { Topology } from '../../topologies/index.ts'
import type { CanaryRegister } from './canaries.ts'
import type { MakeChecker } from './checker.ts'
import type { FaultName } from './faults/index.ts'
import type { MoveName } from './moves/moves.ts'

/** How long the parts of a run take, in milliseconds of simulated time. */
export interface ScenarioTimes {
  /** How long operators and faults are at work. */
  readonly harmMs: number
  /** Least and most time between two faults. */
  readonly faultEveryMs: readonly [number, number]
  /** The same between two moves of operators. */
  readonly moveEveryMs: readonly [number, number]
  /** Once all is healed everything must be as wanted within this time. */
  readonly convergeMs: number
  /** What is still tidied after that: spare images are removed a minute after things have settled. */
  readonly settleMs: number
  /** How long nothing may change then. */
  readonly quietMs: number
}

/** What is built, what is done to it, and what must hold: plain values, put together from the parts of this folder. */
export interface Scenario extends ScenarioTimes {
  readonly name: string
  readonly summary: string
  readonly topology: Topology
  /** Marks everything private and says who may hold it. */
  readonly mark: (canaries: CanaryRegister) => void
  readonly faults: readonly FaultName[]
  /** What operators do; each move is acknowledged at least once in a run, or the run fails. */
  readonly workload: readonly MoveName[]
  /** Machines of the topology that are not set up at first: a move enrols them. */
  readonly spares: readonly string[]
  /** When nodes seal their lanes. @default as in production: no lane grows so large in a run */
  readonly sealLimits: NodePowers['sealLimits']
  readonly checkers: readonly MakeChecker[]
  /** Numbers of the invariants its checkers hold it to. */
  readonly invariants: readonly number[]
}

/** What is left in of a run that is run again, smaller. Whatever is left in is drawn as it was. */
export interface RunPlan {
  /** @param index counts the faults of a run, or its moves, in the order they come */
  readonly keeps: (kind: 'fault' | 'move', index: number) => boolean
  /** Whether operators do in the end what none of them did. */
  readonly isFinished: boolean
}

/** One run, and how to break it on purpose. */
export interface RunOptions {
  readonly seed: number
  /** What nodes sign with: a hash that only the world itself can verify, many times cheaper, or real curves. @default keyed */
  readonly signatures?: 'keyed' | 'ed25519'
  readonly trace?: (line: string) => void
  readonly doctor?: (machine: string, powers: NodePowers) => NodePowers
  /** @default all of it */
  readonly plan?: RunPlan
}

export interface RunResult {
  readonly scenario: string
  readonly seed: number
  readonly nodes: number
  readonly events: number
  /** Simulated. */
  readonly tookMs: number
  /** Each in words, with the number of its invariant. */
  readonly violations: readonly string[]
  /** How often each fault was begun. */
  readonly fired: Readonly<Record<string, number>>
  /** How often each checker had something to judge, by number of the invariant. */
  readonly seen: Readonly<Record<string, number>>
  /** How often each move was acknowledged. */
  readonly moves: Readonly<Record<string, number>>
  /** How long it took to be as wanted after everything was healed, in milliseconds. */
  readonly convergedMs: number | undefined
  readonly digest: string
}
