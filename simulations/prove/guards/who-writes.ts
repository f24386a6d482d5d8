import { forger } from '../attacks/forger.ts'
import type { Doctor, Guard } from '../guard.ts'
import { calm } from '../scenes.ts'

/** Signatures nobody looks at. */
const unverified: Doctor = (_machine, powers) => {
  const { hash, signatures } = powers.authority
  return { ...powers, authority: { hash, signatures: { signer: signatures.signer, verify: () => true } } }
}

/** What keeps lanes to those who may write them: invariant 2. */
export const whoWrites: readonly Guard[] = [
  {
    name: 'signatures-verified',
    invariant: 2,
    protects: 'a change counts only where its author signed it',
    takeOut: unverified,
    trials: [{ scenario: calm, seeds: [1, 2, 3, 4], attack: forger }],
  },
]
