import type { Envelope } from '../envelope/index.ts'
import type { LaneReplica, LaneWriter } from '../lane/index.ts'
import type { StoreChange } from '../store/index.ts'
import { envelopeKey, summaryKey } from './document-keys.ts'
import type { LaneWrite, WriteResult } from './documents.ts'
import { describeLane, type HeldLane, isBehind } from './held-lane.ts'
import { checkIn, checkOut, type Desk } from './lane-desk.ts'
import type { LiveLane } from './live-lane.ts'
import { encodeSummary } from './saved-summary.ts'
import { addToTally } from './tally.ts'

/** Lanes whose envelopes are read from disk at once. */
const readAhead = 32

/** Puts new envelopes of a lane, and what the lane is with them. */
export const putEnvelopes = (lane: HeldLane, envelopes: readonly Envelope[]): readonly StoreChange[] => {
  const { documentId, epoch } = lane.epoch
  return [
    ...envelopes.map(
      ({ hash, bytes }) => ({ kind: 'put', key: envelopeKey(documentId, epoch, hash), value: bytes }) as const,
    ),
    { kind: 'put', key: summaryKey(documentId), value: encodeSummary(lane) },
  ]
}

/** The lane with new envelopes that its replica took. */
export const addEnvelopes = (before: HeldLane, { replica }: LiveLane, envelopes: readonly Envelope[]): HeldLane =>
  describeLane(replica, {
    ...before,
    tally: envelopes.reduce((tally, { hash }) => addToTally(tally, hash), before.tally),
    sizeBytes: envelopes.reduce((sum, { bytes }) => sum + bytes.length, before.sizeBytes),
  })

type Numbered = readonly [at: number, write: LaneWrite]

/** What the edits of one lane came to. */
interface Drafted {
  readonly lane: HeldLane
  readonly envelopes: readonly Envelope[]
  readonly results: readonly (readonly [at: number, result: WriteResult])[]
}

const behind = ({ loss }: HeldLane): WriteResult => ({
  ok: false,
  refusal: {
    code: 'behind',
    message: `the fence ${loss?.fence.n} of the lane was used and its envelopes are gone from this disk: the lane is read-only until a peer brought them back`,
  },
})
const nothing: WriteResult = { ok: false, refusal: { code: 'no-change', message: 'there is nothing to write' } }

/** Who writes now, and how to go on as another incarnation. */
interface Authors {
  readonly writer: () => LaneWriter
  readonly begin: () => void
}

/**
 * A change of this node that stood on one of two with one number does not count any more, and its number must not be used
 * twice: the node goes on as another incarnation.
 */
const authorOne = (
  replica: LaneReplica,
  lane: HeldLane,
  { edit }: LaneWrite,
  { writer, begin }: Authors,
): WriteResult => {
  if (isBehind(lane)) return behind(lane)
  const edits = edit({ standing: replica.standing(), fence: replica.summary().fence, epoch: replica.epoch })
  if (edits.size === 0) return nothing
  const result = replica.author(edits, writer())
  if (result.ok || result.refusal.code !== 'equivocation') return result
  begin()
  return replica.author(edits, writer())
}

const draft = (before: HeldLane, live: LiveLane, writes: readonly Numbered[], authors: Authors): Drafted => {
  const results = writes.map(([at, write]) => [at, authorOne(live.replica, before, write, authors)] as const)
  const envelopes = results.flatMap(([, result]) => (result.ok ? result.envelopes : []))
  for (const { hash } of envelopes) live.onDisk.add(hash)
  return { envelopes, results, lane: envelopes.length === 0 ? before : addEnvelopes(before, live, envelopes) }
}

const groupByDocument = (writes: readonly LaneWrite[]): ReadonlyMap<string, readonly Numbered[]> => {
  const groups = new Map<string, Numbered[]>()
  for (const [at, write] of writes.entries()) {
    const group = groups.get(write.documentId)
    if (group === undefined) groups.set(write.documentId, [[at, write]])
    else group.push([at, write])
  }
  return groups
}

/**
 * Drafts lane after lane. Of more lanes than the cache keeps, each replica is closed as soon as its change is written
 * down, so that ten thousand lanes need no more room than a few.
 * @param open replicas taken out and not given back: those to close when something fails
 */
const draftAll = async (
  desk: Desk,
  groups: ReadonlyMap<string, readonly Numbered[]>,
  writer: () => LaneWriter,
  open: Map<string, LiveLane>,
): Promise<readonly Drafted[]> => {
  const drafted: Drafted[] = []
  const all = [...groups]
  for (let first = 0; first < all.length; first += readAhead) {
    const some = all.slice(first, first + readAhead)
    const takeOut = async (documentId: string) => open.set(documentId, await checkOut(desk, documentId))
    const read = await Promise.allSettled(some.map(([documentId]) => takeOut(documentId)))
    for (const outcome of read) if (outcome.status === 'rejected') throw outcome.reason
    for (const [documentId, writes] of some) {
      const live = open.get(documentId)
      if (live === undefined) continue
      drafted.push(draft(desk.shelf.demand(documentId), live, writes, { writer, begin: desk.beginIncarnation }))
      if (all.length <= desk.cache.most) continue
      live.replica.close()
      open.delete(documentId)
    }
  }
  return drafted
}

/**
 * @param writer asked in the turn of the lanes: who writes now
 * @see Documents.write
 */
export const writeLanes = async (
  desk: Desk,
  writes: readonly LaneWrite[],
  writer: () => LaneWriter,
): Promise<readonly WriteResult[]> => {
  const groups = groupByDocument(writes)
  for (const documentId of groups.keys()) desk.shelf.demand(documentId)
  return desk.turns.run([...groups.keys()], async () => {
    const open = new Map<string, LiveLane>()
    try {
      const drafted = await draftAll(desk, groups, writer, open)
      const changed = drafted.filter(({ envelopes }) => envelopes.length > 0)
      const batch = changed.flatMap(({ lane, envelopes }) => putEnvelopes(lane, envelopes))
      if (batch.length > 0) await desk.store.write(batch, { sync: true })
      for (const { lane } of changed) desk.shelf.set(lane)
      for (const live of open.values()) checkIn(desk, live)
      for (const { lane, envelopes } of changed)
        desk.shelf.tell({
          documentId: lane.epoch.documentId,
          isNew: false,
          isSeal: false,
          envelopes,
          late: [],
          from: undefined,
        })
      const results = new Map(drafted.flatMap(({ results: some }) => some))
      return writes.flatMap((_, at) => results.get(at) ?? [])
    } catch (error) {
      for (const { replica } of open.values()) replica.close()
      throw error
    }
  })
}
