import type { NodePowers } from '../../node/index.ts'
import type { Scenario } from '../scenarios/index.ts'

/** Swaps powers before a node gets them. */
export type Doctor = (machine: string, powers: NodePowers) => NodePowers

/** Runs in which something goes wrong, or somebody means harm. */
export interface Trial {
  readonly scenario: Scenario
  readonly seeds: readonly number[]
  /** Makes somebody of this world hostile, anew for each run. @default nobody is */
  readonly attack?: () => Doctor
}

/** One thing a node asks, and what would happen if it did not. */
export interface Guard {
  readonly name: string
  /** Number of the invariant that is broken without it. */
  readonly invariant: number
  /** What it keeps from happening, in a sentence. */
  readonly protects: string
  /** Gives a node its powers without the guard. */
  readonly takeOut: Doctor
  readonly trials: readonly Trial[]
}
