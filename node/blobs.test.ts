import test from 'ava'
import { createManualClock, SkerryError, silentLog } from '../base/index.ts'
import {
  type Ask,
  asking,
  bytesOf,
  chunkBytes,
  clientOf,
  createDisk,
  holding,
  name,
  nameOf,
  once,
  question,
  readAll,
  reference,
  refusal,
  serving,
  settle,
  whole,
} from './blobs.contract.ts'
import { createBlobServer } from './blobs.ts'

test('a blob is fetched whole and checked; one that is held is not asked for', async (t) => {
  const store = createDisk().open()
  const { asked, ask } = asking(serving(await holding(whole)))
  const client = clientOf(store, ask)
  const fetched = await client.fetch(name, reference)
  t.deepEqual(fetched, { path: store.pathOf(name) ?? '', sizeBytes: whole.length })
  t.true((await readAll(store.read(name) ?? once())).equals(whole))
  t.deepEqual(await client.fetch(name, reference), fetched)
  t.deepEqual(asked, [question])
})

test('a transfer cut at every chunk is gone on with where it broke, also by the next life', async (t) => {
  for (const cutBytes of [0, 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes, 3 * chunkBytes, whole.length - 1]) {
    const disk = createDisk()
    let cuts = 0
    const serve = serving(await holding(whole))
    const { asked, ask } = asking(async (one, signal) => {
      const { head, body } = await serve(one, signal)
      if (cuts++ > 0) return { head, body }
      const first = (await readAll(body)).subarray(0, cutBytes)
      const broken = async function* () {
        if (first.length > 0) yield first
        throw new SkerryError('link-lost', 'the link broke')
      }
      return { head, body: broken() }
    })
    const first = await refusal(t, () => clientOf(disk.open(), ask).fetch(name, reference))
    t.is(first?.code, 'link-lost')
    const store = disk.open()
    t.is((await clientOf(store, ask).fetch(name, reference)).sizeBytes, whole.length)
    t.deepEqual(
      asked.map(({ offset }) => offset),
      [0, cutBytes],
    )
    t.true((await readAll(store.read(name) ?? once())).equals(whole))
  }
})

test('a link that breaks after every chunk still brings the blob, each byte once', async (t) => {
  const store = createDisk().open()
  const serve = serving(await holding(whole))
  let sentBytes = 0
  const client = clientOf(store, async (one, signal) => {
    const { head, body } = await serve(one, signal)
    const broken = async function* () {
      for await (const chunk of body) {
        sentBytes += chunk.length
        yield chunk
        throw new SkerryError('link-lost', 'the link broke')
      }
    }
    return { head, body: broken() }
  })
  let tries = 0
  while (store.pathOf(name) === undefined && tries++ < 10) await client.fetch(name, reference).catch(() => undefined)
  t.deepEqual([sentBytes, tries], [whole.length, 5])
})

test('a lying peer brings nothing under a name: wrong, too many, too few and empty pieces', async (t) => {
  const head = { v: 1, sizeBytes: whole.length }
  const endless = async function* () {
    for (;;) yield bytesOf(chunkBytes)
  }
  const empty = async function* () {
    for (;;) yield new Uint8Array()
  }
  const lies: readonly (readonly [string, unknown, () => AsyncIterable<Uint8Array>])[] = [
    ['digest-mismatch', head, () => once(bytesOf(whole.length, 2))],
    ['digest-mismatch', { v: 1, sizeBytes: 5 }, () => once(whole.slice(0, 5))],
    ['bad-message', head, () => once(bytesOf(whole.length, 3), Uint8Array.of(1))],
    ['bad-message', head, endless],
    ['bad-message', head, empty],
    ['cut-short', head, () => once(whole.slice(0, 100))],
    ['bad-message', { v: 1, sizeBytes: -1 }, () => once(whole)],
    ['bad-message', { v: 1, sizeBytes: 2 ** 40 }, endless],
    ['bad-message', { sizeBytes: whole.length }, () => once(whole)],
    ['bad-message', null, () => once(whole)],
    ['newer-format', { v: 2 }, () => once(whole)],
  ]
  let leftBehind = 0
  for (const [code, said, body] of lies) {
    const disk = createDisk()
    const store = disk.open()
    const client = clientOf(store, async () => ({ head: said, body: body() }))
    t.is((await refusal(t, () => client.fetch(name, reference)))?.code, code, JSON.stringify(said))
    t.is(store.pathOf(name), undefined)
    const heldBytes = [...disk.contents().values()].reduce((sum, { length }) => sum + length, 0)
    t.true(heldBytes <= whole.length, `${heldBytes} bytes are kept of a blob of ${whole.length}`)
    leftBehind += store.partialBytes(name)
    // What the liar left behind is found to be wrong, and the blob still comes from an honest one.
    await clientOf(store, serving(await holding(whole))).fetch(name, reference)
    t.true((await readAll(store.read(name) ?? once())).equals(whole))
  }
  t.true(leftBehind > 0)
})

test('a part that is longer than the whole, or no part of it, is forgotten and all is asked for again', async (t) => {
  const small = bytesOf(1_000)
  for (const part of [bytesOf(5_000, 3), bytesOf(900, 3)]) {
    const store = createDisk().open()
    const breaking = async function* () {
      yield part
      throw new SkerryError('link-lost', 'the link broke')
    }
    await t.throwsAsync(() => store.keep(breaking(), nameOf(small)))
    const { asked, ask } = asking(serving(await holding(small)))
    await clientOf(store, ask).fetch(nameOf(small), reference)
    t.deepEqual(
      asked.map(({ offset }) => offset),
      [part.length, 0],
    )
  }
})

test('a parent that never has right bytes is asked twice, not for ever', async (t) => {
  const store = createDisk().open()
  const breaking = async function* () {
    yield whole.slice(0, 10)
    throw new SkerryError('link-lost', 'the link broke')
  }
  await t.throwsAsync(() => store.keep(breaking(), name))
  const { asked, ask } = asking(async ({ offset }) => ({
    head: { v: 1, sizeBytes: 500 },
    body: once(bytesOf(500 - offset, 9)),
  }))
  t.is((await refusal(t, () => clientOf(store, ask).fetch(name, reference)))?.code, 'digest-mismatch')
  t.is(asked.length, 2)
})

test('a full disk is said in words and leaves nothing, and with room the blob comes', async (t) => {
  const disk = createDisk()
  const store = disk.open()
  const client = clientOf(store, serving(await holding(whole)))
  disk.setFull(true)
  const refused = await refusal(t, () => client.fetch(name, reference))
  t.is(refused?.code, 'disk-full')
  t.regex(refused?.message ?? '', /the disk is full; free some space/)
  t.is(disk.contents().size, 0)
  disk.setFull(false)
  await client.fetch(name, reference)
})

test('a hundred that wait for one blob are one transfer, and one that leaves takes nothing from the others', async (t) => {
  const store = createDisk().open()
  const { asked, ask } = asking(serving(await holding(whole)))
  const client = clientOf(store, ask)
  const leaving = new AbortController()
  const left = t.throwsAsync(() => client.fetch(name, reference, leaving.signal), { code: 'aborted' })
  const fetched = Promise.all(Array.from({ length: 100 }, () => client.fetch(name, reference)))
  leaving.abort()
  t.is(new Set((await fetched).map(({ path }) => path)).size, 1)
  await left
  t.is(asked.length, 1)
})

test('the last one to leave ends the transfer, and what came of it is kept for the next', async (t) => {
  const store = createDisk().open()
  let ended = false
  const client = clientOf(store, async (_, signal) => {
    signal.addEventListener('abort', () => {
      ended = true
    })
    const stuck = async function* () {
      yield whole.slice(0, chunkBytes)
      await new Promise(() => {})
    }
    return { head: { v: 1, sizeBytes: whole.length }, body: stuck() }
  })
  const [one, two] = [new AbortController(), new AbortController()]
  const waiting = [one, two].map(({ signal }) =>
    t.throwsAsync(() => client.fetch(name, reference, signal), { code: 'aborted' }),
  )
  await settle()
  one.abort()
  await settle()
  t.false(ended)
  two.abort()
  await Promise.all(waiting)
  await settle()
  t.true(ended)
  t.is(store.partialBytes(name), chunkBytes)
})

test('an answer that brings nothing for two minutes is given up', async (t) => {
  const clock = createManualClock()
  const store = createDisk().open()
  const stuck = async function* (): AsyncGenerator<Uint8Array> {
    yield whole.slice(0, 10)
    await new Promise(() => {})
  }
  const ask: Ask = async () => ({ head: { v: 1, sizeBytes: whole.length }, body: stuck() })
  const given = refusal(t, () => clientOf(store, ask, { clock }).fetch(name, reference))
  await settle()
  clock.advance(119_999)
  await settle()
  clock.advance(1)
  t.is((await given)?.code, 'stalled')
  t.is(clock.nextTimerMs(), undefined)
  t.is(store.partialBytes(name), 10)
})

test('no more than two transfers go on at a time, and a refused one makes room', async (t) => {
  const blobs = Array.from({ length: 7 }, (_, at) => bytesOf(50 + at))
  const store = createDisk().open()
  const serve = serving(await holding(...blobs.slice(1)))
  let [now, most] = [0, 0]
  const client = clientOf(store, async (one, signal) => {
    now += 1
    most = Math.max(most, now)
    await settle()
    try {
      return await serve(one, signal)
    } finally {
      now -= 1
    }
  })
  const results = await Promise.allSettled(blobs.map((bytes) => client.fetch(nameOf(bytes), reference)))
  t.deepEqual(
    results.map(({ status }) => status),
    ['rejected', ...Array.from({ length: 6 }, () => 'fulfilled')],
  )
  t.is(most, 2)
})

test('who was refused by the reference of another asks by its own', async (t) => {
  const store = createDisk().open()
  const server = createBlobServer({
    store: await holding(whole),
    log: silentLog,
    mayHave: (_, { tenant }) => tenant === reference.tenant,
  })
  const { asked, ask } = asking((one, signal) => server.answer('p', one, signal))
  const client = clientOf(store, ask)
  const stranger = { ...reference, tenant: '0d'.repeat(16) }
  const [refused, fetched] = await Promise.allSettled([client.fetch(name, stranger), client.fetch(name, reference)])
  t.deepEqual([refused?.status, fetched?.status], ['rejected', 'fulfilled'])
  t.is(asked.length, 2)
})
