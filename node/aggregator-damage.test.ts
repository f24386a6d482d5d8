import test from 'ava'
import { createSeededRandom } from '../base/index.ts'
import { shop, shopEverywhere } from './shop.contract.ts'
import { startTree, type Tree, until } from './tree-scene.contract.ts'

const apply = async (tree: Tree, version: string, at?: string) => {
  await tree.apply('applications', shop(version), at)
  await tree.apply('application-deployments', shopEverywhere(version), at)
}
const running = (tree: Tree, version: string) =>
  until(`far-a to run ${version}`, async () => ((await tree.runningVersion('far-a')) === version ? true : undefined))

/** Damages every value of an aggregator's store but what it makes anew and the second copies. */
const spoil = async (tree: Tree): Promise<readonly string[]> => {
  const disk = tree.disks.get('north-agg')
  const store = disk?.store()
  await store?.open()
  const keys: string[] = []
  for await (const { key } of store?.scan({ prefix: '' }) ?? [])
    if (!/^(copy|told|specification)\/|^d\/[0-9a-f]{32}\/s$/.test(key)) keys.push(key)
  await store?.close()
  for (const key of keys) disk?.damage(key, createSeededRandom(1))
  return keys
}

test.serial(
  'what an aggregator signed for a site that is away is there again after its disk spoiled the only place it was at',
  async (t) => {
    const tree = await startTree(t, 'tower', 'north-agg', 'far-a')
    await tree.importImage('demo:1')
    await apply(tree, '1')
    await running(tree, '1')
    await tree.stop('far-a')
    let told = 0
    tree.onLine = (name, { message }) => {
      if (name === 'north-agg' && /^run .* at \/north\/far /.test(message)) told += 1
    }
    await apply(tree, '2')
    await until('the aggregator to sign for the site', async () => told || undefined)
    await tree.stop('north-agg')
    const spoiled = await spoil(tree)
    t.true(spoiled.some((key) => key.startsWith('d/')) && spoiled.some((key) => key.startsWith('r/')))
    await tree.start('north-agg')
    await tree.start('far-a')
    await running(tree, '2')
  },
)
