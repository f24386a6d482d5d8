import test from 'ava'
import { createLog, type LogLine, SkerryError, silentLog } from '../base/index.ts'
import {
  asking,
  bytesOf,
  clientOf,
  createDisk,
  holding,
  name,
  nameOf,
  question,
  quiet,
  readAll,
  reference,
  refusal,
  serving,
  settle,
  whole,
} from './blobs.contract.ts'
import { createBlobServer } from './blobs.ts'
import type { BlobStore } from './powers/index.ts'

test('not held and not allowed answer alike, and no disk is read before the question may be asked', async (t) => {
  const store = await holding(whole)
  let looks = 0
  const look = <Found>(found: Found): Found => {
    looks += 1
    return found
  }
  const watched: BlobStore = {
    ...store,
    pathOf: (blob) => look(store.pathOf(blob)),
    sizeOf: (blob) => look(store.sizeOf(blob)),
    read: (blob, range) => look(store.read(blob, range)),
  }
  let fetchedUp = 0
  const server = createBlobServer({
    store: watched,
    log: silentLog,
    mayHave: (peer) => {
      if (peer === 'odd') throw new RangeError('the document is not held')
      return peer === 'friend'
    },
    fetchUp: async () => {
      fetchedUp += 1
      throw new SkerryError('parent-unreachable', 'no parent is linked')
    },
  })
  const absent = { ...question, digest: nameOf(bytesOf(1)) }
  const forbidden = await refusal(t, () => server.answer('stranger', question, quiet()))
  const forbiddenAndAbsent = await refusal(t, () => server.answer('stranger', absent, quiet()))
  const unjudged = await refusal(t, () => server.answer('odd', question, quiet()))
  t.deepEqual([looks, fetchedUp], [0, 0])
  const missing = await refusal(t, () => server.answer('friend', absent, quiet()))
  t.is(fetchedUp, 1)
  t.is(JSON.stringify(missing), JSON.stringify(forbidden))
  t.is(JSON.stringify(forbiddenAndAbsent), JSON.stringify(forbidden))
  t.is(JSON.stringify(unjudged), JSON.stringify(forbidden))
  const { head, body } = await server.answer('friend', { ...question, offset: 5 }, quiet())
  t.deepEqual(head, { v: 1, sizeBytes: whole.length })
  t.true((await readAll(body)).equals(whole.slice(5)))
})

test('a parent that may give what it does not hold gets it from its own parent first', async (t) => {
  const [tower, zone, edge] = [await holding(whole), createDisk().open(), createDisk().open()]
  const upward = asking(serving(tower))
  const zoneClient = clientOf(zone, upward.ask, { atOnce: 8 })
  const server = createBlobServer({
    store: zone,
    log: silentLog,
    mayHave: () => true,
    fetchUp: ({ digest }, signal) => zoneClient.fetch(digest, { ...reference, document: '0e'.repeat(16) }, signal),
  })
  const clients = [edge, createDisk().open()].map((store) =>
    clientOf(store, (one, signal) => server.answer('p', one, signal)),
  )
  await Promise.all(clients.map((client) => client.fetch(name, reference)))
  t.truthy(edge.pathOf(name))
  t.deepEqual(upward.asked, [{ ...question, reference: { ...question.reference, document: '0e'.repeat(16) } }])
})

test('a question in no known form is refused without asking anybody, and logged once for each peer', async (t) => {
  const lines: LogLine[] = []
  let asked = 0
  const server = createBlobServer({
    store: await holding(whole),
    log: createLog((line) => lines.push(line), 'test'),
    mayHave: () => {
      asked += 1
      return true
    },
  })
  const garbage: readonly unknown[] = [
    undefined,
    null,
    'x',
    [],
    {},
    { ...question, v: 0 },
    { ...question, more: 1 },
    { ...question, tenant: '../a' },
    { ...question, tenant: [question.tenant] },
    { ...question, digest: 'sha256:../../pins.json' },
    { ...question, offset: -1 },
    { ...question, offset: 0.5 },
    { ...question, offset: 2 ** 50 },
    { ...question, reference: { ...question.reference, document: 'x'.repeat(100_000) } },
    { ...question, reference: { ...question.reference, application: undefined } },
  ]
  for (const peer of ['one', 'two'])
    for (const value of garbage)
      t.is((await refusal(t, () => server.answer(peer, value, quiet())))?.code, 'bad-message', JSON.stringify(value))
  const newer = await refusal(t, () => server.answer('one', { v: 2, anything: true }, quiet()))
  t.is(newer?.code, 'newer-format')
  t.is(asked, 0)
  t.deepEqual(
    lines.map(({ level, fields }) => [level, fields?.peer]),
    [
      ['warn', 'one'],
      ['warn', 'two'],
    ],
  )
})

test('one peer reads so many answers at a time; who is slow makes only itself wait', async (t) => {
  const server = createBlobServer({ store: await holding(whole), log: silentLog, mayHave: () => true, perPeer: 2 })
  const bodies = await Promise.all(
    Array.from({ length: 3 }, async () => (await server.answer('slow', question, quiet())).body),
  )
  const [one, two, three] = bodies.map((body) => body[Symbol.asyncIterator]())
  await one!.next()
  await two!.next()
  let isThird = false
  const third = three!.next().then(() => {
    isThird = true
  })
  const other = await server.answer('other', question, quiet())
  t.true((await readAll(other.body)).equals(whole))
  await settle()
  t.false(isThird)
  await one!.return?.()
  await third
  t.true(isThird)
})
