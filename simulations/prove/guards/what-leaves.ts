import { bookGuards } from '../../../crdt/index.ts'
import { reportGuards } from '../../../node/index.ts'
import { childGuards } from '../../../node/services/deployments/index.ts'
import type { Guard } from '../guard.ts'
import { calm } from '../scenes.ts'
import { allBut, replicationSays, withGuards } from './take-out.ts'

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
]
