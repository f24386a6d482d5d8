import type { RunOptions, Scenario } from './scenario.ts'

/** What a seed runs: its scenario, what nodes sign with there, and whether it is run a second time to compare. */
export interface PlannedSeed {
  readonly scenario: Scenario
  readonly signatures: NonNullable<RunOptions['signatures']>
  readonly isTwice: boolean
}

/** In so many rounds over all scenarios one is signed by Ed25519, and one is run twice. */
const rounds = 20

/**
 * A seed runs the scenario of its rest after a division by their number. The first of twenty such rounds is run twice, the
 * second is signed by Ed25519: so every scenario has seeds of each kind, and the whole is a function of the seed alone.
 * @param chosen runs this scenario whatever the seed
 */
export const planSeed = (seed: number, scenarios: readonly Scenario[], chosen?: Scenario): PlannedSeed => {
  const scenario = chosen ?? scenarios[seed % scenarios.length]
  if (!scenario) throw new RangeError('there are no scenarios')
  const round = Math.floor(seed / scenarios.length) % rounds
  return { scenario, signatures: round === 1 ? 'ed25519' : 'keyed', isTwice: round === 0 }
}
