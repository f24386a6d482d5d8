/**
 * The guards that are taken out one by one, each with the invariant it keeps and runs in which it is needed.
 * Must not look at what a run comes to: checkers do. Read first: what-leaves.ts, take-out.ts.
 */
import type { Guard } from '../guard.ts'
import { whatIsBounded } from './what-is-bounded.ts'
import { whatIsKept } from './what-is-kept.ts'
import { whatLeaves } from './what-leaves.ts'
import { whatRuns } from './what-runs.ts'
import { whoWrites } from './who-writes.ts'

export const guards: readonly Guard[] = [...whatLeaves, ...whoWrites, ...whatRuns, ...whatIsKept, ...whatIsBounded]
