import { type Clock, createManualClock, createSeededRandom, parseName, silentLog } from '../../../base/index.ts'
import {
  createBook,
  createDocuments,
  createKeyedSignatures,
  createMemoryDisk,
  type MemoryDisk,
  nodeHash,
  type Signer,
  toHex,
} from '../../../crdt/index.ts'
import { createMembership } from './create-membership.ts'
import {
  type ExpectedScope,
  type Founded,
  foundNetwork,
  type JoinAnswer,
  type JoinHello,
  type MembershipOptions,
} from './index.ts'

/** What sharing signatures makes one world: every node verifies what the others sign. */
export const powers = { signatures: createKeyedSignatures(), hash: nodeHash }
export const signerNamed = (name: string): Signer => powers.signatures.signer(nodeHash.sha256(Buffer.from(name)))
export const peerNamed = (name: string): string => toHex(signerNamed(name).publicKey)
export const day = 24 * 60 * 60 * 1_000
/** Some day in 2024. */
export const startMs = 1_720_000_000_000

export const siteOf = (
  scope: string,
  hosts: readonly (string | { readonly name: string; readonly hostId: string })[],
): ExpectedScope => ({
  kind: 'site',
  scope,
  name: parseName(scope.slice(scope.lastIndexOf('/') + 1)),
  labels: { 'shop.example/size': 'large' },
  hosts: hosts.map((host) =>
    typeof host === 'string'
      ? { name: host, hostId: undefined, labels: { 'system/name': host } }
      : { ...host, labels: { 'system/name': host.name } },
  ),
})
export const zoneOf = (scope: string, hosts: readonly string[]): ExpectedScope => ({
  ...siteOf(scope, hosts),
  kind: 'zone',
})

export interface NodeSetUp {
  readonly name: string
  readonly role: 'tower' | 'aggregator' | 'edge'
  readonly scope: string
  readonly hostId?: string
  /** Of the key, if it is not the name's. */
  readonly key?: string
  readonly expected?: () => readonly ExpectedScope[]
  readonly networkId?: string
  readonly disk?: MemoryDisk
  readonly clock?: Clock
  readonly tokens?: readonly string[]
  readonly trustedNowMs?: () => number | undefined
  readonly seed?: number
  readonly more?: Partial<MembershipOptions>
}

/** One node's membership over a store in memory. */
export const startNode = async (setUp: NodeSetUp) => {
  const { name, role, scope, hostId = `id-${name}`, key = name, networkId, seed = 1 } = setUp
  const disk = setUp.disk ?? createMemoryDisk()
  const clock = setUp.clock ?? createManualClock()
  const store = disk.store()
  await store.open()
  const random = createSeededRandom(seed).fork(key)
  const book = createBook({ store, powers, log: silentLog, ...(networkId === undefined ? {} : { networkId }) })
  await book.open()
  const documents = createDocuments({
    store,
    networkId: () => book.networkId() ?? '',
    powers,
    random: random.fork('documents'),
    log: silentLog,
  })
  await documents.open()
  const signer = signerNamed(key)
  const membership = createMembership({
    self: { name, role, scope, hostId, signer },
    networkId,
    tokens: () => setUp.tokens ?? [],
    expected: setUp.expected ?? (() => []),
    trustedNowMs: setUp.trustedNowMs ?? (() => undefined),
    book,
    documents,
    store,
    clock,
    random: random.fork('membership'),
    powers,
    log: silentLog,
    ...setUp.more,
  })
  const stop = async () => {
    await membership.stop()
    await documents.close()
    await store.close()
  }
  return { name, signer, peerKey: toHex(signer.publicKey), membership, book, documents, store, disk, clock, stop }
}
export type SceneNode = Awaited<ReturnType<typeof startNode>>

/** A tower that founded its network, with trusted time that stands at `startMs` and moves with its clock. */
export const startTower = async (
  expected: () => readonly ExpectedScope[],
  { more = {}, ...setUp }: Partial<NodeSetUp> = {},
): Promise<SceneNode & { readonly founded: Founded; readonly networkId: string }> => {
  const clock = setUp.clock ?? createManualClock()
  const tower = signerNamed('tower')
  const founded = foundNetwork({
    random: createSeededRandom(7),
    powers,
    tower,
    towerName: 'tower',
    trustedNowMs: startMs,
  })
  const node = await startNode({
    name: 'tower',
    role: 'tower',
    scope: '/',
    expected,
    clock,
    trustedNowMs: () => startMs + clock.monotonicMs(),
    ...setUp,
    more: {
      tenants: [{ tenant: founded.tenant.id, signer: powers.signatures.signer(founded.tenant.seed) }],
      beacon: powers.signatures.signer(founded.beaconSeed),
      ...more,
    },
  })
  await node.book.take(founded.records)
  await node.membership.start()
  return { ...node, founded, networkId: founded.networkId }
}

const asSent = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value

/** One call: what the parent answered, and how the child judged that. */
export const call = async (child: SceneNode, parent: SceneNode, change: Partial<JoinHello> = {}) => {
  const hello = { ...(await child.membership.hello(parent.peerKey)), ...change }
  const answer: JoinAnswer = asSent(await parent.membership.judge(asSent(hello), child.peerKey, '192.0.2.7'))
  return { hello, answer, accepted: await child.membership.accept(answer, parent.peerKey) }
}

/** What an answer came to, in one word. */
export const wordOf = (answer: JoinAnswer): string => (answer.kind === 'refused' ? answer.code : answer.kind)
