import { deskGuards, edgeGuards } from '../../../node/index.ts'
import { planGuards } from '../../../runtime/index.ts'
import type { Guard } from '../guard.ts'
import { calm, rest } from '../scenes.ts'
import { allBut, withGuards } from './take-out.ts'

const seeds = [1, 2, 3, 4, 5]

/** What keeps containers as they are wanted, and hosts at rest: invariants 4, 6 and 8. */
export const whatRuns: readonly Guard[] = [
  {
    name: 'unchanged-stays',
    invariant: 4,
    protects: 'a container that is the same in two versions is left alone by an upgrade',
    takeOut: withGuards({ edge: allBut(edgeGuards, 'unchanged-stays') }),
    trials: [{ scenario: calm, seeds }],
  },
  {
    name: 'retired-ends',
    invariant: 6,
    protects: 'what is removed stops at every site',
    takeOut: withGuards({ plan: allBut(planGuards, 'retired-ends') }),
    trials: [{ scenario: calm, seeds }],
  },
  {
    name: 'repeats-not-written',
    invariant: 8,
    protects: 'an intent that is repeated is not accepted and written again',
    takeOut: withGuards({ edge: allBut(edgeGuards, 'only-new') }),
    trials: [{ scenario: rest, seeds }],
  },
  {
    name: 'choices-not-rewritten',
    invariant: 8,
    protects: 'choices that are the same are not written again',
    takeOut: withGuards({ desks: allBut(deskGuards, 'only-new') }),
    trials: [{ scenario: rest, seeds }],
  },
]
