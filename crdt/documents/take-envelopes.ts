import { toHex } from '../authority/index.ts'
import { type Envelope, type EnvelopeRefusal, openEnvelope } from '../envelope/index.ts'
import type { Received } from '../lane/index.ts'
import { summaryKey } from './document-keys.ts'
import { type Desk, withReplica } from './lane-desk.ts'
import { type LiveLane, readEnvelopes, replay } from './live-lane.ts'
import { writeCache } from './read-lanes.ts'
import { encodeSummary } from './saved-summary.ts'
import { addEnvelopes, putEnvelopes } from './write-lanes.ts'

export type Taken = Received | { readonly kind: 'refused'; readonly refusal: EnvelopeRefusal }

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
  const live = replay(epoch, (await readEnvelopes(epoch, desk)).envelopes, desk)
  const lane = addEnvelopes(desk.shelf.demand(epoch.documentId), live, [])
  live.replica.close()
  await writeCache(desk, [{ kind: 'put', key: summaryKey(epoch.documentId), value: encodeSummary(lane) }])
  desk.shelf.set(lane)
}

/** @see Documents.take */
export const takeEnvelopes = async (
  desk: Desk,
  documentId: string,
  envelopes: readonly Uint8Array[],
  from: string,
): Promise<readonly Taken[]> => {
  if (desk.shelf.get(documentId) === undefined) return envelopes.map(() => unheld)
  return withReplica(desk, documentId, async (live) => {
    const fresh: Envelope[] = []
    const taken = envelopes.map((bytes) => takeOne(desk, live, bytes, fresh))
    if (fresh.length === 0) return taken
    const lane = addEnvelopes(desk.shelf.demand(documentId), live, fresh)
    await desk.store.write(putEnvelopes(lane, fresh), { sync: true })
    desk.shelf.set(lane)
    if (live.isPartial) await replayAgain(desk, live)
    desk.shelf.tell({ documentId, envelopes: fresh, from })
    return taken
  })
}
