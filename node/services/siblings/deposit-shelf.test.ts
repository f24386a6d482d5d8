import test from 'ava'
import fc from 'fast-check'
import { silentLog } from '../../../base/index.ts'
import { createMemoryDisk, type MemoryDisk } from '../../../crdt/index.ts'
import { createDepositShelf, type ShelfLimits } from './deposit-shelf.ts'
import { depositOf, deskOf, keyNamed, peerNamed, powers, trustOf } from './sibling-scene.contract.ts'

const open = async (disk: MemoryDisk = createMemoryDisk(), limits?: ShelfLimits) => {
  const store = disk.store()
  await store.open()
  const shelf = createDepositShelf({ store, powers, log: silentLog, ...(limits && { limits }) })
  const numbers = async (reader: string) =>
    (await shelf.of(peerNamed(reader))).map(({ sealed }) => Buffer.from(sealed).toString()).toSorted()
  const leave = async (...args: Parameters<typeof depositOf>) => {
    const left = await shelf.leave(depositOf(...args), deskOf())
    return 'code' in left ? left.code : left.result
  }
  return { shelf, store, disk, numbers, leave }
}

test('the newest replaces, an older one that is replayed does not, and both survive a restart', async (t) => {
  const { leave, numbers, disk, store } = await open()
  t.is(await leave('s1-a', 2), 'kept')
  t.is(await leave('s1-a', 2), 'known')
  t.is(await leave('s1-a', 3), 'kept')
  t.is(await leave('s1-a', 2), 'older')
  t.deepEqual(await numbers('s1-a'), ['s1-a 3'])
  await store.close()
  const again = await open(disk)
  t.is(await again.leave('s1-a', 2), 'older')
  t.deepEqual(await again.numbers('s1-a'), ['s1-a 3'])
  t.deepEqual(await again.numbers('s2-a'), [])
})

test('each aggregator has its own place, so that neither can push out what the other left', async (t) => {
  const { leave, numbers } = await open()
  await leave('s1-a', 9)
  t.is(await leave('s1-a', 1, { signer: 'south-agg-2' }), 'kept')
  t.is((await numbers('s1-a')).length, 2)
})

test('a flood fills no more than its room, and what was there can still be renewed', async (t) => {
  const { leave, numbers } = await open(createMemoryDisk(), { deposits: 3, bytes: 60 })
  for (const reader of ['a', 'b', 'c']) t.is(await leave(reader, 1), 'kept')
  for (let at = 0; at < 20; at++) t.is(await leave(`flood-${at}`, 1), 'full')
  t.is(await leave('a', 2), 'kept')
  t.is(await leave('b', 2, { sealed: new Uint8Array(60) }), 'full', 'too large beside the others')
  t.deepEqual(await numbers('a'), ['a 2'])
  t.deepEqual(await numbers('b'), ['b 1'])
})

test('what is for blocked hosts and sites is dropped, and so is what a key left that is blocked now', async (t) => {
  const { shelf, leave, numbers } = await open()
  for (const reader of ['s1-a', 's2-a', 's3-a']) await leave(reader, 1)
  await leave('s3-a', 1, { signer: 'south-agg-2' })
  await shelf.prune(deskOf(trustOf({ keys: ['s1-a', 'south-agg-2'], sites: ['site of s2-a'] })))
  t.deepEqual(await numbers('s1-a'), [])
  t.deepEqual(await numbers('s2-a'), [])
  t.deepEqual(await numbers('s3-a'), ['s3-a 1'])
})

test('a depositor takes back its own alone', async (t) => {
  const { shelf, leave, numbers } = await open()
  await leave('s1-a', 1)
  await leave('s2-a', 1)
  await leave('s2-a', 1, { signer: 'south-agg-2' })
  await shelf.keepOnly(keyNamed('south-agg').keyId, new Set([peerNamed('s1-a')]))
  t.deepEqual(await numbers('s1-a'), ['s1-a 1'])
  t.deepEqual(await numbers('s2-a'), ['s2-a 1'])
})

test('a damaged deposit is not handed out, and its place is written anew', async (t) => {
  const { leave, store, disk, numbers } = await open()
  await leave('s1-a', 1)
  const [key = ''] = await keysOf(store, 'deposit/head/')
  await store.write([{ kind: 'put', key, value: Uint8Array.of(1, 0, 0, 0, 4, 9, 9) }], { sync: true })
  await store.close()
  const again = await open(disk)
  t.deepEqual(await again.numbers('s1-a'), [])
  t.is(await again.leave('s1-a', 1), 'kept')
  t.deepEqual(await again.numbers('s1-a'), ['s1-a 1'])
  t.deepEqual(await numbers('nobody'), [])
})

const keysOf = async (store: Awaited<ReturnType<typeof open>>['store'], prefix: string) => {
  const keys: string[] = []
  for await (const { key } of store.scan({ prefix })) keys.push(key)
  return keys
}

test('whatever is left in whatever order, the shelf holds the newest of each and stays inside its bounds', async (t) => {
  const limits = { deposits: 4, bytes: 40 }
  const one = fc.record({
    reader: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    number: fc.integer({ min: 1, max: 5 }),
    signer: fc.constantFrom('south-agg', 'south-agg-2'),
    size: fc.integer({ min: 0, max: 20 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 30 }), async (all) => {
      const { leave, store } = await open(createMemoryDisk(), limits)
      const held = new Map<string, { number: number; size: number }>()
      for (const { reader, number, signer, size } of all) {
        const result = await leave(reader, number, { signer, sealed: new Uint8Array(size) })
        const at = `${reader} ${signer}`
        const before = held.get(at)
        t.is(result === 'older', before !== undefined && before.number > number)
        if (result === 'kept') held.set(at, { number, size })
        const kept = [...held.values()]
        t.true(kept.length <= limits.deposits && kept.reduce((sum, deposit) => sum + deposit.size, 0) <= limits.bytes)
      }
      t.is((await keysOf(store, 'deposit/head/')).length, held.size)
      t.is((await keysOf(store, 'deposit/body/')).length, held.size)
    }),
    { numRuns: 60 },
  )
})
