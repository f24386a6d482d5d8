import type { KeyId } from '../authority/index.ts'
import type { EquivocationProof, OpenedProof, ProofRefusal } from '../envelope/index.ts'
import { summaryKey } from './document-keys.ts'
import type { Desk } from './lane-desk.ts'
import { readLate } from './late-changes.ts'
import { addProofs } from './proofs.ts'
import { encodeSummary } from './saved-summary.ts'
import { storedEpochs } from './stored-epochs.ts'
import { takeEnvelopes } from './take-envelopes.ts'

type TakenProof =
  | { readonly ok: true; readonly proof: EquivocationProof }
  | { readonly ok: false; readonly refusal: ProofRefusal }

const refuse = (message: string): TakenProof => ({ ok: false, refusal: { code: 'bad-proof', message } })

/** @see Documents.takeProof */
export const takeProof = async (desk: Desk, opened: OpenedProof, from: string): Promise<TakenProof> => {
  if (!opened.ok) return opened
  const { proof } = opened
  const { documentId, epoch, author } = proof
  const lane = desk.shelf.get(documentId)
  if (lane === undefined) return refuse(`the document ${documentId} of the proof is not held here`)
  const stored = (await storedEpochs(desk, lane)).find((one) => one.epoch.epoch === epoch)
  if (stored === undefined) return refuse(`epoch ${epoch} of the document ${documentId} is not held here`)
  if (!stored.epoch.place.writers.has(author)) return refuse(`the key ${author} is no writer of epoch ${epoch}`)
  // Both envelopes become part of what is held, as if a peer had brought them one after the other.
  await takeEnvelopes(
    desk,
    documentId,
    proof.envelopes.map(({ bytes }) => bytes),
    from,
  )
  await desk.turns.run([documentId], async () => {
    const now = desk.shelf.demand(documentId)
    const { proofs, changes } = addProofs(now.tail.proofs, stored.epoch, proof.envelopes)
    if (changes.length === 0) return
    const next = { ...now, tail: { ...now.tail, proofs } }
    await desk.store.write([...changes, { kind: 'put', key: summaryKey(documentId), value: encodeSummary(next) }], {
      sync: true,
    })
    desk.shelf.set(next)
  })
  return { ok: true, proof }
}

/** @see Documents.writtenBy */
export const writtenBy = async (
  desk: Desk,
  documentId: string,
  epoch: number,
  author: KeyId,
): Promise<readonly string[]> => {
  const lane = desk.shelf.get(documentId)
  if (lane === undefined) return []
  const stored = (await storedEpochs(desk, lane)).find((one) => one.epoch.epoch === epoch)
  const late = (await readLate(desk, documentId)).map(({ envelope }) => envelope)
  const all = [...((await stored?.envelopes()) ?? []), ...late]
  return all.flatMap((one) => (one.epoch === epoch && one.author === author ? one.hash : [])).toSorted()
}
