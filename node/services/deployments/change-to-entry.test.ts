import test from 'ava'
import { createManualClock, createSeededRandom, parseScopePath, silentLog } from '../../../base/index.ts'
import {
  createDocuments,
  createMemoryDisk,
  createNodeSignatures,
  type DeploymentVersion,
  defaultLanePolicy,
  effective,
  formatLaneName,
  keysOf,
  type LaneName,
  type LaneView,
  type MemoryDisk,
  nodeHash,
  type Owner,
  toHex,
} from '../../../crdt/index.ts'
import { configIds } from './config-ids.ts'
import { contractSalt } from './config-store.contract.ts'
import { createDeployments } from './deployments.ts'
import { createLaneConfigStore } from './lane-config-store.ts'
import { type Child, planChildren } from './plan-children.ts'
import { sampleApplication, sampleDeployment, sampleDigest, samplePlace } from './sample-config.ts'
import { idOf, recordOf, sampleHash } from './sample-entries.ts'
import { planVersions, signVersions, viewOfDecisions } from './sign-versions.ts'
import { intentOrderOf, siteIntentOf } from './site-intent.ts'
import { readSpecification } from './specification-blob.ts'
import { pickConfigValues } from './tenant-config.ts'
import { writeEntries } from './write-entries.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const signer = powers.signatures.signer(new Uint8Array(32).fill(3))
const networkId = recordOf('network')
const tenant = idOf('tenant')
const owner = (id: string, role: Owner['role']): Owner => ({
  id,
  role,
  scope: '/',
  succession: 'granted',
  generation: 1,
  list: recordOf(`list of ${id}`),
  isCountersigned: true,
  keys: keysOf([toHex(signer.publicKey)], nodeHash),
  threshold: 1,
})
const configLane: LaneName = { kind: 'tenant', tenant, section: 'config' }
const children: readonly Child[] = [
  { scope: '/north', kind: 'zone', labels: {} },
  { scope: '/n1', kind: 'site', labels: { 'system/type': 'edge', size: 'small' } },
]
const intentLane = (scope: string): LaneName => ({
  kind: 'intent',
  scope: parseScopePath(scope),
  tenant,
  owner: parseScopePath('/'),
})

/** A tower on a disk that survives it: real lanes, everything else in maps. */
const towerOn = async (
  disk: MemoryDisk,
  blobs: Map<string, Uint8Array>,
  book: Map<string, DeploymentVersion>,
  seed: number,
) => {
  const random = createSeededRandom(seed)
  const store = disk.store()
  await store.open()
  const documents = createDocuments({
    store,
    networkId: () => networkId,
    powers,
    random: random.fork('lanes'),
    log: silentLog,
  })
  await documents.open()
  const config = await documents.create(configLane, owner(tenant, 'tenant'), signer)
  const lanes = new Map<string, string>()
  for (const { scope } of children)
    lanes.set(scope, await documents.create(intentLane(scope), owner(idOf('/'), 'zone'), signer))
  const held = createLaneConfigStore({
    lane: {
      load: async () => pickConfigValues(await documents.standing(config)),
      save: async (edits) => {
        const [result] = await documents.write([{ documentId: config, edit: () => edits }], signer)
        if (result?.ok !== true) throw new Error(result?.refusal.message)
      },
    },
    blobs: {
      put: async (bytes) => {
        const digest = sampleHash(Buffer.from(bytes).toString())
        blobs.set(digest, bytes)
        return digest
      },
      get: async (revision) => blobs.get(revision),
    },
    told: { load: () => undefined, save: () => undefined },
    newId: configIds(signer, sampleHash),
    hash: sampleHash,
    salt: contractSalt,
  })
  await held.open()
  const deployments = createDeployments({
    store: held,
    places: () => [samplePlace('n1')],
    images: { resolve: () => ({ digest: sampleDigest(), archive: sampleDigest('b') }), names: () => [] },
    hash: sampleHash,
    clock: createManualClock(1_000),
    tenant: 'default',
    salt: contractSalt,
  })
  const signing = { networkId, tenant, signer, powers, random: random.fork('decisions') }

  /** From the configuration to the lanes of the children; answers how much was signed and written. */
  const settle = async () => {
    const steps = planVersions(held.config(), (id) => book.get(id))
    const signed = signVersions(steps, held.config(), signing)
    for (const { id, body } of signed.records) book.set(id, body)
    await held.putDecisions(signed.decisions)
    const view = viewOfDecisions(held.config(), formatLaneName(configLane), powers)
    const told = new Map<string, LaneView['entries']>()
    for (const [scope, id] of lanes) told.set(scope, (await documents.view(id))?.entries ?? new Map())
    const { writes } = planChildren({
      effective: effective([view], defaultLanePolicy),
      versions: (id) => book.get(id),
      children,
      told,
      hash: sampleHash,
    })
    for (const [scope, own] of Map.groupBy(writes, ({ child }) => child)) {
      const edit = (draft: Parameters<typeof writeEntries>[0]) => writeEntries(draft, own, 1)
      const [result] = await documents.write([{ documentId: lanes.get(scope) ?? '', edit }], signer)
      if (result?.ok !== true) throw new Error(result?.refusal.message)
    }
    return steps.length + writes.length
  }

  /** What the site makes of its lane. */
  const site = async (last?: Parameters<typeof siteIntentOf>[0]['last']) => {
    const id = lanes.get('/n1') ?? ''
    const found = effective([(await documents.view(id)) as LaneView], defaultLanePolicy)
    const { intent } = siteIntentOf({
      place: samplePlace('n1'),
      entries: new Map([...found].flatMap(([app, one]) => (one.kind === 'entry' ? [[app, one.entry] as const] : []))),
      versions: (version) => book.get(version),
      specifications: (revision) => {
        const read = readSpecification(blobs.get(revision) ?? new Uint8Array(), revision, sampleHash)
        return read.ok ? read : undefined
      },
      tenant: 'default',
      order: intentOrderOf(documents.summaryOf(id)?.fence ?? { generation: 1, n: 0 }),
      last,
    })
    return intent
  }
  const stop = async () => {
    await documents.close()
    await store.close()
  }
  return { deployments, settle, site, stop }
}

const lines = ({ applications }: Awaited<ReturnType<Awaited<ReturnType<typeof towerOn>>['site']>>) =>
  applications.map(({ application, version, phase }) => `${application} ${version} ${phase}`)

test('a change becomes a signed version, a decision, and an entry for each child, and a site reads it back', async (t) => {
  const [disk, blobs, book] = [createMemoryDisk(), new Map<string, Uint8Array>(), new Map<string, DeploymentVersion>()]
  const tower = await towerOn(disk, blobs, book, 1)
  const apply = (version: string, env = {}) =>
    tower.deployments.apply({ kind: 'application', value: sampleApplication({ version }, {}, { env }) })
  const deploy = (fields = {}) => tower.deployments.apply({ kind: 'deployment', value: sampleDeployment(fields) })
  await apply('1')
  t.is(await tower.settle(), 0)
  await deploy()
  t.is(await tower.settle(), 3)
  t.is(await tower.settle(), 0)
  const first = await tower.site()
  t.deepEqual(lines(first), ['shop 1 run'])

  await apply('2', { COLOUR: 'red' })
  await tower.settle()
  const second = await tower.site(first)
  t.deepEqual(lines(second), ['shop 2 run'])
  t.true(second.order > first.order)

  await tower.deployments.rollback('shop-all')
  await tower.settle()
  const third = await tower.site(second)
  t.deepEqual(lines(third), ['shop 1 run'])
  t.is(third.applications[0]?.origin?.order, 3)
  t.is(third.applications[0]?.revision, first.applications[0]?.revision)
  await tower.stop()

  const again = await towerOn(disk, blobs, book, 2)
  t.is(await again.settle(), 0, 'a restart signs nothing and tells nothing')
  await again.deployments.apply({
    kind: 'deployment',
    value: sampleDeployment({ 'application-version': '1', placement: { 'match-site-labels': 'size = large' } }),
  })
  t.is(await again.settle(), 3)
  t.deepEqual(lines(await again.site(third)), ['shop 1 retired'])
  await again.deployments.removeDeployment('shop-all')
  t.is(await again.settle(), 2, 'the zone hears it; the site stopped already')
  t.is(await again.settle(), 0)
  await again.stop()
})
