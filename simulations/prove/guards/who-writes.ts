import { startGuards } from '../../../crdt/index.ts'
import { forger } from '../attacks/forger.ts'
import { downgrader, inventor } from '../attacks/rogue.ts'
import type { Doctor, Guard } from '../guard.ts'
import { calm } from '../scenes.ts'
import { allBut, withGuards } from './take-out.ts'

/** Signatures nobody looks at. */
const unverified: Doctor = (_machine, powers) => {
  const { hash, signatures } = powers.authority
  return { ...powers, authority: { hash, signatures: { signer: signatures.signer, verify: () => true } } }
}

/** What keeps lanes and versions to those who may write them: invariants 2, 4 and 7. */
export const whoWrites: readonly Guard[] = [
  {
    name: 'signatures-verified',
    invariant: 2,
    protects: 'a change counts only where its author signed it',
    takeOut: unverified,
    trials: [{ scenario: calm, seeds: [1, 2, 3, 4], attack: forger }],
  },
  {
    name: 'versions-not-older',
    invariant: 7,
    protects: 'a site refuses a version of a lower order number than it accepted of the same signer',
    takeOut: withGuards({ starts: allBut(startGuards, 'not-older') }),
    trials: [{ scenario: calm, seeds: [1, 2, 3, 4, 5, 6], attack: downgrader }],
  },
  {
    name: 'versions-entitled',
    invariant: 4,
    protects: 'a site starts only what the authority of the tenant, or who it delegated to, signed',
    takeOut: withGuards({ starts: allBut(startGuards, 'entitled') }),
    trials: [{ scenario: calm, seeds: [1, 2, 3, 4, 5, 6], attack: inventor }],
  },
]
