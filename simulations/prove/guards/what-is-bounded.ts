import { boundGuards } from '../../../node/index.ts'
import { helloGuards } from '../../../node/services/membership/index.ts'
import type { Guard } from '../guard.ts'
import { falseSeals, lateFloods, lostLinks, manyVersions, waitingFloods } from '../scenes.ts'
import { allBut, sealingSays, withGuards } from './take-out.ts'

const seeds = [1, 2, 3, 4, 5, 6]

/** What keeps seals true, histories and what waits within limits, and tokens secret: invariants 3, 9 and 10. */
export const whatIsBounded: readonly Guard[] = [
  {
    name: 'seals-true',
    invariant: 3,
    protects: 'an epoch begins only with what its changes came to, or with the base that its record names',
    takeOut: sealingSays('isState'),
    trials: [{ scenario: falseSeals, seeds }],
  },
  {
    name: 'late-bounded',
    invariant: 9,
    protects: 'of one author no more late changes are taken than are kept',
    takeOut: sealingSays('fits'),
    trials: [{ scenario: lateFloods, seeds }],
  },
  {
    name: 'waiting-bounded',
    invariant: 9,
    protects: 'of one author no more changes wait for others than have room',
    takeOut: withGuards({ bounds: allBut(boundGuards, 'waiting-changes') }),
    trials: [{ scenario: waitingFloods, seeds }],
  },
  {
    name: 'versions-bounded',
    invariant: 9,
    protects: 'of one deployment no more versions are kept than the last of them',
    takeOut: withGuards({ bounds: allBut(boundGuards, 'versions') }),
    trials: [{ scenario: manyVersions, seeds }],
  },
  {
    name: 'tokens-shown-once',
    invariant: 10,
    protects: 'who is a member shows its token to nobody any more',
    takeOut: withGuards({ hello: allBut(helloGuards, 'token-once') }),
    trials: [{ scenario: lostLinks, seeds }],
  },
]
