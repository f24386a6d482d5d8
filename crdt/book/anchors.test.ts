import test from 'ava'
import { countersign, keyListKind, ownerOf } from '../authority/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import {
  bytesOf,
  keyNamed,
  lists,
  makeCertificate,
  makeList,
  openBook,
  openStore,
  root,
} from './book-scene.contract.ts'
import { anchorKey, decodeAnchor, encodeAnchor } from './stored-record.ts'

const firstList = (key: string) => makeList('/vault', [key], [key, 'tower'], { owner: null, succession: 'own' })
const own = firstList('vault-a')
const rival = firstList('thief-of-vault')
const anchors = new Map([['/vault', ownerOf(own)]])

test('an anchored zone is that owner or none, whatever was believed before and whatever is countersigned after', async (t) => {
  const store = await openStore()
  const book = await openBook({ store })
  const before = [root, lists.tower, rival, makeCertificate('thief-host', '/vault', '/', 'tower')]
  await book.take(bytesOf(before))
  t.is(book.ownerAt('/vault', 'zone')?.id, ownerOf(rival))
  t.truthy(book.certificateOf(keyNamed('thief-host').keyId))
  await book.anchor(anchors)
  t.is(book.ownerAt('/vault', 'zone'), undefined)
  t.is(book.owner(ownerOf(rival)), undefined)
  t.is(book.certificateOf(keyNamed('thief-host').keyId), undefined, 'its key is not on the list of the zone')
  await book.take(bytesOf([own]))
  t.is(book.ownerAt('/vault', 'zone')?.id, ownerOf(own))
  await book.anchor(new Map([['/vault', ownerOf(rival)]]))
  t.deepEqual([...book.anchors()], [...anchors], 'an anchor holds for good')
  const again = await openBook({ store })
  t.deepEqual([...again.anchors()], [...anchors])
  t.is(again.ownerAt('/vault', 'zone')?.id, ownerOf(own))
  const [refused] = await again.take(bytesOf([rival]))
  t.is(refused?.kind, 'refused')
})

test('inside, a certificate of the parent counts for keys on the list of the zone alone', async (t) => {
  const book = await openBook({ anchors })
  const mine = makeCertificate('vault-a', '/vault', '/', 'tower')
  const other = makeCertificate('tower-friend', '/vault', '/', 'tower')
  const results = await book.take(bytesOf([root, lists.tower, own, mine, other]))
  t.deepEqual(
    results.map((result) => (result.kind === 'refused' ? String(result.refusal.code) : result.kind)),
    ['new', 'new', 'new', 'new', 'out-of-scope'],
  )
})

test('a parent whose keys changed signs the lists of a zone again, also those that are not the newest', async (t) => {
  const book = await openBook()
  const next = makeList('/vault', ['vault-a', 'vault-b'], ['vault-a'], {
    owner: ownerOf(own),
    succession: 'own',
    generation: 2,
    previous: own.id,
  })
  await book.take(bytesOf([root, lists.tower, own, next]))
  t.like(book.ownerAt('/vault', 'zone'), { generation: 2, isCountersigned: false })
  const tower = makeList('/', ['tower-2'], ['root'], { generation: 2, previous: lists.tower.id })
  await book.take(bytesOf([tower]))
  const signed = [own, next].map((list) => countersign(keyListKind, list, [keyNamed('tower-2')]))
  const results = await book.take(bytesOf(signed))
  t.deepEqual(
    results.map(({ kind }) => kind),
    ['new', 'new'],
  )
  t.like(book.ownerAt('/vault', 'zone'), { generation: 2, isCountersigned: true })
  const fresh = await openBook()
  await fresh.take(book.recordsFor('/vault').map(({ bytes }) => bytes))
  t.like(fresh.ownerAt('/vault', 'zone'), { id: ownerOf(own), generation: 2 })
  t.deepEqual(
    (await book.take(bytesOf(signed))).map(({ kind }) => kind),
    ['known', 'known'],
  )
})

test('a signature that does not hold does not keep out the one that does, and cannot take its place', async (t) => {
  const alone = makeList('/vault', ['vault-a'], ['vault-a'], { owner: null, succession: 'own' })
  const tower = keyNamed('tower')
  const spoiled = countersign(keyListKind, alone, [{ ...tower, sign: () => new Uint8Array(64) }])
  const good = countersign(keyListKind, alone, [tower])
  const book = await openBook({ anchors: new Map([['/vault', ownerOf(alone)]]) })
  await book.take(bytesOf([root, lists.tower, spoiled]))
  t.like(book.ownerAt('/vault', 'zone'), { isCountersigned: false })
  t.like(await book.take(bytesOf([good])), [{ kind: 'new' }])
  t.like(await book.take(bytesOf([spoiled])), [{ kind: 'known' }])
  t.like(book.ownerAt('/vault', 'zone'), { isCountersigned: true })
  t.deepEqual(Buffer.from(book.listsOf(ownerOf(alone))[0]?.bytes ?? []), Buffer.from(good.bytes))
})

test('the fixture of an anchor of format 1 reads, and a newer or damaged one stops the node in words', async (t) => {
  const bytes = fixture('anchor.1', () => encodeAnchor(ownerOf(own)))
  t.is(decodeAnchor(bytes), ownerOf(own))
  for (const [at, code] of [
    [2, 'newer-format'],
    [0, 'damaged-anchor'],
  ] as const) {
    const store = await openStore()
    const wrong = Uint8Array.from(bytes)
    wrong[0] = at
    await store.write([{ kind: 'put', key: anchorKey('/vault'), value: wrong }], { sync: true })
    await t.throwsAsync(openBook({ store }), { code })
  }
})
