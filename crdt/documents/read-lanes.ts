import { errorText, type Log } from '../../base/index.ts'
import { type AuthorityPowers, readRecord } from '../authority/index.ts'
import { type Epoch, genesisKind, type Parking } from '../lane/index.ts'
import type { Store, StoreChange } from '../store/index.ts'
import { documentsPrefix, readDocumentKey, summaryKey } from './document-keys.ts'
import { describeLane, type EpochMaker, type HeldLane, lossOf } from './held-lane.ts'
import { readEnvelopes, replay, tallyOnDisk } from './live-lane.ts'
import { decodeSummary, encodeSummary, type SavedSummary } from './saved-summary.ts'
import { addToTally, emptyTally, sameTally, type Tally } from './tally.ts'

/** What a look at the disk needs. */
export interface DiskReader {
  readonly store: Store
  readonly powers: AuthorityPowers
  readonly parking: Parking
  readonly log: Log
  readonly makeEpoch: EpochMaker
}

/** All of one document that is on disk, as one walk over the store shows it. */
interface Found {
  readonly documentId: string
  readonly tallies: Map<number, Tally>
  /** Of the highest epoch; undefined when it is damaged. */
  genesis: { readonly epoch: number; readonly bytes: Uint8Array | undefined } | undefined
  /** `damaged` when bytes are there that were not written; undefined when there is none, or of another version. */
  summary: SavedSummary | 'damaged' | undefined
  hasDamagedEnvelope: boolean
}

const emptyFound = (documentId: string): Found => ({
  documentId,
  tallies: new Map(),
  genesis: undefined,
  summary: undefined,
  hasDamagedEnvelope: false,
})

const addTo = (found: Found, key: string, value: Uint8Array | undefined) => {
  const named = readDocumentKey(key)
  if (named?.kind === 'genesis') found.genesis = { epoch: named.epoch, bytes: value }
  else if (named?.kind === 'summary') found.summary = value ? decodeSummary(found.documentId, value) : 'damaged'
  else if (named?.kind === 'envelope') {
    if (value === undefined) found.hasDamagedEnvelope = true
    else found.tallies.set(named.epoch, addToTally(found.tallies.get(named.epoch) ?? emptyTally, named.hash))
  }
}

/** Keys of one document are neighbours, so one walk sees document after document. */
async function* walk(store: Store): AsyncGenerator<Found> {
  let found: Found | undefined
  for await (const { key, value } of store.scan({ prefix: documentsPrefix })) {
    const documentId = readDocumentKey(key)?.documentId
    if (documentId === undefined) continue
    if (found !== undefined && found.documentId !== documentId) yield found
    if (found?.documentId !== documentId) found = emptyFound(documentId)
    addTo(found, key, value)
  }
  if (found !== undefined) yield found
}

const epochOfGenesis = (found: Found, { powers, makeEpoch }: DiskReader): Epoch | undefined => {
  const read = found.genesis?.bytes && readRecord(genesisKind, found.genesis.bytes, powers)
  if (!read?.ok) return undefined
  const { id, body } = read.record
  return makeEpoch({ ...body, id, documentId: body.document })
}

const epochOfSummary = (found: Found, { makeEpoch }: DiskReader): Epoch | undefined =>
  typeof found.summary === 'object' ? makeEpoch(found.summary) : undefined

const epochOf = (found: Found, reader: DiskReader): Epoch | undefined => {
  try {
    return epochOfSummary(found, reader) ?? epochOfGenesis(found, reader)
  } catch (error) {
    reader.log.warn('a stored document names no lane', { document: found.documentId, reason: errorText(error) })
    return undefined
  }
}

/** Makes a lane anew from its envelopes, and says what of the disk is to change for that. */
export const rebuildLane = async (
  epoch: Epoch,
  before: Pick<HeldLane, 'heads' | 'fence' | 'loss'> | undefined,
  reader: Omit<DiskReader, 'makeEpoch' | 'log'>,
) => {
  const { envelopes, damaged } = await readEnvelopes(epoch, reader)
  const live = replay(epoch, envelopes, reader)
  const lane = describeLane(live.replica, tallyOnDisk(live), before && lossOf(before))
  const changes: StoreChange[] = [
    ...damaged.map((key) => ({ kind: 'delete', key }) as const),
    { kind: 'put', key: summaryKey(epoch.documentId), value: encodeSummary(lane) },
  ]
  return { live, lane, changes }
}

/** Writes what can be made again from the envelopes: a disk that has no room for it costs a start nothing but time. */
export const writeCache = async (
  { store, log }: Pick<DiskReader, 'store' | 'log'>,
  changes: readonly StoreChange[],
): Promise<void> => {
  try {
    await store.write(changes, { sync: false })
  } catch (error) {
    log.warn('what a lane comes to could not be saved', { reason: errorText(error) })
  }
}

export interface ReadLane {
  readonly lane: HeldLane
  /** Stored bytes of it are missing or damaged, now or since an earlier start. */
  readonly isDamaged: boolean
}

const readLane = async (found: Found, reader: DiskReader): Promise<ReadLane | undefined> => {
  const { summary, documentId } = found
  const epoch = epochOf(found, reader)
  if (epoch === undefined) {
    reader.log.warn('envelopes are stored of a document whose genesis is gone', { document: documentId })
    return undefined
  }
  const saved = typeof summary === 'object' ? summary : undefined
  const isWhole =
    saved !== undefined &&
    !found.hasDamagedEnvelope &&
    sameTally(saved.tally, found.tallies.get(epoch.epoch) ?? emptyTally)
  const isGenesisThere = found.genesis?.bytes !== undefined && found.genesis.epoch === epoch.epoch
  if (isWhole) {
    const { heads, fence, tally, loss } = saved
    return { lane: { epoch, heads, fence, tally, loss }, isDamaged: loss !== undefined || !isGenesisThere }
  }
  const { live, lane, changes } = await rebuildLane(epoch, saved, reader)
  live.replica.close()
  await writeCache(reader, changes)
  // A summary that is not there or of another version is no damage: it is a cache.
  const isDamaged = saved !== undefined || summary === 'damaged' || found.hasDamagedEnvelope || !isGenesisThere
  if (isDamaged)
    reader.log.warn('a stored lane is damaged: a peer that has the rest brings it back', {
      document: documentId,
      envelopes: lane.tally.count,
      missingHeads: lane.loss?.heads.length ?? 0,
    })
  return { lane, isDamaged }
}

/** Every lane on disk, by one walk over all keys; replays those alone whose summary does not fit their envelopes. */
export const readLanes = async (reader: DiskReader): Promise<readonly ReadLane[]> => {
  const lanes: ReadLane[] = []
  for await (const found of walk(reader.store)) {
    const lane = await readLane(found, reader)
    if (lane !== undefined) lanes.push(lane)
  }
  return lanes
}
