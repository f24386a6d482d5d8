import { toHex } from '../authority/index.ts'
import { type Envelope, type EnvelopePlace, envelopeEpoch, openEnvelope } from '../envelope/index.ts'
import { envelopeKey, summaryKey } from './document-keys.ts'
import type { Taken } from './documents.ts'
import type { HeldLane } from './held-lane.ts'
import { checkIn, checkOut, type Desk } from './lane-desk.ts'
import { type LateReason, putLate, readLate } from './late-changes.ts'
import { addProofs } from './proofs.ts'
import { encodeSummary } from './saved-summary.ts'
import { readPast, storedEpochs } from './stored-epochs.ts'

/** Late changes that peers may bring of one author in one lane. */
export const lateLimit = 256

/** Where a late change may belong: each sealed epoch that is held. */
const placesOf = async (desk: Desk, lane: HeldLane): Promise<ReadonlyMap<number, EnvelopePlace>> => {
  const { documentId } = lane.epoch
  const past = await Promise.all(lane.tail.past.map((one) => readPast(desk, documentId, one)))
  return new Map(past.flatMap((epoch) => (epoch === undefined ? [] : [[epoch.epoch, epoch.place] as const])))
}

/**
 * Writers of any epoch that is held: a change of an epoch that is not, or of one that lost, is kept when one of them signed
 * it. One that lost may have had the number of one that is held, and other writers, or a higher number.
 */
const anyPlace = (lane: HeldLane, places: ReadonlyMap<number, EnvelopePlace>, epoch: number): EnvelopePlace => {
  const writers = new Map([...places.values(), lane.epoch.place].flatMap((place) => [...place.writers]))
  return { ...lane.epoch.place, epoch, writers }
}

const dropped: Taken = { kind: 'dropped' }
const known: Taken = { kind: 'known' }

/**
 * Keeps changes of sealed epochs that are outside of their cut. What an epoch that is kept has inside is known.
 * @see Documents.takeLate
 */
export const takeLateEnvelopes = (
  desk: Desk,
  documentId: string,
  envelopes: readonly Uint8Array[],
  from: string,
): Promise<readonly Taken[]> =>
  desk.turns.run([documentId], async () => {
    const lane = desk.shelf.demand(documentId)
    const places = await placesOf(desk, lane)
    const names = [...lane.tail.late]
    const held = new Set(names.map(({ hash }) => hash))
    const counts = new Map<string, number>()
    for (const { envelope } of await readLate(desk, documentId))
      counts.set(envelope.author, (counts.get(envelope.author) ?? 0) + 1)
    const fresh: (readonly [Envelope, LateReason])[] = []
    const live = await checkOut(desk, documentId)
    const unused = new Set(live.replica.graph.unused().map(({ envelope }) => envelope.hash))
    const isCounted = (hash: string) => live.replica.graph.has(hash) && !unused.has(hash)
    checkIn(desk, live)

    const takeOne = async (bytes: Uint8Array): Promise<Taken> => {
      const epoch = envelopeEpoch(bytes) ?? 0
      const hash = toHex(desk.powers.hash.sha256(bytes))
      if (held.has(hash)) return known
      // In the open epoch it may wait for what the seal that lost began with: then it is late, and waits in vain.
      const isOpen = epoch === lane.epoch.epoch
      const isInside = isOpen
        ? isCounted(hash)
        : (await desk.readWhole(envelopeKey(documentId, epoch, hash))) !== undefined
      if (isInside) return known
      const place = anyPlace(lane, places, epoch)
      const opened = openEnvelope(bytes.slice(), place, desk.powers)
      if (!opened.ok) return { kind: 'refused', refusal: opened.refusal }
      const { envelope } = opened
      const count = counts.get(envelope.author) ?? 0
      if (!desk.guards.fits(count, lateLimit)) return dropped
      counts.set(envelope.author, count + 1)
      held.add(hash)
      names.push({ epoch, hash })
      fresh.push([envelope, epoch === lane.epoch.epoch ? 'rival' : places.has(epoch) ? 'cut' : 'unsure'])
      return { kind: 'late' }
    }

    const taken: Taken[] = []
    for (const bytes of envelopes) taken.push(await takeOne(bytes))
    if (fresh.length === 0) return taken
    const late = fresh.map(([envelope]) => envelope)
    // One of them may carry the number of a change inside: the seal stays as it is, and the key is known for it.
    const touched = new Set(late.map(({ epoch }) => epoch))
    const stored = (await storedEpochs(desk, lane)).filter(({ epoch }) => touched.has(epoch.epoch))
    const found = await Promise.all(
      stored.map(async ({ epoch, envelopes: read }) => {
        const others = (await readLate(desk, documentId)).map(({ envelope }) => envelope)
        const all = [...(await read()), ...others, ...late].filter((one) => one.epoch === epoch.epoch)
        return addProofs(lane.tail.proofs, epoch, all)
      }),
    )
    const proofs = [...lane.tail.proofs, ...found.flatMap((one) => one.proofs.slice(lane.tail.proofs.length))]
    const next = { ...lane, tail: { ...lane.tail, late: names, proofs } }
    await desk.store.write(
      [
        ...fresh.map(([envelope, reason]) => putLate(envelope, reason)),
        ...found.flatMap((one) => one.changes),
        { kind: 'put', key: summaryKey(documentId), value: encodeSummary(next) },
      ],
      { sync: true },
    )
    desk.shelf.set(next)
    desk.shelf.tell({ documentId, isNew: false, isSeal: false, envelopes: [], late, from })
    return taken
  })
