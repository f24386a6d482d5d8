import { type Log, type Random, randomHex } from '../../base/index.ts'
import type { AuthorityPowers } from '../authority/index.ts'
import { openEnvelope } from '../envelope/index.ts'
import { createParking, laneViewOf, type Parking } from '../lane/index.ts'
import { type Store, StoreError } from '../store/index.ts'
import { createLane, takeGenesis } from './begin-lane.ts'
import { envelopeKey, envelopePrefix, genesisKey, readDocumentKey } from './document-keys.ts'
import type { Documents } from './documents.ts'
import { createEpochMaker } from './held-lane.ts'
import { type Desk, withReplica } from './lane-desk.ts'
import { createLaneShelf } from './lane-shelf.ts'
import { orderByDependencies } from './order-envelopes.ts'
import { readLanes } from './read-lanes.ts'
import { createReplicaCache } from './replica-cache.ts'
import { takeEnvelopes } from './take-envelopes.ts'
import { createTurns } from './turns.ts'
import { writeLanes } from './write-lanes.ts'

export interface DocumentsOptions {
  /** Open before the documents are, closed after them. */
  readonly store: Store
  /** The network's id, 64 hexadecimal digits. Asked when there is a lane to make or to read. */
  readonly networkId: () => string
  readonly powers: AuthorityPowers
  readonly random: Random
  readonly log: Log
  /** The node's one lot. @default room of its own */
  readonly parking?: Parking
  /** Replicas kept in memory. @default 64 */
  readonly cacheReplicas?: number
}

export const createDocuments = (options: DocumentsOptions): Documents => {
  const { store, networkId, powers, random, log, parking = createParking(), cacheReplicas = 64 } = options
  const readWhole: Desk['readWhole'] = async (key) => {
    try {
      return await store.get(key)
    } catch (error) {
      if (error instanceof StoreError && error.code === 'damaged-value') return undefined
      throw error
    }
  }
  const desk: Desk = {
    store,
    powers,
    log,
    parking,
    shelf: createLaneShelf(log),
    turns: createTurns(),
    cache: createReplicaCache(cacheReplicas),
    makeEpoch: createEpochMaker(networkId, powers.hash),
    readWhole,
  }
  const { shelf } = desk
  let incarnation = ''
  const beginIncarnation = () => {
    incarnation = randomHex(random, 16)
  }

  /** Bytes of the envelopes asked for: one by one where they are few, else by a walk over the lane. */
  const readSome = async (documentId: string, epoch: number, hashes: ReadonlySet<string>): Promise<Uint8Array[]> => {
    if (hashes.size <= 8) {
      const read = await Promise.all([...hashes].map((hash) => readWhole(envelopeKey(documentId, epoch, hash))))
      return read.flatMap((bytes) => bytes ?? [])
    }
    const found: Uint8Array[] = []
    for await (const { key, value } of store.scan({ prefix: envelopePrefix(documentId, epoch) })) {
      const named = readDocumentKey(key)
      if (value !== undefined && named?.kind === 'envelope' && hashes.has(named.hash)) found.push(value)
    }
    return found
  }

  return {
    open: async () => {
      beginIncarnation()
      const lanes = await readLanes(desk)
      for (const { lane } of lanes) shelf.set(lane)
      const damaged = lanes.flatMap(({ lane, isDamaged }) => (isDamaged ? lane.epoch.documentId : []))
      return { lanes: lanes.length, damaged: damaged.toSorted() }
    },
    close: async () => {
      await desk.turns.idle()
      desk.cache.clear()
      shelf.clear()
    },
    ids: shelf.ids,
    idOf: shelf.idOf,
    epochOf: (documentId) => shelf.get(documentId)?.epoch,
    summaryOf: (documentId) => {
      const lane = shelf.get(documentId)
      return lane && { documentId, epoch: lane.epoch.epoch, heads: lane.heads, fence: lane.fence }
    },
    genesisOf: async (documentId) => {
      const lane = shelf.get(documentId)
      return lane && readWhole(genesisKey(documentId, lane.epoch.epoch))
    },
    create: (lane, owner, signer) => createLane(desk, networkId(), { lane, owner, signer }, random),
    takeGenesis: (bytes, owner, from) => takeGenesis(desk, networkId(), { bytes, owner, from }),
    standing: async (documentId) => {
      shelf.demand(documentId)
      return withReplica(desk, documentId, ({ replica }) => replica.standing())
    },
    view: async (documentId) => {
      if (shelf.get(documentId) === undefined) return undefined
      return withReplica(desk, documentId, ({ replica }) => laneViewOf(replica, replica.standing()))
    },
    write: async (writes, signer) => {
      try {
        return await writeLanes(desk, writes, () => ({ signer, incarnation }))
      } catch (error) {
        // What was signed may be on disk or not: nobody writes on from it (docs/adr/0021-documents-on-disk.md).
        beginIncarnation()
        throw error
      }
    },
    take: (documentId, envelopes, from) => takeEnvelopes(desk, documentId, envelopes, from),
    hashes: async (documentId) => {
      const lane = shelf.get(documentId)
      const hashes: string[] = []
      if (lane === undefined) return hashes
      for await (const { key, value } of store.scan({ prefix: envelopePrefix(documentId, lane.epoch.epoch) })) {
        const named = readDocumentKey(key)
        if (value !== undefined && named?.kind === 'envelope') hashes.push(named.hash)
      }
      return hashes
    },
    envelopes: async (documentId, hashes) => {
      const lane = shelf.get(documentId)
      if (lane === undefined) return []
      const found = (await readSome(documentId, lane.epoch.epoch, hashes)).flatMap((bytes) => {
        const opened = openEnvelope(bytes, lane.epoch.place, powers, [])
        return opened.ok && hashes.has(opened.envelope.hash) ? [opened.envelope] : []
      })
      return orderByDependencies(found).map(({ bytes }) => bytes)
    },
    onChange: shelf.listen,
  }
}
