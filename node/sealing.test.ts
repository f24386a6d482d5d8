import test from 'ava'
import type { LogLine } from '../base/index.ts'
import { shop, shopEverywhere } from './shop.contract.ts'
import { asked, emptyTree, startTreeOf, until } from './tree-scene.contract.ts'

test('nodes seal the lanes they own as these grow; who follows them, was away or joins later runs the same', async (t) => {
  const tree = emptyTree(t)
  tree.sealLimits = { changes: 3, sizeBytes: 256 * 1024 }
  const sealed: string[] = []
  const refused: string[] = []
  tree.onLine = (node: string, line: LogLine) => {
    if (line.message === 'a lane was sealed') sealed.push(`${node} ${String(line.fields.lane).split('/')[0]}`)
    if (line.message.includes('could not be sealed')) refused.push(`${node} ${line.fields.reason}`)
  }
  for (const name of ['tower', 'north-agg', 'far-a']) await tree.start(name)
  await tree.importImage('demo:1')
  const runs = async (host: string, version: string) =>
    until(`${host} to run ${version}`, async () => ((await tree.runningVersion(host)) === version ? true : undefined))
  for (const version of ['1', '2', '3', '4', '5', '6', '7', '8']) {
    await tree.apply('applications', shop(version))
    await tree.apply('application-deployments', shopEverywhere(version))
    await runs('far-a', version)
  }
  const kinds = new Set(sealed)
  for (const kind of ['tower tenant', 'tower intent', 'north-agg intent'])
    t.true(kinds.has(kind), [...kinds].join(', '))

  // A host that was away meanwhile, and one that joins now.
  await tree.stop('far-a')
  for (const version of ['9', '10', '11', '12']) {
    await tree.apply('applications', shop(version))
    await tree.apply('application-deployments', shopEverywhere(version))
  }
  await tree.start('far-a')
  await runs('far-a', '12')
  await tree.start('near-a')
  await tree.importImage('demo:1')
  await runs('near-a', '12')

  // All of them come back from their disks.
  for (const name of ['near-a', 'far-a', 'north-agg', 'tower']) await tree.stop(name)
  for (const name of ['tower', 'north-agg', 'far-a', 'near-a']) await tree.start(name)
  await tree.apply('applications', shop('13'))
  await tree.apply('application-deployments', shopEverywhere('13'))
  await runs('near-a', '13')
  t.deepEqual(refused, [])
})

test('a key that joins a zone writes what was begun before it came: the lanes of the zone are sealed for it', async (t) => {
  const tree = await startTreeOf(t, 'privacy: true', 'tower')
  const sealed: string[] = []
  tree.onLine = (node, line) => {
    if (line.message === 'a lane was sealed')
      sealed.push(`${node} ${String(line.fields.lane).split('/')[0]} ${line.fields.why}`)
    if (line.message.includes('could not be sealed')) sealed.push(`${node} failed: ${line.fields.reason}`)
  }
  tree.topologyText = tree.topologyText.replace(
    'hosts: [{ name: north-agg }]',
    'hosts: [{ name: north-agg }, { name: north-two }]',
  )
  await tree.stop('tower')
  await tree.start('tower')
  tree.places = { ...tree.places, 'north-two': tree.places['north-agg']! }
  for (const name of ['north-agg', 'far-a', 'north-two']) await tree.start(name)
  const [one, two] = [tree.node('north-agg').services.authority, tree.node('north-two').services.authority]
  const waiting = await until('the first to hear of the second', async () => {
    const [found] = (await one.show(undefined, asked)).waiting
    return found?.host === 'north-two' ? found : undefined
  })
  await one.renew('/north', { ...asked, add: [waiting.fingerprint.slice(0, 16)], remove: [], threshold: 1 })
  await until('the second to hear of it', async () =>
    (await two.show(undefined, asked)).generation === 2 ? true : undefined,
  )
  await until('the lanes of the zone to be sealed', () =>
    ['zone', 'member'].every((kind) =>
      sealed.some((line) => line.startsWith('north-') && line.endsWith(`${kind} keys`)),
    )
      ? true
      : undefined,
  )
  t.deepEqual(
    sealed.filter((line) => line.includes('failed')),
    [],
  )
  // The zone goes on: its host is linked still, and what is changed in it is told.
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  await until('far-a to run it', async () => ((await tree.runningVersion('far-a')) === '1' ? true : undefined))
})
