import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { createSeededRandom } from '../base/index.ts'
import { shop, shopEverywhere } from './shop.contract.ts'
import { asked, startTree, type Tree, until } from './tree-scene.contract.ts'

const apply = async (tree: Tree, version: string) => {
  await tree.apply('applications', shop(version))
  await tree.apply('application-deployments', shopEverywhere(version))
}
const running = (tree: Tree, version: string) =>
  until(`near-a to run ${version}`, async () => ((await tree.runningVersion('near-a')) === version ? true : undefined))
const notesOf = async (tree: Tree) => (await tree.node('tower').services.state.node(asked)).notes.join('\n')

/** The tower with the shop out, its process ended. */
const scene = async (...started: Parameters<typeof startTree>) => {
  const tree = await startTree(...started)
  await tree.importImage('demo:1')
  await apply(tree, '1')
  await running(tree, '1')
  await tree.stop('tower')
  tree.givesTokens = false
  return tree
}
/** Keys in the store of the tower, by how they begin; copies are kept under `copy/`. */
const keysOf = async (tree: Tree, prefix: string): Promise<readonly string[]> => {
  const store = tree.disks.get('tower')?.store()
  await store?.open()
  const keys: string[] = []
  for await (const { key } of store?.scan({ prefix }) ?? []) keys.push(key)
  await store?.close()
  return keys
}
const flip = (tree: Tree, keys: readonly string[]) => {
  for (const key of keys) tree.disks.get('tower')?.damage(key, createSeededRandom(1))
}
/** Changes a byte of each blob of the tower that is a specification. */
const spoilSpecifications = (tree: Tree) => {
  const folder = join(tree.folder, 'tower', 'archives')
  let spoiled = 0
  for (const name of readdirSync(folder).filter((one) => /^[0-9a-f]{64}$/.test(one))) {
    const bytes = readFileSync(join(folder, name))
    if (!bytes.includes('"application"')) continue
    bytes.writeUInt8(bytes.readUInt8(9) ^ 1, 9)
    writeFileSync(join(folder, name), bytes)
    spoiled += 1
  }
  return spoiled
}

test.serial(
  'every value of the store of a tower that its disk spoils once is there again at the next start',
  async (t) => {
    const tree = await scene(t, 'tower', 'near-a')
    const own = (await keysOf(tree, '')).filter((key) => !key.startsWith('copy/') && !key.startsWith('told/'))
    t.true(own.some((key) => key.startsWith('r/key-list/')) && own.some((key) => key.startsWith('d/')))
    flip(
      tree,
      own.filter((key) => !key.startsWith('specification/')),
    )
    t.true(spoilSpecifications(tree) > 0)
    await tree.start('tower')
    await apply(tree, '2')
    await running(tree, '2')
    t.notRegex(await notesOf(tree), /damaged/)
  },
)

test.serial(
  'a key list whose two copies are spoiled: the tower runs, says so, signs nothing and refuses changes',
  async (t) => {
    const tree = await scene(t, 'tower', 'near-a')
    flip(
      tree,
      (await keysOf(tree, '')).filter((key) => key.includes('r/key-list/')),
    )
    await tree.start('tower')
    t.regex(await notesOf(tree), /damaged: the key list of the tenant .* second copy as well: restore the store/)
    await t.throwsAsync(apply(tree, '2'), { code: 'damaged', message: /nothing can be changed: the key list/ })
    t.deepEqual(await tree.node('tower').services.config.list('applications', asked), [])
    t.is(await tree.runningVersion('near-a'), '1')
  },
)

test.serial('a root document whose two copies are spoiled founds no other network', async (t) => {
  const tree = await scene(t, 'tower', 'near-a')
  flip(
    tree,
    (await keysOf(tree, '')).filter((key) => key.includes('r/root/')),
  )
  await t.throwsAsync(tree.start('tower'), { code: 'damaged-network', message: /restore the store from a backup/ })
})

test.serial(
  'a specification whose two copies are spoiled: said by name, and there again once it is applied',
  async (t) => {
    const tree = await scene(t, 'tower', 'near-a')
    t.true(spoilSpecifications(tree) > 0)
    flip(tree, await keysOf(tree, 'specification/'))
    await tree.start('tower')
    t.regex(await notesOf(tree), /damaged: application shop version 1 cannot be read, .*: apply it again from its file/)
    t.is(await tree.runningVersion('near-a'), '1')
    await apply(tree, '1')
    t.notRegex(await notesOf(tree), /damaged/)
    await apply(tree, '2')
    await running(tree, '2')
  },
)
