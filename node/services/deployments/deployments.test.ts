import { createHash } from 'node:crypto'
import test from 'ava'
import { createManualClock } from '../../../base/index.ts'
import { createDeployments } from './deployments.ts'
import { createMemoryConfigStore } from './memory-config-store.ts'
import type { SitePlace } from './placement.ts'
import type { HostReport } from './report.ts'
import {
  sampleApplication,
  sampleApplicationStatus,
  sampleContainer,
  sampleDeployment,
  sampleDigest,
  sampleHostStatus,
  sampleInstance,
  samplePlace,
  sampleReport,
} from './sample-config.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

const world = (places: SitePlace[] = [samplePlace('n1'), samplePlace('n2', ['h1', 'h2'], { size: 'large' })]) => {
  const images = new Map([['demo/shop:1', { digest: sampleDigest(), archive: sampleDigest('b') }]])
  const state = { places }
  const store = createMemoryConfigStore()
  const deployments = createDeployments({
    store,
    places: () => state.places,
    images: { resolve: (name) => images.get(name), names: () => [...images.keys()] },
    hash,
    clock: createManualClock(1_000),
    tenant: 'main',
    salt: 'salt',
  })
  const application = (version?: string, env: Record<string, string> = {}) =>
    deployments.apply({
      kind: 'application',
      value: sampleApplication({ ...(version !== undefined && { version }) }, {}, { env }),
    })
  const deployment = (fields: Record<string, unknown> = {}) =>
    deployments.apply({ kind: 'deployment', value: sampleDeployment(fields) })
  const told = async (site: string) =>
    (await deployments.intentFor(site))?.applications.map(
      ({ application: name, version, phase }) => `${name} ${version} ${phase}`,
    )
  return { deployments, application, deployment, told, images, state, store }
}

test('sites are told what a deployment that matches them says, with images pinned', async (t) => {
  const { application, deployment, deployments, told } = world()
  await application('1')
  t.deepEqual(await told('n2'), [])
  await deployment({ placement: { 'match-site-labels': 'size = large' } })
  t.deepEqual(await told('n1'), [])
  t.deepEqual(await told('n2'), ['shop 1 run'])
  const intent = await deployments.intentFor('n2')
  const [first] = intent?.applications ?? []
  t.true(first?.phase === 'run' && first.images[0]?.digest === sampleDigest())
  t.deepEqual(
    intent?.place.hosts.map(({ name }) => name),
    ['h1', 'h2'],
  )
  t.deepEqual(JSON.parse(JSON.stringify(intent)), intent as never)
  t.is(await deployments.intentFor('nowhere'), undefined)
})

test('an application whose image is not held is refused, and nothing changes', async (t) => {
  const { deployments, store } = world()
  const spec = sampleApplication({}, {}, { image: 'demo/other:3' })
  const error = await t.throwsAsync(deployments.apply({ kind: 'application', value: spec }), { code: 'image-not-held' })
  t.regex(error?.message ?? '', /demo\/other:3.*skerry images import.*--image.*Held: demo\/shop:1/)
  t.deepEqual(await store.listApplications(), [])
})

test('an image named by digest must be that one', async (t) => {
  const { deployments } = world()
  const apply = (digest: string) =>
    deployments.apply({ kind: 'application', value: sampleApplication({}, {}, { image: `demo/shop:1@${digest}` }) })
  await t.throwsAsync(apply(sampleDigest('c')), { code: 'image-not-held' })
  t.is((await apply(sampleDigest())).outcome, 'created')
})

test('a new version goes out at once with *, and stays when the deployment names one', async (t) => {
  const { application, deployment, told } = world()
  await application('1')
  await deployment()
  await application('2', { COLOUR: 'red' })
  t.deepEqual(await told('n1'), ['shop 2 run'])
  await deployment({ 'application-version': '2' })
  await application('3')
  t.deepEqual(await told('n1'), ['shop 2 run'])
})

test('a rollback names the previous version as a new change, and there must be one', async (t) => {
  const { application, deployment, deployments, told, store } = world()
  await application('1')
  const { order } = await deployment()
  await t.throwsAsync(deployments.rollback('shop-all'), { code: 'no-previous-version' })
  await application('2')
  const back = await deployments.rollback('shop-all')
  t.like(back, { from: '2', to: '1', application: 'shop' })
  t.true(back.order > order)
  t.deepEqual(await told('n1'), ['shop 1 run'])
  t.is((await store.getDeployment('shop-all'))?.spec['application-version'], '1')
  t.like(await deployments.rollback('shop-all', '2'), { from: '1', to: '2' })
  await t.throwsAsync(deployments.rollback('shop-all', '7'), { code: 'version-unknown', message: /has 1, 2/ })
  await t.throwsAsync(deployments.rollback('nothing'), { code: 'not-found' })
})

test('an application without versions cannot be rolled back, and says what to do', async (t) => {
  const { application, deployment, deployments } = world()
  await application()
  await deployment()
  await application(undefined, { A: 'b' })
  await t.throwsAsync(deployments.rollback('shop-all'), { code: 'no-previous-version', message: /Set version in it/ })
})

test('applying an older version again is no rollback, and says so', async (t) => {
  const { application, deployment, told } = world()
  await application('1')
  await deployment()
  await application('2')
  const again = await application('1')
  t.is(again.outcome, 'unchanged')
  t.regex(again.notes.join(), /skerry rollback/)
  t.deepEqual(await told('n1'), ['shop 2 run'])
})

test('a version keeps the image it began with; without a version the new one is taken', async (t) => {
  const { application, images } = world()
  await application('1')
  images.set('demo/shop:1', { digest: sampleDigest('c'), archive: sampleDigest('d') })
  const again = await application('1')
  t.is(again.outcome, 'unchanged')
  t.regex(again.notes.join(), /give a new version/)
})

test('what is no longer wanted is retired until the site reports it gone', async (t) => {
  const { application, deployment, deployments, told } = world()
  await application('1')
  await deployment()
  await deployments.removeDeployment('shop-all')
  t.deepEqual(await told('n1'), ['shop 1 retired'])
  await deployments.removeApplication('shop')
  t.deepEqual(await told('n1'), ['shop 1 retired'])

  const order = (await deployments.intentFor('n1'))?.order ?? 0
  const report = (fields: Partial<HostReport>) =>
    deployments.noteReports(() => [sampleReport({ acceptedOrder: order, ...fields })])
  const retiring = sampleApplicationStatus({ phase: 'retired' })
  await report({})
  await report({ status: sampleHostStatus([retiring]) })
  await report({ status: sampleHostStatus([sampleApplicationStatus({ instances: [] })]) })
  await report({ status: sampleHostStatus([]), acceptedOrder: order - 1 })
  await report({ status: sampleHostStatus([]), link: 'down' })
  t.deepEqual(await told('n1'), ['shop 1 retired'])
  const gone = sampleInstance({ containers: [sampleContainer({ state: 'absent' })] })
  await report({ status: sampleHostStatus([{ ...retiring, instances: [gone] }]) })
  t.deepEqual(await told('n1'), [])
  t.deepEqual(await told('n2'), ['shop 1 retired'])
})

test('a site of two hosts is done when both are', async (t) => {
  const { application, deployment, deployments, told } = world()
  await application('1')
  await deployment()
  await deployments.removeDeployment('shop-all')
  const order = (await deployments.intentFor('n2'))?.order ?? 0
  const one = (host: string) => sampleReport({ site: 'n2', host, acceptedOrder: order, status: sampleHostStatus([]) })
  await deployments.noteReports(() => [one('h1')])
  t.deepEqual(await told('n2'), ['shop 1 retired'])
  await deployments.noteReports(() => [one('h1'), one('h2')])
  t.deepEqual(await told('n2'), [])
})

test('a placement that no longer matches retires, and one that matches again runs', async (t) => {
  const { application, deployment, deployments, told, state } = world()
  await application('1')
  await deployment({ placement: { 'match-site-labels': 'size = large' } })
  state.places = [samplePlace('n1', ['h1'], { size: 'large' }), samplePlace('n2', ['h1', 'h2'])]
  await deployments.settle()
  t.deepEqual(await told('n1'), ['shop 1 run'])
  t.deepEqual(await told('n2'), ['shop 1 retired'])
  await deployment({ placement: 'all-sites' })
  t.deepEqual(await told('n2'), ['shop 1 run'])
})

test('only sites whose orders changed are told', async (t) => {
  const { application, deployment, deployments } = world()
  const changes: (readonly string[])[] = []
  const stop = deployments.onChange((sites) => changes.push(sites))
  await application('1')
  await deployment({ placement: { 'match-site-labels': 'size = large' } })
  await deployment({ placement: { 'match-site-labels': 'size = large' } })
  await deployments.settle()
  await deployment({ placement: 'all-sites' })
  stop()
  await application('2')
  t.deepEqual(changes, [['n2'], ['n1']])
})

test('changes made at the same time are made one after the other', async (t) => {
  const { application, deployment, told, store } = world()
  await application('1')
  await deployment()
  const list = store.listApplications
  let slow = true
  // The first to read gets what it read late, after a second change could have been through.
  store.listApplications = async () => {
    const held = await list()
    if (slow) {
      slow = false
      for (let turn = 0; turn < 500; turn++) await Promise.resolve()
    }
    return held
  }
  const second = application('2')
  for (let turn = 0; turn < 100; turn++) await Promise.resolve()
  await Promise.all([second, application('3')])
  t.deepEqual(await told('n1'), ['shop 3 run'])
  t.deepEqual(await told('n2'), ['shop 3 run'])
})

test('where others write the intents, their orders say whether a site is done', async (t) => {
  const { application, deployment, deployments, told, store, state } = world()
  await application('1')
  await deployment()
  await deployments.removeDeployment('shop-all')
  const elsewhere = createDeployments({
    store,
    places: () => state.places,
    images: { resolve: () => undefined, names: () => [] },
    hash,
    clock: createManualClock(1_000),
    tenant: 'main',
    salt: 'salt',
    intentOrder: () => 4_294_967_301,
  })
  const report = (fields: Partial<HostReport>) =>
    elsewhere.noteReports(() => [sampleReport({ status: sampleHostStatus([]), ...fields })])
  await report({ acceptedOrder: 4_294_967_300 })
  await report({ acceptedOrder: 4_294_967_301, intendedOrder: 4_294_967_302 })
  t.deepEqual(await told('n1'), ['shop 1 retired'])
  await report({ acceptedOrder: 4_294_967_301 })
  t.deepEqual(await told('n1'), [])
})
