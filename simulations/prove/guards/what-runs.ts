import { deskGuards, edgeGuards } from '../../../node/index.ts'
import { siteGuards } from '../../../node/services/deployments/index.ts'
import { planGuards } from '../../../runtime/index.ts'
import { downgrader } from '../attacks/rogue.ts'
import type { Guard } from '../guard.ts'
import { calm, rest } from '../scenes.ts'
import { allBut, withGuards } from './take-out.ts'

const seeds = [1, 2, 3, 4, 5]

/** What keeps containers as they are wanted, and hosts at rest: invariants 4, 5 and 8. */
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
    invariant: 5,
    protects: 'what is removed stops at every site',
    takeOut: withGuards({ plan: allBut(planGuards, 'retired-ends') }),
    trials: [{ scenario: calm, seeds }],
  },
  {
    name: 'absent-stays',
    invariant: 5,
    protects: 'an application whose entry does not count stays accepted as it was, so that it can be ended later',
    takeOut: withGuards({ site: allBut(siteGuards, 'absent-stays') }),
    trials: [{ scenario: calm, seeds: [1, 2, 3, 4, 5, 6, 7, 8], attack: downgrader }],
  },
  {
    name: 'accepted-first',
    invariant: 5,
    protects: 'a host starts nothing before what it accepted is on its disk',
    takeOut: withGuards({ edge: allBut(edgeGuards, 'on-disk') }),
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
    name: 'restarts-not-rewritten',
    invariant: 8,
    protects: 'counts of restarts that are the same are not written again',
    takeOut: withGuards({ edge: allBut(edgeGuards, 'restarts-only-new') }),
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
