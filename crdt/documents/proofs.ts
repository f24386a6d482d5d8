import { type Envelope, encodeProof } from '../envelope/index.ts'
import type { Epoch } from '../lane/index.ts'
import type { StoreChange } from '../store/index.ts'
import { proofKey } from './document-keys.ts'
import type { ProofName } from './held-lane.ts'

/** The first proof of each author among envelopes of one epoch: two of one number. */
export const findProofs = (envelopes: Iterable<Envelope>): readonly (readonly [Envelope, Envelope])[] => {
  const slots = new Map<string, Envelope>()
  const proofs = new Map<string, readonly [Envelope, Envelope]>()
  for (const envelope of [...envelopes].toSorted((a, b) => (a.hash < b.hash ? -1 : 1))) {
    const slot = `${envelope.actor}/${envelope.seq}`
    const other = slots.get(slot)
    if (other === undefined) slots.set(slot, envelope)
    else if (other.hash !== envelope.hash && !proofs.has(envelope.author))
      proofs.set(envelope.author, [other, envelope])
  }
  return [...proofs.values()]
}

/** What to write of the proofs that are new, and their names with those that were there. */
export const addProofs = (
  before: readonly ProofName[],
  { documentId, epoch, place }: Epoch,
  envelopes: Iterable<Envelope>,
): { readonly proofs: readonly ProofName[]; readonly changes: readonly StoreChange[] } => {
  const names = [...before]
  const changes: StoreChange[] = []
  for (const pair of findProofs(envelopes)) {
    const { author } = pair[0]
    const key = place.writers.get(author)
    if (key === undefined || names.some((name) => name.epoch === epoch && name.author === author)) continue
    names.push({ epoch, author })
    changes.push({ kind: 'put', key: proofKey(documentId, epoch, author), value: encodeProof(key, pair) })
  }
  return { proofs: names, changes }
}
