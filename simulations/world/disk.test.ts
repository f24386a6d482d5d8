import test from 'ava'
import { createManualClock, createSeededRandom } from '../../base/index.ts'
import { createDisk } from './disk.ts'
import { PowerRevokedError } from './incarnation.ts'
import { giveTurn } from './turn.ts'

const open = async (seed = 1) => {
  const clock = createManualClock()
  const disk = createDisk({ machine: 'one', random: createSeededRandom(seed), clock, onWrite: () => {} })
  const store = disk.store()
  await store.open()
  const put = (key: string, sync = true) => store.write([{ kind: 'put', key, value: Buffer.from(key) }], { sync })
  return { clock, disk, store, put }
}

const seeds = Array.from({ length: 12 }, (_, at) => at + 1)

test('a slow disk lets a synced write wait, and those after it, on the clock of the machine', async (t) => {
  const { clock, disk, put } = await open()
  disk.setSync(500)
  const done: string[] = []
  void put('a').then(() => done.push('a'))
  void put('b', false).then(() => done.push('b'))
  await giveTurn()
  clock.advance(499)
  await giveTurn()
  t.deepEqual(done, [])
  clock.advance(1)
  await giveTurn()
  t.deepEqual(done, ['a', 'b'])
  disk.setSync(undefined)
  await put('c')
  t.deepEqual([...(await disk.scan('')).keys()], ['a', 'b', 'c'])
})

test('a process that dies in a write of its store is told nothing, and what it began is there or not', async (t) => {
  const kept = await Promise.all(
    seeds.map(async (seed) => {
      const { disk, put } = await open(seed)
      await put('a')
      await put('b', false)
      let isTold = false
      disk.crashInWrite(() => disk.crash('power'))
      void put('c').then(() => {
        isTold = true
      })
      await giveTurn()
      t.false(isTold)
      const next = disk.store()
      await next.open()
      await next.write([{ kind: 'put', key: 'd', value: new Uint8Array() }], { sync: true })
      return [...(await disk.scan('')).keys()].join('')
    }),
  )
  t.deepEqual([...new Set(kept)].toSorted(), ['abcd', 'abd', 'ad'])
})

test('one that dies while it saves a state file leaves the old one or the new one whole', async (t) => {
  const kept = new Set<number | undefined>()
  for (const seed of seeds) {
    const { disk } = await open(seed)
    const file = disk.stateFile<number>('count')
    file.save(1)
    let crashes = 0
    disk.crashInWrite(() => crashes++)
    t.throws(() => file.save(2), { instanceOf: PowerRevokedError })
    t.is(crashes, 1)
    kept.add(file.load())
  }
  t.deepEqual([...kept].toSorted(), [1, 2])
})

test('a crash that was to come with a write does not come once it is forgotten, nor on a full disk', async (t) => {
  const { disk, put } = await open()
  const forget = disk.crashInWrite(() => t.fail())
  disk.setFull(true)
  await t.throwsAsync(put('a'), { code: 'disk-full' })
  disk.setFull(false)
  forget()
  await put('a')
  t.deepEqual([...(await disk.scan('')).keys()], ['a'])
})

test('a flipped bit of a state file is said to be damage, or changes nothing; put back it is as it was', async (t) => {
  let damaged = 0
  for (const seed of seeds) {
    const { disk } = await open(seed)
    const file = disk.stateFile<unknown>('accepted')
    t.is(disk.flipInState('accepted'), undefined)
    const value = { version: 12, name: 'shop' }
    file.save(value)
    const putBack = disk.flipInState('accepted')
    try {
      t.deepEqual(file.load(), value)
    } catch (error) {
      t.true(['damaged-file', 'newer-format'].includes((error as { code: string }).code))
      damaged++
    }
    putBack?.()
    t.deepEqual(file.load(), value)
    const later = disk.flipInState('accepted')
    file.save('anew')
    later?.()
    t.is(file.load(), 'anew')
  }
  t.true(damaged > 6)
})

test('a flipped bit of a stored value is never handed out as good', async (t) => {
  const { disk, store, put } = await open()
  await put('a')
  await put('b')
  t.deepEqual(disk.names().stored, ['a', 'b'])
  t.true(disk.flipInStore('a'))
  t.false(disk.flipInStore('nothing'))
  await t.throwsAsync(store.get('a'), { code: 'damaged-value' })
  t.deepEqual([...(await disk.scan('')).keys()], ['b'])
})
