import { silentLog } from '../../base/index.ts'
import {
  type Beacon,
  type BlockList,
  beaconKind,
  blockListKind,
  type Certificate,
  certificateKind,
  createKeyedSignatures,
  type Delegation,
  type DeploymentVersion,
  delegationKind,
  deploymentVersionKind,
  type KeyList,
  keyListKind,
  nodeHash,
  ownerOf,
  type Root,
  rootKind,
  type SignedRecord,
  type Signer,
  sealRecord,
  toHex,
  type Verdict,
  verdictKind,
} from '../authority/index.ts'
import { createMemoryDisk, type Store } from '../store/index.ts'
import { type BookOptions, createBook } from './index.ts'

/** A small tree of records for tests: keys by name, everything else by default. */
export const powers = { signatures: createKeyedSignatures(), hash: nodeHash }
export const keyNamed = (name: string): Signer => powers.signatures.signer(nodeHash.sha256(Buffer.from(name)))
export const publicKeyOf = (name: string): string => toHex(keyNamed(name).publicKey)
export const idNamed = (name: string): string => toHex(nodeHash.sha256(Buffer.from(name))).slice(0, 32)
const keysNamed = (names: readonly string[]) => names.map(publicKeyOf).toSorted()

export const makeRoot = (
  keys: readonly string[],
  signers = keys,
  previous?: SignedRecord<Root>,
): SignedRecord<Root> => {
  const network = previous === undefined ? null : (previous.body.network ?? previous.id)
  const number = (previous?.body.number ?? 0) + 1
  const beacon = publicKeyOf('beacon')
  const body = { network, number, previous: previous?.id ?? null, keys: keysNamed(keys), threshold: 1, beacon }
  return sealRecord(rootKind, body, signers.map(keyNamed), powers)
}

export const root = makeRoot(['root'])
export const network = root.id
export const tenant = idNamed('default')

export const makeList = (
  scope: string,
  keys: readonly string[],
  signers: readonly string[],
  change: Partial<KeyList> = {},
): SignedRecord<KeyList> => {
  const granted = { owner: idNamed(scope), role: 'zone', succession: 'granted', generation: 1, threshold: 1 } as const
  const body = { network, scope, previous: null, keys: keysNamed(keys), ...granted, ...change }
  return sealRecord(keyListKind, body, signers.map(keyNamed), powers)
}

export const makeBlocks = (issuer: string | null, signer: string, change: Partial<BlockList> = {}) => {
  const body = { network, issuer, number: 1, keys: [], sites: [], tenants: [], ...change }
  return sealRecord(blockListKind, body, [keyNamed(signer)], powers)
}

export const makeVerdict = (list: SignedRecord<KeyList>, signer: string, verdict: Verdict['verdict'] = 'retired') => {
  const body = { network, owner: ownerOf(list), generation: list.body.generation, list: list.id, verdict }
  return sealRecord(verdictKind, body, [keyNamed(signer)], powers)
}

export const makeDelegation = (key: string, scope: string, change: Partial<Delegation> = {}, signer = 'tenant') => {
  const granted = { network, tenant, generation: 1, key: publicKeyOf(key), scope, number: 1, isGranted: true }
  return sealRecord(delegationKind, { ...granted, ...change }, [keyNamed(signer)], powers)
}

export const makeCertificate = (
  key: string,
  scope: string,
  issuer: string,
  signer: string,
  change: Partial<Certificate> = {},
) => {
  const body = {
    network,
    key: publicKeyOf(key),
    role: 'aggregator' as const,
    scope,
    site: null,
    capabilities: ['join', 'report', 'write'],
    issuer: idNamed(issuer),
    generation: 1,
    number: 1,
    sealing: null,
    fromMs: 1_000,
    untilMs: 2_000,
  }
  return sealRecord(certificateKind, { ...body, ...change }, [keyNamed(signer)], powers)
}

export const edgeAt = (site: string): Partial<Certificate> => ({ role: 'edge', site: idNamed(site) })

export const makeVersion = (signer: string, change: Partial<DeploymentVersion> = {}, signers = [signer]) => {
  const body = {
    network,
    tenant,
    application: idNamed('shop'),
    deployment: idNamed('rollout'),
    name: 'shop-everywhere',
    signer: keyNamed(signer).keyId,
    order: 1,
    revision: toHex(nodeHash.sha256(Buffer.from('revision'))),
    placement: '',
    secrets: [],
  }
  return sealRecord(deploymentVersionKind, { ...body, ...change }, signers.map(keyNamed), powers)
}

export const makeBeacon = (counter: number, change: Partial<Beacon> = {}) => {
  const body = { network, counter, timeMs: 5_000, generations: {}, blockList: null, ...change }
  return sealRecord(beaconKind, body, [keyNamed('beacon')], powers)
}

/** The tower's zone, two zones with a site each, and a tenant with a delegation for each scope. */
export const lists = {
  tower: makeList('/', ['tower'], ['root']),
  north: makeList('/north', ['north-a', 'north-b'], ['tower']),
  south: makeList('/south', ['south-a'], ['tower']),
  tenant: makeList('/', ['tenant'], ['tower'], { role: 'tenant', owner: tenant }),
} as const

export const world: readonly SignedRecord<unknown>[] = [
  root,
  ...Object.values(lists),
  makeBlocks(null, 'root', { keys: [keyNamed('thief').keyId] }),
  makeBlocks(idNamed('/north'), 'north-a', { sites: [idNamed('/north/lost')] }),
  makeDelegation('tower', '/'),
  makeDelegation('north-a', '/north'),
  makeDelegation('south-a', '/south'),
  makeCertificate('tower', '/', '/', 'tower', { role: 'tower' }),
  makeCertificate('north-a', '/north', '/', 'tower'),
  makeCertificate('north-b', '/north', '/', 'tower'),
  makeCertificate('south-a', '/south', '/', 'tower'),
  makeCertificate('host-1', '/north/n1', '/north', 'north-a', edgeAt('/north/n1')),
  makeCertificate('host-2', '/south/s1', '/south', 'south-a', edgeAt('/south/s1')),
  makeVersion('tower'),
  makeVersion('tower', { order: 2 }),
  makeBeacon(3),
]

export const bytesOf = (records: readonly SignedRecord<unknown>[]): readonly Uint8Array[] =>
  records.map(({ bytes }) => bytes)

/** An open book over a store of its own, or one that is given. */
export const openBook = async (options: Partial<BookOptions> = {}): Promise<ReturnType<typeof createBook>> => {
  const store = options.store ?? (await openStore())
  const book = createBook({ store, powers, log: silentLog, networkId: network, ...options })
  await book.open()
  return book
}

export const openStore = async (): Promise<Store> => {
  const store = createMemoryDisk().store()
  await store.open()
  return store
}

/** All a book says, as plain data. */
export const tell = (book: ReturnType<typeof createBook>) => {
  const trust = book.trust()
  return {
    root: trust?.root.id,
    owners: [...(trust?.owners.values() ?? [])]
      .map(({ id, list, isCountersigned }) => [id, list, isCountersigned])
      .toSorted(),
    retired: [...(trust?.retired ?? [])].toSorted(),
    blockLists: trust?.blockLists.map(({ id }) => id),
    tenants: book.tenants().map(({ id }) => id),
    delegations: book.delegationsOf(tenant).map(({ id }) => id),
    numbers: [...book.highestNumbers()].toSorted(),
    certificates: [...book.highestNumbers().keys()].toSorted().map((key) => book.certificateOf(key)?.id),
    beacon: book.beacon()?.id,
    versions: [makeVersion('tower'), makeVersion('tower', { order: 2 })].map(({ id }) => book.version(id)?.id),
    records: ['/', '/north', '/north/n1', '/south'].map((scope) =>
      book
        .recordsFor(scope)
        .map(({ id }) => id)
        .toSorted(),
    ),
  }
}
