import type { MakeChecker } from './checker.ts'
import { acknowledgedKept } from './checkers/acknowledged-kept.ts'
import { authorsEntitled } from './checkers/authors-entitled.ts'
import { canariesStay } from './checkers/canaries-stay.ts'
import { fixedPoint } from './checkers/fixed-point.ts'
import { healthyUntouched } from './checkers/healthy-untouched.ts'
import { noDowngrade } from './checkers/no-downgrade.ts'
import { replicasAgree } from './checkers/replicas-agree.ts'
import { retiredGone } from './checkers/retired-gone.ts'
import { secretsStay } from './checkers/secrets-stay.ts'
import { staysBounded } from './checkers/stays-bounded.ts'

/** The checker of each invariant of DESIGN.md section 8 whose subject exists, by its number. */
export const invariantCheckers: Readonly<Record<number, MakeChecker>> = {
  1: canariesStay,
  2: authorsEntitled,
  3: replicasAgree,
  4: healthyUntouched,
  5: retiredGone,
  6: acknowledgedKept,
  7: noDowngrade,
  8: fixedPoint,
  9: staysBounded,
  10: secretsStay,
}

/** Invariants, or parts of one, that nothing can be held to yet, and why. */
export const waitingInvariants: readonly { readonly invariant: number; readonly part: string; readonly why: string }[] =
  [
    { invariant: 1, part: 'events', why: 'no node offers topics yet' },
    { invariant: 5, part: 'bounds of a rollout', why: 'versions go out at once: there are no staged rollouts yet' },
    {
      invariant: 6,
      part: 'events, audit records and secrets',
      why: 'no node keeps events, audit records or secrets yet',
    },
    {
      invariant: 9,
      part: 'queues of links and caches in memory',
      why: 'a world does not show them yet; tests of mesh and crdt hold them to their limits',
    },
    { invariant: 10, part: 'secrets of applications', why: 'a specification cannot name a secret yet' },
  ]
