import test from 'ava'
import type { ConflictView } from './api/index.ts'
import { shop, shopEverywhere } from './shop.contract.ts'
import { asked, startTree, startTreeOf, type Tree, until } from './tree-scene.contract.ts'

const apply = async (tree: Tree, version: string, at = 'tower') => {
  await tree.apply('applications', shop(version), at)
  await tree.apply('application-deployments', shopEverywhere(version), at)
}
const running = (tree: Tree, host: string, version: string) =>
  until(`${host} to run ${version}`, async () => ((await tree.runningVersion(host)) === version ? true : undefined))
const startsAt = (tree: Tree, host: string) =>
  (tree.hosts.get(host)?.calls ?? []).filter((line) => line.startsWith('start ')).length
const conflictsAt = (tree: Tree, node: string) => tree.node(node).services.conflicts.list(asked)
const linked = (tree: Tree) =>
  until('north to be linked', async () =>
    (await tree.node('north-agg').services.state.node(asked)).parent?.link === 'up' ? true : undefined,
  )

/** North and the tower each changed the shop while they were apart, and are together again. */
const apart = async (tree: Tree): Promise<ConflictView> => {
  await tree.importImage('demo:1')
  await apply(tree, '1')
  for (const host of ['near-a', 'far-a']) await running(tree, host, '1')
  tree.sever('north-agg')
  await apply(tree, '2-north', 'north-agg')
  await running(tree, 'far-a', '2-north')
  await apply(tree, '2')
  await running(tree, 'near-a', '2')
  t0 = startsAt(tree, 'far-a')
  tree.mend('north-agg')
  await linked(tree)
  return until('a conflict in north', async () => {
    const [one] = await conflictsAt(tree, 'north-agg')
    return one?.candidates.every(({ version }) => version !== undefined) ? one : undefined
  })
}
let t0 = 0

test.serial(
  'both sides change one application while apart: a conflict, and every site keeps what it ran',
  async (t) => {
    const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
    const conflict = await apart(tree)
    t.is(conflict.application, 'shop')
    t.is(conflict.scope, '/north')
    t.deepEqual(
      conflict.candidates
        .map(({ voice, scope, by, version, sites, runs }) => ({ voice, scope, by, version, sites, runs }))
        .toSorted((a, b) => (a.voice < b.voice ? -1 : 1)),
      [
        { voice: 'intent', scope: '/', by: 'tower', version: '2', sites: [], runs: false },
        { voice: 'local', scope: '/north', by: 'north-agg', version: '2-north', sites: ['far'], runs: true },
      ],
    )
    const seenAbove = await until('the conflict at the tower', async () => {
      const [one] = await conflictsAt(tree, 'tower')
      return one?.candidates.length === 2 && one.candidates.some(({ sites }) => sites.length > 0) ? one : undefined
    })
    t.is(seenAbove.application, 'shop')
    t.deepEqual(seenAbove.candidates.map(({ version }) => version).toSorted(), ['2', '2-north'])
    t.deepEqual(seenAbove.candidates.flatMap(({ by }) => by ?? []).toSorted(), ['north-agg', 'tower'])
    const shop = await tree.node('tower').services.state.application('shop', asked)
    t.is(shop?.['oper-status'], 'conflict')
    t.is(await tree.runningVersion('far-a'), '2-north')
    t.is(startsAt(tree, 'far-a'), t0)
  },
)

test.serial('taking the word from above makes it run everywhere, and the zone follows what comes after', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  await apart(tree)
  const settled = await tree
    .node('tower')
    .services.conflicts.settle('shop', { ...asked, take: 'above', zone: '/north' })
  t.like(settled, { application: 'shop', scope: '/north', taken: { voice: 'intent', version: '2' } })
  await running(tree, 'far-a', '2')
  t.deepEqual(await conflictsAt(tree, 'north-agg'), [])
  await apply(tree, '3')
  for (const host of ['near-a', 'far-a']) await running(tree, host, '3')
  t.deepEqual(await conflictsAt(tree, 'north-agg'), [])
  await until('the tower to hear of it', async () =>
    (await conflictsAt(tree, 'tower')).length === 0 ? true : undefined,
  )
  const config = await tree.node('north-agg').services.config.read('application-deployments', 'everywhere', asked)
  t.is(config?.value['application-version'], '3')
})

test.serial('taking the own word restarts nothing, and north can go back by itself', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  await apart(tree)
  const [conflict] = await conflictsAt(tree, 'north-agg')
  const own = conflict?.candidates.find(({ voice }) => voice === 'local')?.id ?? ''
  await tree.node('north-agg').services.conflicts.settle('shop', { ...asked, take: own })
  t.deepEqual(await conflictsAt(tree, 'north-agg'), [])
  t.is(await tree.runningVersion('far-a'), '2-north')
  t.is(startsAt(tree, 'far-a'), t0)
  const told = await until('the tower to hear of it', async () => {
    const shop = await tree.node('tower').services.state.application('shop', asked)
    return shop?.['overridden-by'] ? shop : undefined
  })
  t.deepEqual(told['overridden-by'], ['/north'])
  t.is(told.conflicts, undefined)
  t.regex(
    (await tree.node('tower').services.state.explain('shop', { ...asked, site: 'far' })).note ?? '',
    /decided otherwise/,
  )
  tree.sever('north-agg')
  await tree.stop('tower')
  const back = await tree.node('north-agg').services.operations.rollback('everywhere', asked)
  t.like(back, { 'from-version': '2-north', 'to-version': '1' })
  await running(tree, 'far-a', '1')
})

test.serial(
  'what north decided while alone is there after a restart of its aggregator, and is not decided anew',
  async (t) => {
    const tree = await startTree(t, 'tower', 'north-agg', 'far-a')
    await tree.importImage('demo:1')
    await apply(tree, '1')
    await running(tree, 'far-a', '1')
    tree.sever('north-agg')
    await apply(tree, '2-north', 'north-agg')
    await running(tree, 'far-a', '2-north')
    await tree.stop('north-agg')
    tree.givesTokens = false
    tree.severed.delete('north-agg')
    await tree.start('north-agg')
    t.deepEqual(await conflictsAt(tree, 'north-agg'), [])
    const config = await tree.node('north-agg').services.config.read('application-deployments', 'everywhere', asked)
    t.is(config?.value['application-version'], '2-north')
    await tree
      .node('north-agg')
      .services.config.remove('application-deployments', 'everywhere', { ...asked, effect: 'apply' })
    await until('far-a empty', async () =>
      (await tree.hosts.get('far-a')?.connect().observe())?.containers.length === 0 ? true : undefined,
    )
  },
)

test.serial('a conflict that is not there, and a candidate that is none, are refused in words', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  const north = tree.node('north-agg').services.conflicts
  await t.throwsAsync(north.settle('shop', { ...asked, take: 'local' }), {
    code: 'not-found',
    message: /no application is in conflict/,
  })
  await apart(tree)
  await t.throwsAsync(north.settle('shop', { ...asked, take: 'ffff' }), { code: 'not-found', message: /take one of/ })
  await t.throwsAsync(tree.node('far-a').services.conflicts.settle('shop', { ...asked, take: 'local' }), {
    code: 'read-only-here',
  })
})

test.serial('a zone that keeps its own to itself says that it is in conflict, and not about what', async (t) => {
  const tree = await startTreeOf(t, 'privacy: true', 'tower', 'north-agg', 'near-a', 'far-a')
  await apart(tree)
  const above = await until('the conflict at the tower', async () => (await conflictsAt(tree, 'tower'))[0])
  t.like(above, { application: 'shop', scope: '/north', withheld: [{ zone: '/north', count: 1 }], 'can-settle': false })
  t.deepEqual(
    above.candidates.map(({ voice, version, sites }) => ({ voice, version, sites })),
    [{ voice: 'intent', version: '2', sites: [] }],
  )
  t.false(JSON.stringify(above).includes('2-north'))
  await t.throwsAsync(
    tree.node('tower').services.conflicts.settle('shop', { ...asked, take: 'above', zone: '/north' }),
    {
      message: /beyond here \/north answers/,
    },
  )
  t.is(await tree.runningVersion('far-a'), '2-north')
})

test.serial(
  'a zone that lets those above settle is settled by a decision that names what it may not read',
  async (t) => {
    const tree = await startTreeOf(t, 'privacy: true\n    settle: ancestor', 'tower', 'north-agg', 'near-a', 'far-a')
    await apart(tree)
    await until('the conflict at the tower', async () => (await conflictsAt(tree, 'tower'))[0])
    const taken = await tree
      .node('tower')
      .services.conflicts.settle('shop', { ...asked, take: 'above', zone: '/north' })
    t.like(taken, { application: 'shop', scope: '/north', taken: { voice: 'intent', version: '2' } })
    await running(tree, 'far-a', '2')
    t.deepEqual(await conflictsAt(tree, 'north-agg'), [])
    await until('the tower to hear of it', async () =>
      (await conflictsAt(tree, 'tower')).length === 0 ? true : undefined,
    )
  },
)

test.serial("an application of the zone's own reaches its sites, and nobody above is asked", async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  await tree.importImage('demo:1')
  await apply(tree, '1')
  await running(tree, 'far-a', '1')
  tree.sever('north-agg')
  const own = (text: string) => text.replaceAll('shop', 'bakery').replaceAll('everywhere', 'north-only')
  await tree.apply('applications', own(shop('7')), 'north-agg')
  await tree.apply('application-deployments', own(shopEverywhere('7')), 'north-agg')
  const baked = () => tree.node('far-a').services.state.serviceInstances('bakery', asked)
  await until('the bakery to run', async () => ((await baked())?.some(({ ready }) => ready) ? true : undefined))
  tree.mend('north-agg')
  await linked(tree)
  t.deepEqual(await conflictsAt(tree, 'tower'), [])
  t.is(await tree.runningVersion('far-a'), '1')
  t.is(await tree.runningVersion('near-a'), '1')
})

test.serial(
  'a zone that keeps its authors back exports what it wants under its own signature, and not who said so',
  async (t) => {
    const tree = await startTreeOf(t, 'policy: { changes-author: none }', 'tower', 'north-agg', 'near-a', 'far-a')
    await apart(tree)
    const above = await until('the conflict at the tower', async () => {
      const [one] = await conflictsAt(tree, 'tower')
      return one?.candidates.length === 2 && one.candidates.every(({ version }) => version !== undefined)
        ? one
        : undefined
    })
    const own = above.candidates.find(({ voice }) => voice === 'local')
    t.like(own, { scope: '/north', version: '2-north', deployment: 'everywhere', sites: ['far'], runs: true })
    t.is(own?.by, undefined)
    t.deepEqual(above.withheld, [])
  },
)

test.serial('a change that a full disk lets nobody sign is kept, and decided once there is room', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'far-a')
  await tree.importImage('demo:1')
  await apply(tree, '1')
  await running(tree, 'far-a', '1')
  await tree.apply('applications', shop('2-north'), 'north-agg')
  const disk = tree.disks.get('north-agg')
  if (disk) disk.faults.isFull = true
  await t.throwsAsync(tree.apply('application-deployments', shopEverywhere('2-north'), 'north-agg'), {
    code: 'disk-full',
    message: /the change is kept, and \/north decides it once this is over: .*the disk is full/,
  })
  if (disk) disk.faults.isFull = false
  await running(tree, 'far-a', '2-north')
})
