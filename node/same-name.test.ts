import test from 'ava'
import type { ConflictView } from './api/index.ts'
import { shop, shopEverywhere } from './shop.contract.ts'
import { asked, startTree, startTreeOf, type Tree, until } from './tree-scene.contract.ts'

const apply = async (tree: Tree, version: string, at: string, deployment = 'everywhere') => {
  await tree.apply('applications', shop(version), at)
  await tree.apply('application-deployments', shopEverywhere(version).replace('everywhere', deployment), at)
}
const startsAt = (tree: Tree, host: string) =>
  (tree.hosts.get(host)?.calls ?? []).filter((line) => line.startsWith('start ')).length
const conflictsAt = (tree: Tree, node: string) => tree.node(node).services.conflicts.list(asked)
const noneAt = (tree: Tree, node: string) =>
  until(`no conflict at ${node}`, async () => ((await conflictsAt(tree, node)).length === 0 ? true : undefined))
const containersAt = async (tree: Tree, host: string) =>
  (await tree.hosts.get(host)?.connect().observe())?.containers.length

/** North made a shop while it was apart, and the tower made one of that name: they are together again. */
const apart = async (tree: Tree, deployments: readonly [string, string] = ['everywhere', 'everywhere']) => {
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('0').replaceAll('shop', 'bakery'))
  await tree.apply('application-deployments', shopEverywhere('0').replace('shop', 'bakery').replace('where', 'baked'))
  await until('the image to be in north', async () => ((await containersAt(tree, 'far-a')) === 1 ? true : undefined))
  tree.sever('north-agg')
  await apply(tree, '1-north', 'north-agg', deployments[0])
  await until('far-a to run both', async () => ((await containersAt(tree, 'far-a')) === 2 ? true : undefined))
  await apply(tree, '1', 'tower', deployments[1])
  await until('near-a to run both', async () => ((await containersAt(tree, 'near-a')) === 2 ? true : undefined))
  tree.mend('north-agg')
  return until('a conflict in north', async () => {
    const [one] = await conflictsAt(tree, 'north-agg')
    return one?.candidates.every(({ version }) => version !== undefined) ? one : undefined
  })
}
const shown = ({ candidates }: ConflictView) =>
  candidates
    .map(({ voice, scope, by, version, sites, runs }) => ({ voice, scope, by, version, sites, runs }))
    .toSorted((a, b) => (a.voice < b.voice ? -1 : 1))
const versionAt = async (tree: Tree, host: string) =>
  (await tree.node(host).services.state.serviceInstances('shop', asked))?.map(
    ({ 'application-version': version }) => version,
  )

test.serial('two applications of one name, made apart, are a conflict that names both', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  const conflict = await apart(tree)
  t.like(conflict, { application: 'shop', scope: '/north', 'can-settle': true })
  t.is(new Set(conflict.candidates.map((one) => one['application-id'])).size, 2)
  const both = [
    { voice: 'intent', scope: '/', by: 'tower', version: '1', sites: [], runs: false },
    { voice: 'local', scope: '/north', by: 'north-agg', version: '1-north', sites: ['far'], runs: true },
  ] as const
  t.deepEqual(shown(conflict), [...both])
  t.is((await conflictsAt(tree, 'north-agg')).length, 1)
  const above = await until('the conflict at the tower', async () => {
    const all = await conflictsAt(tree, 'tower')
    return all.length === 1 && all[0]?.candidates.length === 2 && all[0].candidates[1]?.sites.length
      ? all[0]
      : undefined
  })
  t.deepEqual(shown(above), [...both])
  for (const node of ['tower', 'north-agg'])
    t.regex(
      (await tree.node(node).services.state.explain('shop', { ...asked, site: 'far' })).note ?? '',
      /shop is in conflict in \/north, sites keep what they have: 2 applications were given this name/,
    )
  t.deepEqual(await versionAt(tree, 'far-a'), ['1-north'])
})

test.serial('taking the word from above retires the own one, and its containers', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  await apart(tree)
  await tree.node('tower').services.conflicts.settle('shop', { ...asked, take: 'above', zone: '/north' })
  t.deepEqual(await conflictsAt(tree, 'north-agg'), [])
  await until('far-a to run the one of the tower alone', async () =>
    (await containersAt(tree, 'far-a')) === 2 && (await versionAt(tree, 'far-a'))?.join() === '1' ? true : undefined,
  )
  await noneAt(tree, 'tower')
  await apply(tree, '2', 'tower')
  await until('far-a to follow', async () => ((await versionAt(tree, 'far-a'))?.join() === '2' ? true : undefined))
  t.deepEqual(await conflictsAt(tree, 'north-agg'), [])
  const listed = await tree.node('north-agg').services.config.list('applications', asked)
  t.deepEqual(listed.map(({ name }) => name).toSorted(), ['bakery', 'shop'])
})

test.serial('taking the own word restarts nothing, and is told above; a new word from there asks again', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  await apart(tree)
  const starts = startsAt(tree, 'far-a')
  await tree.node('north-agg').services.conflicts.settle('shop', { ...asked, take: 'local' })
  t.deepEqual(await conflictsAt(tree, 'north-agg'), [])
  await noneAt(tree, 'tower')
  const told = await until('the tower to hear of it', async () => {
    const one = await tree.node('tower').services.state.application('shop', asked)
    return one?.['overridden-by'] ? one : undefined
  })
  t.deepEqual(told['overridden-by'], ['/north'])
  t.deepEqual(await versionAt(tree, 'far-a'), ['1-north'])
  await apply(tree, '2-north', 'north-agg')
  await until('far-a to run 2-north', async () =>
    (await versionAt(tree, 'far-a'))?.join() === '2-north' ? true : undefined,
  )
  t.deepEqual(await conflictsAt(tree, 'north-agg'), [])
  t.is(startsAt(tree, 'far-a'), starts + 1)
  await apply(tree, '2', 'tower')
  await until('a conflict anew', async () => (await conflictsAt(tree, 'north-agg'))[0])
  await tree.node('north-agg').services.conflicts.settle('shop', { ...asked, take: 'above' })
  await until('far-a to follow', async () => ((await versionAt(tree, 'far-a'))?.join() === '2' ? true : undefined))
  t.is(await containersAt(tree, 'far-a'), 2)
})

test.serial('deployments of other names are settled the same, and are there after a restart', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'near-a', 'far-a')
  await apart(tree, ['north-only', 'everywhere'])
  await tree.stop('north-agg')
  tree.givesTokens = false
  await tree.start('north-agg')
  t.is((await conflictsAt(tree, 'north-agg')).length, 1)
  await tree.node('north-agg').services.conflicts.settle('shop', { ...asked, take: 'above' })
  await until('far-a to follow', async () => ((await versionAt(tree, 'far-a'))?.join() === '1' ? true : undefined))
  const listed = await tree.node('north-agg').services.config.list('application-deployments', asked)
  t.deepEqual(listed.map(({ name }) => name).toSorted(), ['everybaked', 'everywhere'])
})

test.serial('where those above may settle, their new decision stops what they may not read', async (t) => {
  const tree = await startTreeOf(t, 'privacy: true\n    settle: ancestor', 'tower', 'north-agg', 'near-a', 'far-a')
  await apart(tree)
  const above = await until('the conflict at the tower', async () => (await conflictsAt(tree, 'tower'))[0])
  t.like(above, { application: 'shop', scope: '/north', withheld: [{ zone: '/north', count: 1 }] })
  await tree.node('tower').services.conflicts.settle('shop', { ...asked, take: 'above', zone: '/north' })
  await until('far-a to follow', async () => ((await versionAt(tree, 'far-a'))?.join() === '1' ? true : undefined))
  t.is(await containersAt(tree, 'far-a'), 2)
  await noneAt(tree, 'north-agg')
  await noneAt(tree, 'tower')
})
