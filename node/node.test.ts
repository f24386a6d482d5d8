import test from 'ava'
import type { SimulatedHost } from '../runtime/index.ts'
import type { ApplicationStateView } from './api/index.ts'
import type { SkerryNode } from './node.ts'
import { shop, shopEverywhere } from './shop.contract.ts'
import { asked, startTree, until } from './tree-scene.contract.ts'

const viewOf = async (node: SkerryNode): Promise<ApplicationStateView | undefined> =>
  node.services.state.application('shop', asked)

const readySites = async (node: SkerryNode, version: string): Promise<string[]> =>
  ((await viewOf(node))?.sites ?? [])
    .filter((site) => site.version === version && site.wanted.count > 0 && site.ready.count === site.wanted.count)
    .map(({ site }) => site)
    .toSorted()

const started = (host: SimulatedHost | undefined): readonly string[] =>
  (host?.calls ?? []).filter((line) => line.startsWith('start '))

test('an application reaches every site through the tree, and reports come back up', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a', 'far-b')
  await tree.importImage('demo:1')
  t.is((await tree.apply('applications', shop('1'))).outcome, 'created')
  t.is((await tree.apply('application-deployments', shopEverywhere('1'))).outcome, 'created')
  const tower = tree.node('tower')
  await until('both sites ready', async () => ((await readySites(tower, '1')).length === 2 ? true : undefined))
  const instances = await tower.services.state.serviceInstances('shop', { ...asked, site: 'far' })
  t.deepEqual(instances?.map(({ host }) => host).toSorted(), ['far-a', 'far-b'])
  t.deepEqual(await readySites(tree.node('north-agg'), '1'), ['far'])
  t.true((await tower.services.state.explain('shop', { ...asked, site: 'far' })).ok)
})

test('a label decides the site, and a removed deployment retires its containers', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1', 'match-site-labels: tier = gold'))
  await until('far-a running', () => (started(tree.hosts.get('far-a')).length === 1 ? true : undefined))
  t.deepEqual(started(tree.hosts.get('near-a')), [])
  await tree
    .node('tower')
    .services.config.remove('application-deployments', 'everywhere', { ...asked, effect: 'apply' })
  await until('far-a empty', async () => {
    const seen = await tree.hosts.get('far-a')?.connect().observe()
    return seen?.containers.length === 0 ? true : undefined
  })
  t.pass()
})

test('a site goes on without its parents, and starts what it accepted from its own disk', async (t) => {
  const tree = await startTree(t, 'tower', 'near-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  await until('near ready', async () =>
    (await readySites(tree.node('tower'), '1')).includes('near') ? true : undefined,
  )
  await tree.stop('tower')
  await tree.stop('near-a')
  tree.hosts.get('near-a')?.powerCut()
  const edge = await tree.start('near-a')
  await until('near ready again', async () => ((await readySites(edge, '1')).includes('near') ? true : undefined))
  t.is(started(tree.hosts.get('near-a')).length, 2)
  const told = await edge.services.state.explain('shop', { ...asked, site: 'near' })
  t.true(told.ok)
  await t.throwsAsync(edge.services.config.remove('applications', 'shop', { ...asked, effect: 'apply' }), {
    code: 'read-only-here',
  })
})

test('a restarted node and a restarted tower touch no container, and nothing acknowledged is lost', async (t) => {
  const tree = await startTree(t, 'tower', 'near-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  await until('near ready', async () =>
    (await readySites(tree.node('tower'), '1')).includes('near') ? true : undefined,
  )
  await tree.stop('near-a')
  await tree.stop('tower')
  const tower = await tree.start('tower')
  t.deepEqual(
    (await tower.services.config.list('applications', asked)).map(({ name }) => name),
    ['shop'],
  )
  await tree.start('near-a')
  await until('near ready again', async () => ((await readySites(tower, '1')).includes('near') ? true : undefined))
  t.is(started(tree.hosts.get('near-a')).length, 1)
})

test('a site whose link is down is unknown with its age, never shown as running', async (t) => {
  const tree = await startTree(t, 'tower', 'near-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  const tower = tree.node('tower')
  await until('near ready', async () => ((await readySites(tower, '1')).includes('near') ? true : undefined))
  await tree.stop('near-a')
  const site = await until('near unknown', async () =>
    (await viewOf(tower))?.sites.find((one) => one.unknown.count === 1),
  )
  t.is(site.running.count, 0)
  t.is(site.ready.count, 0)
  t.not(site.unknown['age-ms'], undefined)
  const told = await tower.services.state.explain('shop', { ...asked, site: 'near' })
  t.is(told['stopped-at'], 'link')
  t.is(told.unknown?.['last-known'], 'ready')
  t.false(told.links.some(({ text }) => text === 'not reached'))
  const hosts = await tower.services.state.hosts(asked)
  t.deepEqual(
    hosts.map(({ name, 'oper-status': status }) => `${name} ${status}`),
    ['near-a unknown', 'far-a unknown', 'far-b unknown'],
  )
  t.regex(hosts[0]?.note ?? '', /^link down for \d+s$/)
  t.is(hosts[1]?.note, 'never heard of')
})

test('a node below says of its parent whether it is linked, in its tree and beside what it explains', async (t) => {
  const tree = await startTree(t, 'tower', 'near-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  const { state } = tree.node('near-a').services
  await until('near ready', async () => ((await readySites(tree.node('near-a'), '1')).length > 0 ? true : undefined))
  t.regex((await state.tree(asked)).note ?? '', /^parent tower: link up for \d+s$/)
  t.is((await state.explain('shop', asked)).note, undefined)
  await tree.stop('tower')
  await until('the link down', async () => ((await state.node(asked)).parent?.link === 'down' ? true : undefined))
  t.regex((await state.tree(asked)).note ?? '', /^parent tower: link down for \d+s$/)
  const told = await state.explain('shop', asked)
  t.true(told.ok)
  t.is(told.site, 'near')
  t.regex(told.note ?? '', /^parent tower: link down for \d+s; what it wants may be newer$/)
})

test('explain needs a site only where several are concerned', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  const { state } = tree.node('tower').services
  await tree.apply('application-deployments', shopEverywhere('1', 'match-site-labels: tier = gold'))
  t.is((await state.explain('shop', asked)).site, 'far')
  await tree.apply('application-deployments', shopEverywhere('1'))
  await t.throwsAsync(state.explain('shop', asked), {
    code: 'ambiguous',
    message: 'shop concerns 2 sites: name one of far, near with --site',
  })
  await t.throwsAsync(state.explain('shpo', asked), { code: 'not-found', message: /did you mean shop\?/ })
  await t.throwsAsync(state.applications({ ...asked, site: 'nope' }), {
    code: 'not-found',
    message: 'there is no site nope below tower; there is far, near',
  })
})

test('an intent that found the disk full is taken once there is room, without the parent saying it again', async (t) => {
  const tree = await startTree(t, 'tower')
  tree.diskFull = true
  await tree.start('near-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  await until('a refused write', () => (tree.refusedWrites > 0 ? true : undefined))
  t.deepEqual(started(tree.hosts.get('near-a')), [])
  tree.diskFull = false
  await until('near-a running', () => (started(tree.hosts.get('near-a')).length === 1 ? true : undefined))
})

test('a rollback names the version before and is refused where there is none', async (t) => {
  const tree = await startTree(t, 'tower', 'near-a')
  const tower = tree.node('tower')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  await t.throwsAsync(tower.services.operations.rollback('everywhere', asked), { code: 'no-previous-version' })
  await tree.apply('applications', shop('2'))
  await tree.apply('application-deployments', shopEverywhere('2'))
  await until('version 2', async () => ((await readySites(tower, '2')).includes('near') ? true : undefined))
  const back = await tower.services.operations.rollback('everywhere', asked)
  t.deepEqual(back, { deployment: 'everywhere', 'from-version': '2', 'to-version': '1' })
  await until('version 1', async () => ((await readySites(tower, '1')).includes('near') ? true : undefined))
})

test('logs and exec are forwarded down the tree to the host that acts', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'far-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1').replace('env:', 'cmd: ["say hello from far"]\n        env:'))
  await tree.apply('application-deployments', shopEverywhere('1', 'match-site-labels: tier = gold'))
  const { operations } = tree.node('tower').services
  await until('far running', async () => {
    const all = await tree.node('tower').services.state.serviceInstances('shop', asked)
    return all?.some(({ ready }) => ready) ? true : undefined
  })
  const bytes = await operations.logs('shop.web-1', { ...asked, tailBytes: 1000, follow: false })
  let text = ''
  for await (const chunk of bytes) text += Buffer.from(chunk).toString()
  t.is(text, 'hello from far\n')
  await t.throwsAsync(operations.logs('shop.web-9', { ...asked, tailBytes: 10, follow: false }), { code: 'not-found' })
  t.is((await tree.node('tower').services.state.node({ ...asked, site: 'far' })).name, 'far-a')
})
