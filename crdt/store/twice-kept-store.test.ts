import test from 'ava'
import { createSeededRandom } from '../../base/index.ts'
import { createMemoryDisk } from './memory-store.ts'
import { listStore, put, remove, storeContract } from './store.contract.ts'
import { createTwiceKeptStore } from './twice-kept-store.ts'

const random = () => createSeededRandom(1)

storeContract(test, 'kept twice', async () => {
  const disk = createMemoryDisk()
  return {
    store: () => createTwiceKeptStore({ store: disk.store(), isKept: () => true, onHealed: () => {} }),
    damage: async (key) => {
      disk.damage(key, random())
      disk.damage(`copy/${key}`, random())
    },
    setFormat: async (format) => disk.setFormat(format),
  }
})

const opened = async (disk = createMemoryDisk()) => {
  const healed: string[] = []
  const store = createTwiceKeptStore({
    store: disk.store(),
    isKept: (key) => !key.startsWith('cache/'),
    onHealed: (key) => healed.push(key),
  })
  await store.open()
  return { disk, store, healed }
}
const words = [put('a/1', 'one'), put('cache/x', 'made anew'), put('d/1', 'two'), put('z', 'three')]

test('one of two copies spoiled: reads answer the other, and the next start puts it back', async (t) => {
  const { disk, store, healed } = await opened()
  await store.write(words, { sync: true })
  for (const key of ['a/1', 'z', 'cache/x']) disk.damage(key, random())
  disk.damage('copy/d/1', random())
  t.is(new TextDecoder().decode(await store.get('z')), 'three')
  await t.throwsAsync(store.get('cache/x'), { code: 'damaged-value' })
  t.deepEqual(await listStore(store), ['a/1=one', 'cache/x=damaged', 'd/1=two', 'z=three'])
  t.deepEqual(healed, ['z', 'a/1'])
  await store.close()
  const again = await opened(disk)
  t.deepEqual(again.healed, ['a/1', 'z'])
  for (const key of ['copy/a/1', 'copy/d/1', 'copy/z']) disk.damage(key, random())
  t.deepEqual(await listStore(again.store), ['a/1=one', 'cache/x=damaged', 'd/1=two', 'z=three'])
  await again.store.close()
  t.deepEqual((await opened(disk)).healed, [])
})

test('a value that is gone is put back, one that was deleted is not', async (t) => {
  const { disk, store } = await opened()
  await store.write(words, { sync: true })
  await store.write([remove('d/1')], { sync: true })
  await store.close()
  const plain = disk.store()
  await plain.open()
  await plain.write([remove('a/1'), remove('z')], { sync: true })
  await plain.close()
  const again = await opened(disk)
  t.deepEqual(again.healed, ['a/1', 'z'])
  t.deepEqual(await listStore(again.store), ['a/1=one', 'cache/x=made anew', 'z=three'])
})

test('a store of before gets its copies at its next start, and both spoiled is damaged', async (t) => {
  const disk = createMemoryDisk()
  const plain = disk.store()
  await plain.open()
  await plain.write(words, { sync: true })
  await plain.close()
  const { store } = await opened(disk)
  disk.damage('a/1', random())
  t.deepEqual((await listStore(store))[0], 'a/1=one')
  disk.damage('copy/a/1', random())
  t.deepEqual((await listStore(store))[0], 'a/1=damaged')
  await t.throwsAsync(store.get('a/1'), { code: 'damaged-value' })
})
