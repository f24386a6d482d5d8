import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createManualClock, parseName, SkerryError, silentLog } from '../../base/index.ts'
import {
  createBook,
  createDocuments,
  createMemoryDisk,
  createNodeSignatures,
  nodeHash,
  type Signer,
  type Store,
  seedBytes,
  toHex,
} from '../../crdt/index.ts'
import { createLevelStore } from '../../crdt/store/level/index.ts'
import { systemClock, systemRandom } from '../../node/powers/index.ts'
import {
  createMembership,
  type ExpectedScope,
  foundNetwork,
  type Membership,
  type MembershipOptions,
} from '../../node/services/membership/index.ts'
import { alone, type BenchOptions, type BenchRow, stated } from './bench-row.ts'
import { createStopwatch } from './process-cost.ts'

const hosts = 1_000
const barMsPerHost = 20

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const newSigner = (): Signer => powers.signatures.signer(systemRandom.bytes(seedBytes))

const nameOf = (at: number): string => `shop-${String(at + 1).padStart(4, '0')}`
const expected: readonly ExpectedScope[] = Array.from({ length: hosts }, (_, at) => ({
  kind: 'site',
  scope: `/${nameOf(at)}`,
  name: parseName(nameOf(at)),
  labels: { 'shop.example/size': 'small', 'system/type': 'edge', 'system/name': nameOf(at) },
  hosts: [{ name: `${nameOf(at)}-till`, hostId: undefined, labels: { 'system/name': `${nameOf(at)}-till` } }],
}))

type Given = Pick<MembershipOptions, 'self' | 'networkId'> & Partial<MembershipOptions>

/** One node's membership over an open store. @param records of the network, for who founded it */
const openMember = async (store: Store, given: Given, records: readonly Uint8Array[] = []) => {
  await store.open()
  const known = given.networkId === undefined ? {} : { networkId: given.networkId }
  const book = createBook({ store, powers, log: silentLog, ...known })
  await book.open()
  await book.take(records)
  const networkId = () => book.networkId() ?? ''
  const documents = createDocuments({ store, networkId, powers, random: systemRandom, log: silentLog })
  await documents.open()
  const membership = createMembership({
    expected: () => [],
    trustedNowMs: () => undefined,
    book,
    documents,
    store,
    clock: systemClock,
    random: systemRandom,
    powers,
    log: silentLog,
    ...given,
  })
  const close = async () => {
    await membership.stop()
    await documents.close()
    await store.close()
  }
  return { membership, documents, close }
}

interface Parent {
  readonly key: string
  readonly networkId: string
  readonly membership: Membership
}

/** One host calls, is judged by its parent, and judges the answer. Only what the parent does is measured. */
const enrolOne = async (host: ExpectedScope, parent: Parent, watch: ReturnType<typeof createStopwatch>) => {
  const [name, signer] = [host.hosts[0]?.name ?? '', newSigner()]
  const { token } = await watch.measure(() => parent.membership.token(name))
  const child = await openMember(createMemoryDisk().store(), {
    self: { name, role: 'edge', scope: host.scope, hostId: `serial-${name}`, signer },
    networkId: parent.networkId,
    tokens: () => [token],
    clock: createManualClock(),
  })
  await child.membership.start()
  const hello: unknown = JSON.parse(JSON.stringify(await child.membership.hello(parent.key)))
  const answer = await watch.measure(() => parent.membership.judge(hello, toHex(signer.publicKey), '192.0.2.7'))
  const accepted = await child.membership.accept(JSON.parse(JSON.stringify(answer)), parent.key)
  await child.close()
  if (!accepted.ok) throw new SkerryError('not-enrolled', `${name} was not enrolled: ${accepted.message}`)
}

const enrolAll = async (dir: string, signal: AbortSignal) => {
  const tower = newSigner()
  const trustedNowMs = () => systemClock.wallMs()
  const founded = foundNetwork({
    random: systemRandom,
    powers,
    tower,
    towerName: 'tower',
    trustedNowMs: trustedNowMs(),
  })
  const { networkId, tenant, beaconSeed, records } = founded
  const store = createLevelStore(join(dir, 'store'), { log: silentLog })
  const node = await openMember(
    store,
    {
      self: { name: 'tower', role: 'tower', scope: '/', hostId: 'serial-tower', signer: tower },
      networkId: undefined,
      expected: () => expected,
      tenants: [{ tenant: tenant.id, signer: powers.signatures.signer(tenant.seed) }],
      beacon: powers.signatures.signer(beaconSeed),
      trustedNowMs,
    },
    records,
  )
  try {
    const watch = createStopwatch()
    await watch.measure(() => node.membership.start())
    const parent = { key: toHex(tower.publicKey), networkId, membership: node.membership }
    for (const host of expected) {
      signal.throwIfAborted()
      await enrolOne(host, parent, watch)
    }
    const enrolled = node.membership.hosts().filter(({ state }) => state === 'enrolled').length
    if (enrolled !== hosts) throw new SkerryError('not-enrolled', `${enrolled} of ${hosts} hosts are enrolled`)
    const { cpuSeconds, wallSeconds } = watch.spent()
    return { cpuMs: (cpuSeconds * 1_000) / hosts, wallMs: (wallSeconds * 1_000) / hosts }
  } finally {
    await node.close()
  }
}

/**
 * Rows of a thousand hosts that enrol at one tower: its lanes of them, a token, the judgement of the call and a certificate
 * each, on disk before the answer. @param dir a folder of the benchmark's own
 */
export const enrolment = async (dir: string, { runs, say, signal }: BenchOptions): Promise<readonly BenchRow[]> => {
  const figures = { cpuMs: [] as number[], wallMs: [] as number[] }
  for (let round = 0; round < runs; round++) {
    const own = join(dir, String(round))
    mkdirSync(own, { recursive: true })
    const { cpuMs, wallMs } = await enrolAll(own, signal)
    figures.cpuMs.push(cpuMs)
    figures.wallMs.push(wallMs)
    say(`enrol ${round + 1}/${runs}: ${cpuMs.toFixed(1)} ms of processor each, ${wallMs.toFixed(1)} ms`)
  }
  return [
    alone('enrol-1000', 'ms of processor each', barMsPerHost, figures.cpuMs),
    stated('enrol-1000-wall', 'ms each', figures.wallMs),
  ]
}
