import { type Log, type Random, randomHex } from '../../base/index.ts'
import { type AuthorityPowers, readRecord, signersOf } from '../authority/index.ts'
import { openEnvelope, openProof } from '../envelope/index.ts'
import { createParking, type Epoch, genesisKind, laneViewOf, type Parking } from '../lane/index.ts'
import { type Store, StoreError } from '../store/index.ts'
import { createLane, takeGenesis } from './begin-lane.ts'
import { baseKey, envelopeKey, envelopePrefix, genesisKey, proofKey, readDocumentKey } from './document-keys.ts'
import type { Documents } from './documents.ts'
import { createEpochMaker } from './held-lane.ts'
import { type Desk, withReplica } from './lane-desk.ts'
import { createLaneShelf } from './lane-shelf.ts'
import { describeLate, readLate } from './late-changes.ts'
import { orderByDependencies } from './order-envelopes.ts'
import { readLanes } from './read-lanes.ts'
import { createReplicaCache } from './replica-cache.ts'
import { type SealGuards, sealGuards } from './seal-guards.ts'
import { sealLane } from './seal-lane.ts'
import { readPast } from './stored-epochs.ts'
import { takeEnvelopes } from './take-envelopes.ts'
import { takeLateEnvelopes } from './take-late.ts'
import { takeProof, writtenBy } from './take-proof.ts'
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
  /** Sealed epochs kept of each lane, at least 1: who was away for more joins by its base. @default 2 */
  readonly keepEpochs?: number
  /** @default sealGuards; tests take one out to show what it stops */
  readonly sealing?: SealGuards
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
  let incarnation = ''
  const beginIncarnation = () => {
    incarnation = randomHex(random, 16)
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
    guards: options.sealing ?? sealGuards,
    keepEpochs: Math.max(1, options.keepEpochs ?? 2),
    beginIncarnation,
  }
  const { shelf } = desk
  /** The open epoch, or one that is kept. */
  const epochAt = async (documentId: string, number: number | undefined): Promise<Epoch | undefined> => {
    const lane = shelf.get(documentId)
    if (lane === undefined || number === undefined || number === lane.epoch.epoch) return lane?.epoch
    const past = lane.tail.past.find(({ epoch }) => epoch === number)
    return past && readPast(desk, documentId, past)
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
    isWhole: (documentId) => {
      const lane = shelf.get(documentId)
      return lane !== undefined && lane.loss === undefined
    },
    loadOf: (documentId) => {
      const lane = shelf.get(documentId)
      return lane && { epoch: lane.epoch, count: lane.tally.count, sizeBytes: lane.sizeBytes }
    },
    pastOf: (documentId) => shelf.get(documentId)?.tail.past ?? [],
    genesisOf: async (documentId, epoch) => {
      const number = epoch ?? shelf.get(documentId)?.epoch.epoch
      return number === undefined ? undefined : readWhole(genesisKey(documentId, number))
    },
    baseOf: async (documentId) => {
      const lane = shelf.get(documentId)
      return lane && readWhole(baseKey(documentId, lane.epoch.epoch))
    },
    create: (lane, owner, signer) => createLane(desk, networkId(), { lane, owner, signer }),
    takeGenesis: (bytes, owner, from, { base, sealers } = {}) =>
      takeGenesis(desk, networkId(), { bytes, owner, from, base, sealers }),
    seal: (documentId, seal) => sealLane(desk, networkId(), documentId, seal),
    late: async (documentId) => {
      const lane = shelf.get(documentId)
      if (lane === undefined || lane.tail.late.length === 0) return []
      const late = await readLate(desk, documentId)
      const counted = await withReplica(desk, documentId, ({ replica: { graph } }) => graph.valid())
      const hashes = new Set(counted.map(({ hash }) => hash))
      return late.flatMap((one) => (hashes.has(one.envelope.hash) ? [] : describeLate(one, lane.epoch.lane, desk)))
    },
    lateNames: (documentId) => shelf.get(documentId)?.tail.late ?? [],
    lateEnvelopes: async (documentId, hashes) =>
      (await readLate(desk, documentId)).flatMap(({ envelope }) => (hashes.has(envelope.hash) ? envelope.bytes : [])),
    takeLate: async (documentId, envelopes, from) =>
      shelf.get(documentId) === undefined ? [] : takeLateEnvelopes(desk, documentId, envelopes, from),
    excluded: async (documentId) => {
      if (shelf.get(documentId) === undefined) return []
      const unused = await withReplica(desk, documentId, ({ replica: { graph } }) => graph.unused())
      return unused.flatMap(({ envelope, status }) => (status.kind === 'excluded' ? envelope.hash : []))
    },
    quarantined: (documentId) =>
      (documentId === undefined ? shelf.ids() : [documentId]).flatMap((id) => {
        const lane = shelf.get(id)
        return (lane?.tail.proofs ?? []).flatMap(({ epoch, author }) =>
          lane === undefined
            ? []
            : { documentId: id, lane: lane.epoch.lane, epoch, author, isOpen: epoch === lane.epoch.epoch },
        )
      }),
    sealersOf: async (documentId) => {
      const lane = shelf.get(documentId)
      const bytes = lane && (await readWhole(genesisKey(documentId, lane.epoch.epoch)))
      const read = bytes && readRecord(genesisKind, bytes, powers)
      return lane && read?.ok ? [...signersOf(genesisKind, read.record, lane.epoch.place.writers, powers)] : []
    },
    proofOf: ({ documentId, epoch, author }) => readWhole(proofKey(documentId, epoch, author)),
    takeProof: (bytes, from) => takeProof(desk, openProof(bytes.slice(), networkId(), powers), from),
    writtenBy: (documentId, epoch, author) => writtenBy(desk, documentId, epoch, author),
    standing: async (documentId) => {
      shelf.demand(documentId)
      return withReplica(desk, documentId, ({ replica }) => replica.standing())
    },
    authorOf: (documentId, actor) => {
      shelf.demand(documentId)
      return withReplica(desk, documentId, ({ replica }) => replica.graph.authorOf(actor))
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
    hashes: async (documentId, epoch) => {
      const number = epoch ?? shelf.get(documentId)?.epoch.epoch
      const hashes: string[] = []
      if (number === undefined) return hashes
      for await (const { key, value } of store.scan({ prefix: envelopePrefix(documentId, number) })) {
        const named = readDocumentKey(key)
        if (value !== undefined && named?.kind === 'envelope') hashes.push(named.hash)
      }
      return hashes
    },
    envelopes: async (documentId, hashes, number) => {
      const epoch = await epochAt(documentId, number)
      if (epoch === undefined) return []
      const found = (await readSome(documentId, epoch.epoch, hashes)).flatMap((bytes) => {
        const opened = openEnvelope(bytes, epoch.place, powers, [])
        return opened.ok && hashes.has(opened.envelope.hash) ? [opened.envelope] : []
      })
      return orderByDependencies(found).map(({ bytes }) => bytes)
    },
    onChange: shelf.listen,
  }
}
