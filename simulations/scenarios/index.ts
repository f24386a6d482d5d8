/**
 * Scenarios: what is done to a world, what befalls it, and checkers that hold it to the invariants of the design.
 * Must not ask a node whether it did well where wires, disks and engines can be read. Read first: run-scenario.ts,
 * catalogue/twenty-nodes.ts.
 */

export { canaryOf } from './canaries.ts'
export { places } from './catalogue/places.ts'
export { composeScenario } from './compose-scenario.ts'
export { digestOfRun, sumDigests } from './digest-sum.ts'
export { waitingInvariants } from './invariants.ts'
export { siteText, topologyText, zoneText } from './marks.ts'
export { waitingMoves } from './moves/moves.ts'
export { planSeed } from './plan-seed.ts'
export { type DayEnd, runDays } from './run-days.ts'
export { runScenario } from './run-scenario.ts'
export type { RunOptions, RunResult, Scenario } from './scenario.ts'
export { scenarios } from './scenarios.ts'
