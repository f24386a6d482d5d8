import { deskGuards, linkGuards } from '../../../node/index.ts'
import { downgrader } from '../attacks/rogue.ts'
import type { Doctor, Guard } from '../guard.ts'
import { fullDisks, killedEdges, lostLinks, powerCuts } from '../scenes.ts'
import { allBut, replicationSays, withGuards } from './take-out.ts'

const seeds = [1, 2, 3, 4, 5, 6, 7, 8]

/** A store that does not wait for the disk. */
const withoutSync: Doctor = (_machine, powers) => {
  const { store } = powers
  return {
    ...powers,
    store: {
      open: () => store.open(),
      close: () => store.close(),
      get: (key) => store.get(key),
      scan: (range) => store.scan(range),
      write: (batch, options) => store.write(batch, { ...options, sync: false }),
    },
  }
}

/** What keeps changes from being lost, and brings them everywhere: invariants 3, 6 and 7. */
export const whatIsKept: readonly Guard[] = [
  {
    name: 'asked-for-again',
    invariant: 3,
    protects: 'a change that came while the disk was full is asked for again',
    takeOut: replicationSays('asksAgain', false),
    trials: [{ scenario: fullDisks, seeds }],
  },
  {
    name: 'parents-called-again',
    invariant: 3,
    protects: 'a node whose link to its parent broke calls again',
    takeOut: withGuards({ links: allBut(linkGuards, 'calls-again') }),
    trials: [{ scenario: lostLinks, seeds }],
  },
  {
    name: 'compared-when-linked',
    invariant: 3,
    protects: 'what changed while two nodes were apart is brought when they are linked again',
    takeOut: replicationSays('meets', false),
    trials: [{ scenario: lostLinks, seeds }],
  },
  {
    name: 'orders-kept',
    invariant: 7,
    protects: 'a site that was restarted still knows the order numbers it accepted, and goes back to none',
    takeOut: withGuards({ desks: allBut(deskGuards, 'kept') }),
    trials: [{ scenario: killedEdges, seeds: Array.from({ length: 24 }, (_, at) => at + 1), attack: downgrader }],
  },
  {
    name: 'synced-before-answered',
    invariant: 6,
    protects: 'what a tower acknowledged is on its disk: a power cut does not take it',
    takeOut: withoutSync,
    trials: [{ scenario: powerCuts, seeds }],
  },
]
