import { errorText, type Log } from '../../base/index.ts'
import { type AuthorityPowers, readRecord } from '../authority/index.ts'
import { type Epoch, genesisKind, type Parking } from '../lane/index.ts'
import type { Store, StoreChange } from '../store/index.ts'
import { documentsPrefix, readDocumentKey, summaryKey } from './document-keys.ts'
import {
  describeLane,
  type EpochMaker,
  type HeldLane,
  type LaneTail,
  type LateName,
  lossOf,
  noTail,
  type ProofName,
  type SavedLane,
} from './held-lane.ts'
import { diskOf, readBase, readEnvelopes, replay } from './live-lane.ts'
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
  /** Of the envelopes, by epoch. */
  readonly sizesBytes: Map<number, number>
  /** By epoch, the lowest first; undefined for one that is damaged. */
  readonly geneses: Map<number, Uint8Array | undefined>
  /** Epochs whose base is there. */
  readonly bases: Set<number>
  readonly late: LateName[]
  readonly proofs: ProofName[]
  /** `damaged` when bytes are there that were not written; undefined when there is none, or of another version. */
  summary: SavedSummary | 'damaged' | undefined
  /** Epochs of which an envelope is damaged. */
  readonly damaged: Set<number>
}

const emptyFound = (documentId: string): Found => ({
  documentId,
  tallies: new Map(),
  sizesBytes: new Map(),
  geneses: new Map(),
  bases: new Set(),
  late: [],
  proofs: [],
  summary: undefined,
  damaged: new Set(),
})

const addEnvelope = (found: Found, epoch: number, hash: string, value: Uint8Array | undefined) => {
  if (value === undefined) {
    found.damaged.add(epoch)
    return
  }
  found.tallies.set(epoch, addToTally(found.tallies.get(epoch) ?? emptyTally, hash))
  found.sizesBytes.set(epoch, (found.sizesBytes.get(epoch) ?? 0) + value.length)
}

const addTo = (found: Found, key: string, value: Uint8Array | undefined) => {
  const named = readDocumentKey(key)
  if (named?.kind === 'genesis') found.geneses.set(named.epoch, value)
  else if (named?.kind === 'summary') found.summary = value ? decodeSummary(found.documentId, value) : 'damaged'
  else if (named?.kind === 'envelope') addEnvelope(found, named.epoch, named.hash, value)
  else if (value === undefined) return
  else if (named?.kind === 'base') found.bases.add(named.epoch)
  else if (named?.kind === 'late') found.late.push({ epoch: named.epoch, hash: named.hash })
  else if (named?.kind === 'proof') found.proofs.push({ epoch: named.epoch, author: named.author })
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

/** The epoch a stored genesis begins; undefined for bytes that are none. @throws {SkerryError} when it names no lane */
export const readGenesis = (
  bytes: Uint8Array | undefined,
  { powers, makeEpoch }: Pick<DiskReader, 'powers' | 'makeEpoch'>,
): Epoch | undefined => {
  const read = bytes && readRecord(genesisKind, bytes, powers)
  if (!read?.ok) return undefined
  const { id, body } = read.record
  return makeEpoch({ ...body, id, documentId: body.document })
}

const lastOf = ({ geneses }: Found): Uint8Array | undefined => geneses.get(Math.max(0, ...geneses.keys()))

const epochOf = (found: Found, reader: DiskReader): Epoch | undefined => {
  try {
    if (typeof found.summary === 'object') return reader.makeEpoch(found.summary)
    return readGenesis(lastOf(found), reader)
  } catch (error) {
    reader.log.warn('a stored document names no lane', { document: found.documentId, reason: errorText(error) })
    return undefined
  }
}

const tailOf = (found: Found, open: Epoch, reader: DiskReader): LaneTail => {
  const past = [...found.geneses].flatMap(([epoch, bytes]) => {
    const genesis = epoch < open.epoch ? bytes && readRecord(genesisKind, bytes, reader.powers) : undefined
    return genesis?.ok ? [{ epoch, id: genesis.record.id }] : []
  })
  const { late, proofs } = found
  return past.length + late.length + proofs.length === 0 ? noTail : { past, late, proofs }
}

/**
 * Makes a lane anew from its envelopes, and says what of the disk is to change for that; undefined when what its epoch
 * began with is gone.
 */
export const rebuildLane = async (
  epoch: Epoch,
  before: Pick<SavedLane, 'heads' | 'fence' | 'loss'> | undefined,
  tail: LaneTail,
  reader: Omit<DiskReader, 'makeEpoch' | 'log'>,
) => {
  const base = await readBase(epoch, reader)
  if (base === undefined && epoch.base !== null) return undefined
  const { envelopes, damaged } = await readEnvelopes(epoch, reader)
  const live = replay({ epoch, base }, envelopes, reader)
  const lane = describeLane(live.replica, { ...diskOf(live), loss: before && lossOf(before), tail })
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
  const tail = tailOf(found, epoch, reader)
  const isWhole =
    saved !== undefined &&
    !found.damaged.has(epoch.epoch) &&
    (epoch.base === null || found.bases.has(epoch.epoch)) &&
    sameTally(saved.tally, found.tallies.get(epoch.epoch) ?? emptyTally)
  const isGenesisThere = found.geneses.get(epoch.epoch) !== undefined
  if (isWhole) {
    const { heads, fence, tally, loss } = saved
    const sizeBytes = found.sizesBytes.get(epoch.epoch) ?? 0
    return {
      lane: { epoch, heads, fence, tally, sizeBytes, loss, tail },
      isDamaged: loss !== undefined || !isGenesisThere,
    }
  }
  const rebuilt = await rebuildLane(epoch, saved, tail, reader)
  if (rebuilt === undefined) {
    reader.log.warn('what an epoch began with is gone: a peer that has it brings the lane back', {
      document: documentId,
      epoch: epoch.epoch,
    })
    return undefined
  }
  const { live, lane, changes } = rebuilt
  live.replica.close()
  await writeCache(reader, changes)
  // A summary that is not there or of another version is no damage: it is a cache.
  const isDamaged = saved !== undefined || summary === 'damaged' || found.damaged.has(epoch.epoch) || !isGenesisThere
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
