import type { Observer, World } from '../world/index.ts'
import type { CanaryRegister } from './canaries.ts'
import type { Ledger } from './ledger.ts'

/** What checkers, workloads and faults of one run share. */
export interface Scene {
  readonly world: World
  readonly ledger: Ledger
  /** Whose text each canary is, and which machines may hold it. */
  readonly canaries: CanaryRegister
}

/** Holds a world to one invariant of the design. */
export interface Checker {
  /** Its number there. */
  readonly invariant: number
  readonly sentence: string
  readonly observer: Observer
  /** What was broken so far, in words. */
  violations(): readonly string[]
  /** How often it had something to judge: a checker that never saw its subject proves nothing. */
  seen(): number
  /** Its subject comes about while faults are at work and not later: they go on for it, at most as long again. */
  readonly needsHarm?: true
  /** What is not yet as it must become once all faults are healed; nothing when it is. */
  readonly lacking?: () => Promise<readonly string[]>
  /** From now on nothing may change any more. */
  readonly expectQuiet?: () => void
  /** From now on something may change again. */
  readonly expectChange?: () => void
}

export type MakeChecker = (scene: Scene) => Checker
