import test from 'ava'
import fc from 'fast-check'
import { createSeededRandom } from '../../base/index.ts'
import { countersign, keyListKind, ownerOf, type SignedRecord } from '../authority/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import { createMemoryDisk } from '../store/index.ts'
import {
  bytesOf,
  edgeAt,
  idNamed,
  keyNamed,
  lists,
  makeBeacon,
  makeBlocks,
  makeCertificate,
  makeDelegation,
  makeList,
  makeRoot,
  makeVerdict,
  makeVersion,
  openBook,
  openStore,
  powers,
  root,
  tell,
  tenant,
  world,
} from './book-scene.contract.ts'
import { bookLimits, readBookRecord } from './index.ts'
import { decodeStored, encodeStored } from './stored-record.ts'

type Book = Awaited<ReturnType<typeof openBook>>

/** `new`, `known` or the code of the refusal, for each. */
const takeAll = async (book: Book, ...records: readonly SignedRecord<unknown>[]): Promise<readonly string[]> => {
  const results = await book.take(bytesOf(records))
  return results.map((result) => (result.kind === 'refused' ? result.refusal.code : result.kind))
}

const withWorld = async (options: Parameters<typeof openBook>[0] = {}): Promise<Book> => {
  const book = await openBook(options)
  await takeAll(book, ...world)
  return book
}

const everything = [
  ...world,
  makeRoot(['root', 'root-2'], ['root'], root),
  makeRoot(['root'], ['root', 'root-2'], makeRoot(['root', 'root-2'], ['root'], root)),
  makeList('/north', ['north-a'], ['tower'], { generation: 2 }),
  makeList('/stolen', ['x'], ['thief']),
  makeBlocks(null, 'root', { number: 2, keys: [keyNamed('south-a').keyId] }),
  makeBlocks(null, 'root', { number: 2, sites: [idNamed('/south/s1')] }),
  makeVerdict(lists.south, 'tower'),
  makeDelegation('north-a', '/north', { number: 2, isGranted: false }),
  makeDelegation('north-a', '/north', { number: 2 }),
  makeCertificate('host-1', '/north/n1', '/north', 'north-a', { ...edgeAt('/north/n1'), number: 2 }),
  makeCertificate('host-1', '/north/n1', '/north', 'north-a', { ...edgeAt('/north/n1'), number: 2, untilMs: 9_000 }),
  makeCertificate('north-a', '/north', '/', 'thief', { number: 9 }),
  makeBeacon(4),
  makeVersion('tower', { order: 3 }, ['thief']),
]

test('a lot in any order, each record any number of times, gives the same book, and so does the store it left', async (t) => {
  const expected = tell(await withWorldAnd(everything))
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(everything, { minLength: everything.length }),
      fc.subarray(everything),
      async (shuffled, again) => {
        const store = await openStore()
        const book = await openBook({ store })
        await takeAll(book, ...again.toReversed(), ...shuffled, ...again)
        t.deepEqual(tell(book), expected)
        t.deepEqual(tell(await openBook({ store })), expected)
      },
    ),
    { numRuns: 40 },
  )
})

const withWorldAnd = async (records: readonly SignedRecord<unknown>[]): Promise<Book> => {
  const book = await openBook()
  await takeAll(book, ...records)
  return book
}

test('records that come one by one, each after what it needs, count at once', async (t) => {
  const book = await openBook()
  for (const one of world) t.deepEqual(await takeAll(book, one), ['new'])
  t.deepEqual(tell(book), tell(await withWorld()))
  t.deepEqual(
    await takeAll(book, ...world),
    world.map(() => 'known'),
  )
})

test('before the first root nothing counts, and a root of another network never', async (t) => {
  const book = await openBook()
  t.is(book.trust(), undefined)
  t.is(book.networkId(), undefined)
  t.deepEqual(book.recordsFor('/north'), [])
  t.deepEqual(await takeAll(book, lists.north, makeBeacon(1)), ['unknown-issuer', 'unknown-issuer'])
  t.deepEqual(await takeAll(book, makeRoot(['other'])), ['wrong-network'])
  t.is(book.trust(), undefined)
})

test('a root is followed version by version, and a rival of one that is held is told', async (t) => {
  const book = await withWorld()
  const second = makeRoot(['root', 'root-2'], ['root'], root)
  const third = makeRoot(['root-2'], ['root', 'root-2'], second)
  t.deepEqual(await takeAll(book, third, second), ['new', 'new'])
  t.is(book.trust()?.root.number, 3)
  t.deepEqual(await takeAll(book, makeRoot(['root-2', 'x'], ['root', 'root-2'], second)), ['rival'])
})

test('a key that is blocked in the same lot grants nothing, whatever the order', async (t) => {
  const blocks = makeBlocks(idNamed('/north'), 'north-a', { number: 2, keys: [keyNamed('north-b').keyId] })
  const inner = makeList('/north/inner', ['inner'], ['north-b'])
  for (const lot of [
    [...world, inner, blocks],
    [blocks, inner, ...world],
  ]) {
    const book = await openBook()
    await takeAll(book, ...lot)
    t.is(book.ownerAt('/north/inner', 'zone'), undefined)
  }
  const without = await openBook()
  await takeAll(without, ...world, inner)
  t.is(without.ownerAt('/north/inner', 'zone')?.id, idNamed('/north/inner'))
})

test('a retired owner stands for nothing, except where it is the anchor', async (t) => {
  const own = makeList('/vault', ['vault'], ['vault', 'tower'], { owner: null, succession: 'own' })
  const verdict = makeVerdict(own, 'tower')
  const outside = await withWorld()
  t.deepEqual(await takeAll(outside, own, verdict, makeVerdict(own, 'thief', 'refused')), [
    'new',
    'new',
    'not-enough-signatures',
  ])
  t.is(outside.ownerAt('/vault', 'zone'), undefined)
  t.true(outside.trust()?.retired.has(ownerOf(own)))
  const inside = await withWorld({ anchors: new Map([['/vault', ownerOf(own)]]) })
  t.deepEqual(await takeAll(inside, own, verdict), ['new', 'out-of-scope'])
  t.is(inside.ownerAt('/vault', 'zone')?.id, ownerOf(own))
})

test('signatures of the parent that come later are added to a list that is held, on disk too', async (t) => {
  const own = makeList('/vault', ['vault'], ['vault'], { owner: null, succession: 'own' })
  const store = await openStore()
  const options = { store, anchors: new Map([['/vault', ownerOf(own)]]) }
  const book = await withWorld(options)
  const parents = makeList('/vault', ['vault'], ['tower', 'thief'], { owner: null, succession: 'own' })
  t.deepEqual(await takeAll(book, own), ['new'])
  t.false(book.ownerAt('/vault', 'zone')?.isCountersigned)
  t.deepEqual(await takeAll(book, parents, parents), ['new', 'known'])
  t.true(book.ownerAt('/vault', 'zone')?.isCountersigned)
  const again = await openBook(options)
  t.true(again.ownerAt('/vault', 'zone')?.isCountersigned)
  t.is((await takeAll(again, countersign(keyListKind, own, [keyNamed('stranger')])))[0], 'known')
})

test('of delegations and certificates of one key the highest number is kept, and a lower one is refused', async (t) => {
  const store = await openStore()
  const book = await withWorld({ store })
  const taken = makeDelegation('north-a', '/north', { number: 2, isGranted: false })
  t.deepEqual(await takeAll(book, taken, makeDelegation('north-a', '/north')), ['new', 'stale'])
  t.deepEqual(await takeAll(book, makeDelegation('north-a', '/north', { number: 2 })), ['stale'])
  const next = makeCertificate('north-a', '/north', '/', 'tower', { number: 2 })
  const other = makeCertificate('north-a', '/north', '/', 'tower', { number: 2, untilMs: 9_999 })
  t.deepEqual(await takeAll(book, next), ['new'])
  t.deepEqual(await takeAll(book, makeCertificate('north-a', '/north', '/', 'tower'), other), ['superseded', 'rival'])
  t.is(book.certificateOf(keyNamed('north-a').keyId)?.id, next.id)
  t.is(book.highestNumbers().get(keyNamed('north-a').keyId), 2)
  t.is(book.delegationsOf(tenant).length, 3)
  const kept = []
  for await (const { key } of store.scan({ prefix: 'r/' })) kept.push(key)
  t.is(kept.filter((key) => key.startsWith('r/certificate/')).length, 6)
  t.is(kept.filter((key) => key.startsWith('r/delegation/')).length, 3)
})

test('a number that a stolen key used up locks nobody out once the key is off the list', async (t) => {
  const book = await withWorld()
  const host = { ...edgeAt('/north/n1'), number: 0xffffffff }
  t.deepEqual(await takeAll(book, makeCertificate('host-1', '/north/n1', '/north', 'north-b', host)), ['new'])
  const after = makeCertificate('host-1', '/north/n1', '/north', 'north-a', { ...edgeAt('/north/n1'), number: 2 })
  t.deepEqual(await takeAll(book, after), ['superseded'])
  t.deepEqual(await takeAll(book, makeList('/north', ['north-a'], ['tower'], { generation: 2 })), ['new'])
  t.is(book.certificateOf(keyNamed('host-1').keyId), undefined)
  t.deepEqual(await takeAll(book, after), ['new'])
  t.is(book.certificateOf(keyNamed('host-1').keyId)?.id, after.id)
})

test('records nobody entitled signed are refused and change nothing', async (t) => {
  const book = await withWorld()
  const before = tell(book)
  t.deepEqual(
    await takeAll(
      book,
      makeList('/east', ['x'], ['thief']),
      makeBlocks(idNamed('/north'), 'south-a', { number: 5 }),
      makeBlocks(idNamed('nobody'), 'north-a'),
      makeDelegation('thief', '/', {}, 'tower'),
      makeCertificate('thief', '/north', '/', 'north-a'),
      makeCertificate('thief', '/south/s1', '/north', 'north-a', edgeAt('/south/s1')),
      makeVersion('tower', { order: 9 }, ['thief']),
      makeVersion('tower', { tenant: idNamed('nobody') }),
      makeBeacon(2),
    ),
    [
      'not-enough-signatures',
      'not-enough-signatures',
      'unknown-issuer',
      'not-enough-signatures',
      'not-enough-signatures',
      'out-of-scope',
      'not-enough-signatures',
      'unknown-issuer',
      'stale',
    ],
  )
  t.deepEqual(tell(book), before)
})

test('a copy of a version with spoiled signatures keeps the good one neither out nor from taking its place', async (t) => {
  const book = await withWorld()
  const good = makeVersion('later', { order: 5 })
  const spoiled = Uint8Array.from(good.bytes)
  spoiled[spoiled.length - 1] = (spoiled.at(-1) ?? 0) ^ 1
  const [first] = await book.take([spoiled])
  t.is(first?.kind, 'new')
  t.deepEqual(await takeAll(book, makeDelegation('later', '/'), good), ['new', 'new'])
  t.deepEqual(Buffer.from(book.version(good.id)?.bytes ?? []), Buffer.from(good.bytes))
  const [again] = await book.take([spoiled])
  t.is(again?.kind, 'known')
})

test('versions are bounded: per deployment the lowest order goes, per tenant the next is refused', async (t) => {
  const limits = { ...bookLimits, versionsPerDeployment: 2, versionsPerTenant: 3 }
  const book = await openBook({ limits })
  await takeAll(book, root, ...Object.values(lists), makeDelegation('tower', '/'))
  const order = (n: number, deployment = 'a') => makeVersion('tower', { order: n, deployment: idNamed(deployment) })
  t.deepEqual(await takeAll(book, order(1)), ['new'])
  t.deepEqual(await takeAll(book, order(2), order(3)), ['new', 'new'])
  t.deepEqual(
    [1, 2, 3].map((n) => book.version(order(n).id) !== undefined),
    [false, true, true],
  )
  t.deepEqual(await takeAll(book, order(1)), ['stale'])
  t.deepEqual(await takeAll(book, order(1, 'b'), order(1, 'c')).then((all) => all.toSorted()), ['full', 'new'])
})

test('what a scope needs is the way down to it, and no certificate of a site', async (t) => {
  const book = await withWorld()
  const kinds = (scope: string) => {
    const found = new Map<string, number>()
    for (const { kind } of book.recordsFor(scope)) found.set(kind, (found.get(kind) ?? 0) + 1)
    return Object.fromEntries(found)
  }
  const way = { root: 1, beacon: 1 }
  t.deepEqual(kinds('/'), { ...way, 'key-list': 2, 'block-list': 1, delegation: 3, certificate: 1 })
  t.deepEqual(kinds('/north'), { ...way, 'key-list': 3, 'block-list': 2, delegation: 2, certificate: 3 })
  t.deepEqual(kinds('/north/n1'), kinds('/north'))
  t.deepEqual(kinds('/south'), { ...way, 'key-list': 3, 'block-list': 1, delegation: 2, certificate: 2 })
  const below = await openBook()
  t.true((await below.take(book.recordsFor('/north/n1').map(({ bytes }) => bytes))).every(({ kind }) => kind === 'new'))
  t.deepEqual(
    below.recordsFor('/north/n1').map(({ id }) => id),
    book.recordsFor('/north/n1').map(({ id }) => id),
  )
})

test('of a granted owner only the newest generation is handed on', async (t) => {
  const book = await withWorld()
  const next = makeList('/north', ['north-a'], ['tower'], { generation: 2 })
  await takeAll(book, next)
  const handed = book.recordsFor('/north').map(({ id }) => id)
  t.true(handed.includes(next.id))
  t.false(handed.includes(lists.north.id))
})

test('the book after a restart is the one before it, also where the grantor has other keys by now', async (t) => {
  const store = await openStore()
  const book = await withWorld({ store })
  await takeAll(book, makeList('/', ['tower-2'], ['root'], { generation: 2 }))
  t.is(book.ownerAt('/north', 'zone')?.list, lists.north.id)
  t.deepEqual(tell(await openBook({ store })), tell(book))
})

test('a store somebody wrote into makes the book believe no more', async (t) => {
  const store = await openStore()
  const book = await withWorld({ store })
  const before = tell(book)
  const forged = [
    makeList('/east', ['x'], ['thief']),
    makeDelegation('thief', '/', {}, 'thief'),
    makeCertificate('thief', '/', '/', 'thief', { role: 'tower' }),
    makeBlocks(null, 'thief', { number: 7 }),
  ]
  await store.write(
    forged.map(({ id, bytes, body }, at) => ({
      kind: 'put' as const,
      key: `r/${(body as { kind: string }).kind}/${id}`,
      value: encodeStored({ taken: 100 + at, bytes }),
    })),
    { sync: true },
  )
  const again = await openBook({ store })
  t.is(again.certificateOf(keyNamed('thief').keyId), undefined)
  const { numbers, certificates, ...rest } = tell(again)
  const { numbers: _numbers, certificates: _certificates, ...expected } = before
  t.deepEqual(rest, expected)
  t.deepEqual(certificates.filter((id) => id !== undefined).toSorted(), before.certificates.toSorted())
  t.is(numbers.length, before.numbers.length + 1)
})

test('damaged records are left out, and come back when a peer brings them', async (t) => {
  const disk = createMemoryDisk()
  const store = disk.store()
  await store.open()
  const book = await withWorld({ store })
  disk.damage(`r/key-list/${lists.tower.id}`, createSeededRandom(1))
  const again = await openBook({ store })
  t.is(again.ownerAt('/', 'zone'), undefined)
  await takeAll(again, ...world)
  t.deepEqual(tell(again), tell(book))
  t.deepEqual(tell(await openBook({ store })), tell(book))
})

test('a full disk keeps what is believed as it was, and the same lot counts when there is room', async (t) => {
  const disk = createMemoryDisk()
  const store = disk.store()
  await store.open()
  const book = await openBook({ store })
  await takeAll(book, root, lists.tower)
  const before = tell(book)
  disk.faults.isFull = true
  await t.throwsAsync(takeAll(book, ...world), { code: 'disk-full' })
  t.deepEqual(tell(book), before)
  disk.faults.isFull = false
  await takeAll(book, ...world)
  t.deepEqual(tell(book), tell(await withWorld()))
})

test('all that was kept survives a crash right after take', async (t) => {
  const disk = createMemoryDisk()
  const first = disk.store()
  await first.open()
  const book = await withWorld({ store: first })
  const told = tell(book)
  disk.crash(createSeededRandom(2))
  const store = disk.store()
  await store.open()
  t.deepEqual(tell(await openBook({ store })), told)
})

test('listeners hear of what is new, once it is on disk, until they stop', async (t) => {
  const book = await openBook()
  const heard: string[] = []
  const stop = book.onChange((records) => heard.push(...records.map(({ kind }) => kind)))
  await takeAll(book, root, lists.tower)
  await takeAll(book, root, makeList('/x', ['x'], ['thief']))
  stop()
  await takeAll(book, lists.north)
  t.deepEqual(heard, ['root', 'key-list'])
})

test('a record of an unknown kind, a newer format or no form is refused in words', async (t) => {
  const book = await withWorld()
  const newer = Uint8Array.from(root.bytes)
  newer[0] = 2
  const text = Buffer.from('{"kind":"horoscope"}')
  const strange = Buffer.concat([Buffer.from([1, 0, 0, 0, text.length]), text, Buffer.from([0])])
  const results = await book.take([newer, strange, new Uint8Array(), Uint8Array.of(1, 255, 255, 255, 255, 0)])
  t.deepEqual(
    results.map((result) => result.kind === 'refused' && result.refusal.code),
    ['newer-format', 'unknown-kind', 'bad-record', 'bad-record'],
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !readBookRecord(bytes, powers).ok))
})

test('the fixture of format 1 reads, and a newer one is refused in words', async (t) => {
  const bytes = fixture('book-record.1', () => encodeStored({ taken: 258, bytes: root.bytes }))
  const stored = decodeStored(bytes)
  if (typeof stored === 'string') return t.fail(stored)
  t.is(stored.taken, 258)
  t.true(readBookRecord(stored.bytes, powers).ok)
  t.deepEqual(Buffer.from(encodeStored(stored)), Buffer.from(bytes))
  const store = await openStore()
  const newer = Uint8Array.from(bytes)
  newer[0] = 2
  await store.write([{ kind: 'put', key: `r/root/${root.id}`, value: newer }], { sync: true })
  await t.throwsAsync(openBook({ store }), { code: 'newer-format', message: /update this node/ })
})
