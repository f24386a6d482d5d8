import { linkGuards } from '../../../node/index.ts'
import type { Doctor, Guard } from '../guard.ts'
import { fullDisks, lostLinks, powerCuts } from '../scenes.ts'
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

/** What keeps changes from being lost, and brings them everywhere: invariants 3 and 6. */
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
    name: 'synced-before-answered',
    invariant: 6,
    protects: 'what a tower acknowledged is on its disk: a power cut does not take it',
    takeOut: withoutSync,
    trials: [{ scenario: powerCuts, seeds }],
  },
]
