import { bookGuards } from '../../../crdt/index.ts'
import { linkGuards, reportGuards } from '../../../node/index.ts'
import { childGuards } from '../../../node/services/deployments/index.ts'
import { joinGuards } from '../../../node/services/membership/index.ts'
import { curiousOfBlobs, curiousOfVersions } from '../attacks/curious.ts'
import { impostor } from '../attacks/impostor.ts'
import { pusher } from '../attacks/pusher.ts'
import type { Doctor, Guard, Trial } from '../guard.ts'
import { calm, stolenToken } from '../scenes.ts'
import { allBut, replicationSays, withGuards } from './take-out.ts'

/** Somebody who asks for what is another's. */
const askedBy = (attack: () => Doctor): readonly Trial[] => [{ scenario: calm, seeds: [1, 2, 3, 4], attack }]
const trials = [{ scenario: calm, seeds: [1, 2, 3, 4, 5] }]

/** What keeps names, records and versions where they may be read: invariant 1. */
export const whatLeaves: readonly Guard[] = [
  {
    name: 'lanes-by-policy',
    invariant: 1,
    protects:
      'a link carries only lanes that the policies of the zones between let out, to a member that may read them',
    takeOut: replicationSays('mayRead', true),
    trials,
  },
  {
    name: 'reports-by-policy',
    invariant: 1,
    protects: 'a zone that lets out counts alone sends no report of a host up',
    takeOut: withGuards({ reports: allBut(reportGuards, 'policy') }),
    trials,
  },
  {
    name: 'records-on-the-way',
    invariant: 1,
    protects: 'of certificates a member gets only those of the scopes between it and the root',
    takeOut: withGuards({ book: allBut(bookGuards, 'on-the-way') }),
    trials,
  },
  {
    name: 'placed-sites-only',
    invariant: 1,
    protects: 'a version goes only to sites its placement matches',
    takeOut: withGuards({ children: allBut(childGuards, 'placed') }),
    trials,
  },
  {
    name: 'labels-behind-borders',
    invariant: 1,
    protects: 'a placement matches only by labels that whoever signed it may see',
    takeOut: withGuards({ children: allBut(childGuards, 'sight') }),
    trials,
  },
  {
    name: 'versions-by-entry',
    invariant: 1,
    protects: 'a child gets a signed version only where an entry it may read names it',
    takeOut: withGuards({ links: allBut(linkGuards, 'version-named') }),
    trials: askedBy(curiousOfVersions),
  },
  {
    name: 'blobs-by-entry',
    invariant: 1,
    protects: 'a child gets a specification or an image only where an entry it may read leads to it',
    takeOut: withGuards({ links: allBut(linkGuards, 'blob-named') }),
    trials: askedBy(curiousOfBlobs),
  },
  {
    name: 'lanes-by-sharing',
    invariant: 1,
    protects: 'no lane is taken from a peer that may not bring it: what goes on in a zone stays below it',
    takeOut: replicationSays('mayBring', true),
    trials: askedBy(pusher),
  },
  {
    name: 'tokens-once',
    invariant: 1,
    protects: 'a token that was used lets nobody in with another key',
    takeOut: withGuards({ join: allBut(joinGuards, 'token-unused') }),
    trials: [{ scenario: stolenToken, seeds: [1, 2, 3, 4], attack: impostor }],
  },
]
