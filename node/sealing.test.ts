import test from 'ava'
import type { LogLine } from '../base/index.ts'
import { shop, shopEverywhere } from './shop.contract.ts'
import { emptyTree, until } from './tree-scene.contract.ts'

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
