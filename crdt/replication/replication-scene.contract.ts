import { createManualClock, createSeededRandom, parseScopePath, silentLog } from '../../base/index.ts'
import {
  createKeyedSignatures,
  type KeyList,
  keyListKind,
  nodeHash,
  type OwnerId,
  rootKind,
  type Signer,
  sealRecord,
  toHex,
} from '../authority/index.ts'
import { createBook } from '../book/index.ts'
import { createDocuments, type SealGuards } from '../documents/index.ts'
import { formatLaneName, type LaneName, type LaneValue } from '../lane/index.ts'
import { createMemoryDisk, type MemoryDisk } from '../store/index.ts'
import { createReplicator, type ReplicationPeer, type ReplicatorOptions } from './index.ts'

export const powers = { signatures: createKeyedSignatures(), hash: nodeHash }
export const keyNamed = (name: string): Signer => powers.signatures.signer(nodeHash.sha256(Buffer.from(name)))
const publicKeyOf = (name: string) => toHex(keyNamed(name).publicKey)
export const idNamed = (name: string): string => toHex(nodeHash.sha256(Buffer.from(name))).slice(0, 32)
export const scope = parseScopePath

const root = sealRecord(
  rootKind,
  { network: null, number: 1, previous: null, keys: [publicKeyOf('root')], threshold: 1, beacon: null },
  [keyNamed('root')],
  powers,
)
export const network = root.id

export const makeList = (at: string, keys: readonly string[], signer: string, change: Partial<KeyList> = {}) =>
  sealRecord(
    keyListKind,
    {
      network,
      owner: idNamed(at),
      role: 'zone',
      scope: at,
      succession: 'granted',
      generation: 1,
      previous: null,
      keys: keys.map(publicKeyOf).toSorted(),
      threshold: 1,
      ...change,
    },
    [keyNamed(signer)],
    powers,
  )

/** Records of the tree `/`, `/north`, `/south`: in each scope two keys, so that a lane has two writers. */
export const records = {
  root,
  tower: makeList('/', ['tower', 'tower-2'], 'root'),
  north: makeList('/north', ['north', 'north-2'], 'tower'),
  south: makeList('/south', ['south', 'south-2'], 'tower'),
} as const

export const lanes = {
  intent: { kind: 'intent', scope: scope('/north'), tenant: idNamed('shop'), owner: scope('/') },
  parent: { kind: 'zone', scope: scope('/north'), side: 'parent' },
  own: { kind: 'zone', scope: scope('/north'), side: 'own' },
  member: { kind: 'member', scope: scope('/north/n1') },
  south: { kind: 'zone', scope: scope('/south'), side: 'parent' },
} as const satisfies Record<string, LaneName>

/** What the link of a scope may carry in these tests: lanes of the very scope. */
export const carries =
  (at: string) =>
  (lane: LaneName): boolean =>
    lane.kind !== 'tenant' && lane.scope === at

/** One node's lanes, book and replicator on a disk in memory. */
export const createNode = async (
  name: string,
  options: Partial<ReplicatorOptions> & {
    readonly disk?: MemoryDisk
    readonly seed?: number
    readonly book?: never
    /** @default as the program has it */
    readonly sealing?: SealGuards
    readonly keepEpochs?: number
  } = {},
  given: readonly { readonly bytes: Uint8Array }[] = Object.values(records),
) => {
  const { disk = createMemoryDisk(), seed = 1, sealing, keepEpochs, ...rest } = options
  const store = disk.store()
  await store.open()
  const book = createBook({ store, powers, log: silentLog, networkId: network })
  await book.open()
  await book.take(given.map(({ bytes }) => bytes))
  const random = createSeededRandom(seed).fork(name)
  const documents = createDocuments({
    store,
    networkId: () => network,
    powers,
    random,
    log: silentLog,
    ...(sealing === undefined ? {} : { sealing }),
    ...(keepEpochs === undefined ? {} : { keepEpochs }),
  })
  await documents.open()
  const clock = createManualClock()
  const missing: OwnerId[] = []
  const replicator = createReplicator({
    documents,
    book,
    powers,
    clock,
    log: silentLog,
    onMissingOwner: (owner) => missing.push(owner),
    ...rest,
  })
  const ownerOf = (lane: LaneName) => {
    const at = lane.kind === 'zone' && lane.side === 'own' ? lane.scope : lane.kind === 'member' ? '/north' : '/'
    const owner = book.ownerAt(at, 'zone')
    if (owner === undefined) throw new Error(`${name} knows no owner of ${formatLaneName(lane)}`)
    return owner
  }
  return {
    name,
    disk,
    store,
    book,
    documents,
    clock,
    replicator,
    missing,
    create: (lane: LaneName, key: string) => documents.create(lane, ownerOf(lane), keyNamed(key)),
    /** Puts values into a lane that is held. */
    put: async (lane: LaneName, key: string, values: Readonly<Record<string, LaneValue>>) => {
      const documentId = documents.idOf(lane)
      if (documentId === undefined) throw new Error(`${name} does not hold ${formatLaneName(lane)}`)
      const [result] = await documents.write(
        [{ documentId, edit: () => new Map(Object.entries(values)) }],
        keyNamed(key),
      )
      return result
    },
    /** All hashes held, by document. */
    told: async (only: (lane: LaneName) => boolean = () => true) => {
      const ids = documents.ids().filter((id) => only(documents.epochOf(id)?.lane as LaneName))
      const hashes = await Promise.all(ids.map(async (id) => [id, await documents.hashes(id)] as const))
      return Object.fromEntries(hashes)
    },
  }
}

export type SceneNode = Awaited<ReturnType<typeof createNode>>

/** A peer as its neighbour admitted it. */
export const peerOf = (name: string, at: string, change: Partial<ReplicationPeer> = {}): ReplicationPeer => ({
  key: publicKeyOf(name),
  scope: at,
  mayRead: carries(at),
  mayBring: carries(at),
  recordsFor: undefined,
  ...change,
})

/** Lets everything that needs no time happen. */
export const quiet = async (turns = 20): Promise<void> => {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}
