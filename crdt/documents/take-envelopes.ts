import { toHex } from '../authority/index.ts'
import { type Envelope, envelopeEpoch, openEnvelope } from '../envelope/index.ts'
import { summaryKey } from './document-keys.ts'
import type { Taken } from './documents.ts'
import type { HeldLane } from './held-lane.ts'
import { type Desk, withReplica } from './lane-desk.ts'
import { type LiveLane, readBase, readEnvelopes, replay } from './live-lane.ts'
import { addProofs } from './proofs.ts'
import { writeCache } from './read-lanes.ts'
import { encodeSummary } from './saved-summary.ts'
import { takeLateEnvelopes } from './take-late.ts'
import { addEnvelopes, putEnvelopes } from './write-lanes.ts'

const unheld: Taken = {
  kind: 'refused',
  refusal: { code: 'wrong-document', message: 'the document of the envelope is not held here' },
}

/** @param fresh gets what is to be written */
const takeOne = ({ powers }: Desk, { replica, onDisk }: LiveLane, bytes: Uint8Array, fresh: Envelope[]): Taken => {
  // What is here already needs no look at its signature.
  if (replica.graph.has(toHex(powers.hash.sha256(bytes)))) return { kind: 'known' }
  // A copy: the bytes may be part of a message that is much larger.
  const opened = openEnvelope(bytes.slice(), replica.epoch.place, powers)
  if (!opened.ok) return { kind: 'refused', refusal: opened.refusal }
  const received = replica.receive(opened.envelope)
  if (received.kind !== 'held' || onDisk.has(opened.envelope.hash)) return received
  onDisk.add(opened.envelope.hash)
  fresh.push(opened.envelope)
  return received
}

/** What parking had no room for is on disk alone: what came now may be what it waited for. */
const replayAgain = async (desk: Desk, { replica: { epoch } }: LiveLane) => {
  const live = replay({ epoch, base: await readBase(epoch, desk) }, (await readEnvelopes(epoch, desk)).envelopes, desk)
  const lane = addEnvelopes(desk.shelf.demand(epoch.documentId), live, [])
  live.replica.close()
  await writeCache(desk, [{ kind: 'put', key: summaryKey(epoch.documentId), value: encodeSummary(lane) }])
  desk.shelf.set(lane)
}

/** Both changes of a number that was used twice are held: of an author of whom nobody knew, that is a proof. */
const proofsOf = (lane: HeldLane, { replica }: LiveLane, fresh: readonly Envelope[]) => {
  const authors = new Set(fresh.map(({ author }) => author))
  const twice = replica.graph
    .unused()
    .filter(({ envelope, status }) => status.kind === 'excluded' && authors.has(envelope.author))
  return addProofs(
    lane.tail.proofs,
    lane.epoch,
    twice.map(({ envelope }) => envelope),
  )
}

/** Takes what is of the open epoch. */
const takeOpen = (
  desk: Desk,
  documentId: string,
  envelopes: readonly Uint8Array[],
  from: string,
): Promise<readonly Taken[]> =>
  withReplica(desk, documentId, async (live) => {
    const fresh: Envelope[] = []
    const taken = envelopes.map((bytes) => takeOne(desk, live, bytes, fresh))
    if (fresh.length === 0) return taken
    const before = desk.shelf.demand(documentId)
    const { proofs, changes } = proofsOf(before, live, fresh)
    const tail = changes.length === 0 ? before.tail : { ...before.tail, proofs }
    const lane = addEnvelopes({ ...before, tail }, live, fresh)
    await desk.store.write([...putEnvelopes(lane, fresh), ...changes], { sync: true })
    desk.shelf.set(lane)
    if (live.isPartial) await replayAgain(desk, live)
    desk.shelf.tell({ documentId, isNew: false, isSeal: false, envelopes: fresh, late: [], from })
    return taken
  })

/** @see Documents.take */
export const takeEnvelopes = async (
  desk: Desk,
  documentId: string,
  envelopes: readonly Uint8Array[],
  from: string,
): Promise<readonly Taken[]> => {
  const lane = desk.shelf.get(documentId)
  if (lane === undefined) return envelopes.map(() => unheld)
  const isPast = (bytes: Uint8Array) => lane.tail.past.some(({ epoch }) => epoch === envelopeEpoch(bytes))
  const late = envelopes.filter(isPast)
  if (late.length === 0) return takeOpen(desk, documentId, envelopes, from)
  const old = [...(await takeLateEnvelopes(desk, documentId, late, from))]
  const now = [
    ...(await takeOpen(
      desk,
      documentId,
      envelopes.filter((bytes) => !isPast(bytes)),
      from,
    )),
  ]
  return envelopes.flatMap((bytes) => (isPast(bytes) ? old.shift() : now.shift()) ?? [])
}
