import test from 'ava'
import fc from 'fast-check'
import { createSeededRandom } from '../../../base/index.ts'
import {
  createNodeSignatures,
  type DeploymentVersion,
  defaultLanePolicy,
  deploymentVersionKind,
  effective,
  keysOf,
  nodeHash,
  type SignedRecord,
  signersOf,
  toHex,
} from '../../../crdt/index.ts'
import { sampleDeployment } from './sample-config.ts'
import { idOf, recordOf } from './sample-entries.ts'
import { describeVersionStep, planVersions, signVersions, viewOfDecisions } from './sign-versions.ts'
import type { TenantConfig } from './tenant-config.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const signer = powers.signatures.signer(new Uint8Array(32).fill(7))
const signing = {
  networkId: recordOf('network'),
  tenant: idOf('tenant'),
  signer,
  powers,
  random: createSeededRandom(1),
}

interface Wanted {
  readonly id?: string
  readonly application?: string
  readonly version?: string
  readonly size?: string
}
const names = ['shop', 'till']
const configOf = (wanted: readonly Wanted[], rest: Partial<TenantConfig> = {}): TenantConfig => ({
  applications: new Map(
    names.map((name) => {
      const revisions = ['1', '2'].map((version) => ({ version, revision: recordOf(name + version), changedAtMs: 0 }))
      return [idOf(name), { id: idOf(name), name, order: 1, revisions }]
    }),
  ),
  deployments: new Map(
    wanted.map(({ application = 'shop', id = `${application}-all`, version = '*', size }) => [
      idOf(id),
      {
        id: idOf(id),
        spec: sampleDeployment({
          name: id,
          application,
          'application-version': version,
          ...(size !== undefined && { placement: { 'match-site-labels': `size = ${size}` } }),
        }),
        order: 2,
        changedAtMs: 0,
        history: [],
      },
    ]),
  ),
  decisions: new Map(),
  removed: new Set(),
  order: 2,
  ...rest,
})

/** A tower that signs what is to be signed, and may stop between the records and the decisions. */
const createTower = () => {
  const book = new Map<string, SignedRecord<DeploymentVersion>>()
  let decisions: TenantConfig['decisions'] = new Map()
  const removed = new Set<string>()
  const settle = (wanted: readonly Wanted[], { crash = false } = {}) => {
    const config = configOf(wanted, { decisions, removed })
    for (const id of config.decisions.keys()) if (!config.deployments.has(id)) removed.add(id)
    const steps = planVersions(config, (id) => book.get(id)?.body)
    const made = signVersions(steps, config, signing)
    for (const record of made.records) book.set(record.id, record)
    if (!crash) decisions = new Map([...decisions, ...made.decisions.map((one) => [one.deployment, one] as const)])
    return steps.map(describeVersionStep)
  }
  const runs = () =>
    [...effective([viewOfDecisions({ decisions }, 'tenant', powers)], defaultLanePolicy)].map(([, found]) => {
      if (found.kind === 'conflict') return `conflict of ${found.candidates.length}`
      const { version } = found.entry
      const body = version === null ? undefined : book.get(version)?.body
      return body ? `${body.name} ${body.order} ${body.placement}` : 'retired'
    })
  return { book, settle, runs, decisions: () => decisions }
}

test('a new deployment is signed, with its name, placement and revision, by the one key', (t) => {
  const tower = createTower()
  tower.settle([{ size: 'large' }])
  const [record] = tower.book.values()
  t.like(record?.body, {
    network: signing.networkId,
    tenant: signing.tenant,
    application: idOf('shop'),
    deployment: idOf('shop-all'),
    name: 'shop-all',
    signer: signer.keyId,
    order: 1,
    revision: recordOf('shop2'),
    placement: 'size = large',
    secrets: [],
  })
  const keys = keysOf([toHex(signer.publicKey)], nodeHash)
  t.is(record && signersOf(deploymentVersionKind, record, keys, powers).size, 1)
  t.deepEqual(tower.runs(), ['shop-all 1 size = large'])
})

test('nothing changed is nothing to sign', (t) => {
  const tower = createTower()
  t.is(tower.settle([{}, { application: 'till' }]).length, 2)
  t.deepEqual(tower.settle([{}, { application: 'till' }]), [])
  t.is(tower.book.size, 2)
})

test('another revision or placement is a version with the next number; a rollback names the old revision', (t) => {
  const tower = createTower()
  for (const version of ['1', '2', '1']) tower.settle([{ version }])
  t.deepEqual(tower.runs(), ['shop-all 3 system/type = edge'])
  const revisions = [...tower.book.values()].map(({ body }) => body.revision)
  t.deepEqual(
    revisions,
    ['1', '2', '1'].map((version) => recordOf(`shop${version}`)),
  )
  tower.settle([{ version: '1', size: 'small' }])
  t.deepEqual(tower.runs(), ['shop-all 4 size = small'])
})

test('a removed deployment is retired once, and its number is kept', (t) => {
  const tower = createTower()
  tower.settle([{}])
  t.is(tower.settle([]).length, 1)
  t.deepEqual(tower.settle([]), [])
  t.deepEqual(tower.runs(), ['retired'])
  t.is(tower.decisions().get(idOf('shop-all'))?.order, 1)
})

test('a deployment that is not there but was not removed is not retired', (t) => {
  const tower = createTower()
  tower.settle([{}])
  t.deepEqual(
    planVersions(configOf([], { decisions: tower.decisions() }), () => undefined),
    [],
  )
})

test('a version that is not held changes nothing', (t) => {
  const tower = createTower()
  tower.settle([{ version: '1' }])
  t.deepEqual(tower.settle([{ version: '9' }]), [])
  t.deepEqual(tower.runs(), ['shop-all 1 system/type = edge'])
})

test('of two deployments that followed each other the later stands, also when both are decided at once', (t) => {
  const tower = createTower()
  tower.settle([{ id: 'old' }])
  t.is(tower.settle([{ id: 'new' }]).length, 2)
  t.deepEqual(tower.runs(), ['new 1 system/type = edge'])
  tower.settle([])
  t.deepEqual(tower.runs(), ['retired'])
  tower.settle([{ id: 'newer' }])
  t.deepEqual(tower.runs(), ['newer 1 system/type = edge'])
})

test('a crash between the record and the decision leaves no effect, and the same record is made again', (t) => {
  const tower = createTower()
  tower.settle([{}], { crash: true })
  t.deepEqual(tower.runs(), [])
  const [first] = tower.book.keys()
  tower.settle([{}])
  t.deepEqual([...tower.book.keys()], [first])
  t.deepEqual(tower.runs(), ['shop-all 1 system/type = edge'])
})

test('a version that counts no longer is signed anew, with a higher number', (t) => {
  const tower = createTower()
  tower.settle([{}])
  tower.book.clear()
  tower.settle([{}])
  t.deepEqual(tower.runs(), ['shop-all 2 system/type = edge'])
})

test('whatever changes and wherever it crashes, the last word stands and orders only rise', (t) => {
  const wanted: fc.Arbitrary<readonly Wanted[]> = fc
    .record({
      shop: fc.option(
        fc.record({
          id: fc.constantFrom('a', 'b'),
          version: fc.constantFrom('*', '1'),
          size: fc.constantFrom('s', 'l'),
        }),
        { nil: undefined },
      ),
      till: fc.option(
        fc.record({ id: fc.constant('c'), application: fc.constant('till'), version: fc.constantFrom('1', '2') }),
        { nil: undefined },
      ),
    })
    .map(({ shop, till }) => [shop, till].flatMap((one, at) => (one ? [{ ...one, id: `${one.id}-${at}` }] : [])))
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(wanted, fc.boolean()), { minLength: 1, maxLength: 8 }), (history) => {
        const tower = createTower()
        // A deployment that was removed comes back under another id, as the store gives it.
        let last: readonly Wanted[] = []
        let life = 0
        for (const [next, crash] of history) {
          if (last.some(({ id }) => !next.some((one) => one.id === id))) life += 1
          last = next
          const live = next.map((one) => ({ ...one, id: `${one.id}-${life}` }))
          const before = tower.decisions()
          tower.settle(live, { crash })
          tower.settle(live)
          if (tower.settle(live).length > 0) return false
          if ([...before.values()].some((one) => (tower.decisions().get(one.deployment)?.order ?? 0) < one.order))
            return false
          const running = tower.runs().filter((line) => line !== 'retired')
          if (running.length !== live.length || running.some((line) => line.startsWith('conflict'))) return false
        }
        return true
      }),
    ),
  )
})

test('an application whose deployment was removed and made anew three hundred times is still deployed', (t) => {
  const tower = createTower()
  for (let at = 0; at < 300; at++) {
    tower.settle([{ id: `shop-${at}` }])
    tower.settle([])
  }
  t.deepEqual(tower.runs(), ['retired'])
  tower.settle([{ id: 'shop-again' }])
  t.deepEqual(tower.runs(), ['shop-again 1 system/type = edge'])
})
