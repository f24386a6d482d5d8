import test from 'ava'
import fc from 'fast-check'
import { createManualClock, createSeededRandom } from '../../base/index.ts'
import { createMemoryDisk } from './memory-store.ts'
import { listStore, put } from './store.contract.ts'
import type { StoreError } from './store-error.ts'

const batchOf = (at: number) => [put(`b/${at}/1`, `${at}`), put(`b/${at}/2`, `${at}`), put('last', `${at}`)]

const openOn = async (disk = createMemoryDisk()) => {
  const store = disk.store()
  await store.open()
  return { disk, store }
}

test('a crash keeps a prefix of whole batches, at or after the last synced one', async (t) => {
  const kept = new Set<number>()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), fc.nat(), async (syncs, seed) => {
      const { disk, store } = await openOn()
      for (const [at, sync] of syncs.entries()) await store.write(batchOf(at), { sync })
      disk.crash(createSeededRandom(seed))
      const after = await openOn(disk)
      const lines = (await listStore(after.store)).filter((line) => line.startsWith('b/'))
      const batches = lines.length / 2
      const expected = Array.from({ length: batches }, (_, at) => [`b/${at}/1=${at}`, `b/${at}/2=${at}`]).flat()
      const last = new TextDecoder().decode(await after.store.get('last'))
      kept.add(syncs.length - batches)
      return (
        JSON.stringify(lines) === JSON.stringify(expected.toSorted()) &&
        batches > syncs.lastIndexOf(true) &&
        last === (batches === 0 ? '' : `${batches - 1}`)
      )
    }),
    { numRuns: 200, seed: 11 },
  )
  t.true(kept.size > 3, 'crashes kept all kinds of prefixes')
})

test('a store is dead after a crash: nothing it does reaches the disk, and none of its calls settles', async (t) => {
  const clock = createManualClock()
  const { disk, store } = await openOn()
  disk.faults.slowSync = { clock, delayMs: 50 }
  let settled = 0
  const settle = () => {
    settled += 1
  }
  store.write(batchOf(0), { sync: true }).then(settle, settle)
  store.write(batchOf(1), { sync: false }).then(settle, settle)
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  disk.crash(createSeededRandom(1))
  clock.advance(100)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  store.write(batchOf(2), { sync: true }).then(settle, settle)
  store.get('last').then(settle, settle)
  listStore(store).then(settle, settle)
  store.open().then(settle, settle)
  store.close().then(settle, settle)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  t.is(settled, 0)
  const after = await openOn(disk)
  t.false((await listStore(after.store)).some((line) => line.startsWith('b/1') || line.startsWith('b/2')))
})

test('a slow sync takes its time, and later writes wait for it', async (t) => {
  const clock = createManualClock()
  const { disk, store } = await openOn()
  disk.faults.slowSync = { clock, delayMs: 50 }
  const done: string[] = []
  const first = store.write([put('a', '1')], { sync: true }).then(() => done.push('synced'))
  const second = store.write([put('a', '2')], { sync: false }).then(() => done.push('unsynced'))
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  t.deepEqual(done, [])
  t.is(await store.get('a'), undefined)
  clock.advance(50)
  await Promise.all([first, second])
  t.deepEqual(done, ['synced', 'unsynced'])
  t.deepEqual(await listStore(store), ['a=2'])
})

test('a full disk refuses in words, keeps what it has, and takes writes again when there is room', async (t) => {
  const { disk, store } = await openOn()
  await store.write(batchOf(0), { sync: true })
  disk.faults.isFull = true
  const error = await t.throwsAsync(() => store.write(batchOf(1), { sync: true }), { message: /disk is full/ })
  t.is((error as StoreError).code, 'disk-full')
  t.is((await listStore(store)).length, 3)
  disk.faults.isFull = false
  await store.write(batchOf(1), { sync: true })
  disk.crash(createSeededRandom(1))
  t.is((await listStore((await openOn(disk)).store)).length, 5)
})

test('a disk that tears its last batch leaves half of it, the last change damaged', async (t) => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const { disk, store } = await openOn()
    await store.write(batchOf(0), { sync: true })
    await store.write(batchOf(1), { sync: false })
    disk.faults.tearsLastBatch = true
    disk.crash(createSeededRandom(seed))
    const lines = await listStore((await openOn(disk)).store)
    seen.add(lines.join(' '))
  }
  t.true(seen.has('b/0/1=0 b/0/2=0 b/1/1=damaged last=0'))
  t.true(seen.has('b/0/1=0 b/0/2=0 b/1/1=1 b/1/2=damaged last=0'))
  t.true(seen.has('b/0/1=0 b/0/2=0 b/1/1=1 b/1/2=1 last=damaged'))
  t.true(seen.has('b/0/1=0 b/0/2=0 b/1/1=1 b/1/2=1 last=1'))
})

test('equal seeds keep equal disks', async (t) => {
  const run = async () => {
    const { disk, store } = await openOn()
    for (let at = 0; at < 9; at++) await store.write(batchOf(at), { sync: at === 2 })
    disk.crash(createSeededRandom(5))
    return [await listStore((await openOn(disk)).store), disk.sizeBytes()]
  }
  t.deepEqual(await run(), await run())
})
