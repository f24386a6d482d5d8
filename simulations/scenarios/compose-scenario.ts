import { sealLimits } from '../../crdt/index.ts'
import { parseTopology, type Topology, zones } from '../../topologies/index.ts'
import type { MakeChecker } from './checker.ts'
import { type SealRemain, sealsExplained } from './checkers/seals-explained.ts'
import type { FaultName } from './faults/index.ts'
import { invariantCheckers } from './invariants.ts'
import { markTopology } from './marks.ts'
import type { MoveName } from './moves/moves.ts'
import type { Scenario, ScenarioTimes } from './scenario.ts'

/** What a scenario file says; the rest follows. */
export interface ScenarioParts {
  readonly name: string
  readonly summary: string
  /** A topology, or the text of a topology file. */
  readonly topology: Topology | string
  readonly faults: readonly FaultName[]
  readonly workload: readonly MoveName[]
  /** Machines of the topology that are not set up at first. @default none */
  readonly spares?: readonly string[]
  /** After how many changes a lane is sealed. @default as in production: not in a run of this length */
  readonly sealsAfter?: number
  /** What sealing has to leave behind in each run, or the run proves nothing; only where lanes are sealed. @default nothing */
  readonly remains?: readonly SealRemain[]
  /** Beside those of the invariants. @default none */
  readonly checkers?: readonly MakeChecker[]
  /** @default all that have a checker */
  readonly invariants?: readonly number[]
  /** @default a minute and a half of harm, a fault for each about once and a half, a move every 3 to 9 seconds; three minutes to become as wanted, then quiet for one */
  readonly times?: Partial<ScenarioTimes>
}

/** Many scenarios are played on one tree: its text is read once. */
const read = new Map<string, Topology>()
const topologyOf = (text: string, scenario: string): Topology => {
  const known = read.get(text) ?? parseTopology(text, `${scenario}.yaml`)
  read.set(text, known)
  return known
}

/** Zones that keep the names of their sites from those above. */
const keepingNames = (topology: Topology): readonly string[] =>
  zones(topology)
    .filter(({ policy }) => policy.names !== 'all')
    .map(({ path }) => path)

const defaultHarmMs = 75_000

/** Each fault about one and a half times. */
const paceOf = (faults: number, harmMs: number): readonly [number, number] => {
  const meanMs = harmMs / Math.max(2, 1.5 * faults)
  return [Math.round(meanMs / 2), Math.round(1.5 * meanMs)]
}

/** @throws {TypeError} when an invariant has no checker; as `parseTopology` */
export const composeScenario = (parts: ScenarioParts): Scenario => {
  const { name, summary, faults, workload, times } = parts
  const topology = typeof parts.topology === 'string' ? topologyOf(parts.topology, name) : parts.topology
  const invariants = parts.invariants ?? Object.keys(invariantCheckers).map(Number)
  const harmMs = times?.harmMs ?? defaultHarmMs
  return {
    name,
    summary,
    topology,
    mark: (canaries) => markTopology(canaries, topology, keepingNames(topology)),
    faults,
    workload,
    spares: parts.spares ?? [],
    sealLimits: parts.sealsAfter === undefined ? undefined : { ...sealLimits, changes: parts.sealsAfter },
    checkers: [
      ...invariants.map((number) => {
        const checker = invariantCheckers[number]
        if (!checker) throw new TypeError(`scenario ${name}: no checker for invariant ${number}`)
        return checker
      }),
      ...(parts.sealsAfter === undefined ? [] : [sealsExplained(parts.remains ?? [])]),
      ...(parts.checkers ?? []),
    ],
    invariants,
    faultEveryMs: paceOf(faults.length, harmMs),
    moveEveryMs: [3_000, 9_000],
    convergeMs: 180_000,
    settleMs: 75_000,
    quietMs: 60_000,
    ...times,
    harmMs,
  }
}
