import test from 'ava'
import { createMemoryDisk } from '../store/index.ts'
import { replicationLimits } from './index.ts'
import { createPipe, type PipeOptions } from './link-pipe.contract.ts'
import { decodeMessage } from './message.ts'
import { createNode, keyNamed, lanes, peerOf, quiet, type SceneNode } from './replication-scene.contract.ts'

const linked = (parent: SceneNode, child: SceneNode, options: PipeOptions = {}) => {
  const pipe = createPipe(options)
  return {
    pipe,
    down: parent.replicator.serve(pipe.left, peerOf(child.name, '/north', { recordsFor: '/north' })),
    up: child.replicator.serve(pipe.right, peerOf(parent.name, '/north')),
  }
}
const inSync = ({ down, up }: ReturnType<typeof linked>) => Promise.all([down.inSync, up.inSync])
const refusedOf = ({ down, up }: ReturnType<typeof linked>) => [...down.counts().refused, ...up.counts().refused]
const kindsOf = (link: ReturnType<typeof linked>): readonly string[] =>
  link.pipe.passed.map(({ bytes }) => {
    const read = decodeMessage(bytes)
    return read.ok ? read.message.kind : read.refusal.code
  })

const idOf = (node: SceneNode) => node.documents.idOf(lanes.parent)!
const seal = (node: SceneNode, key = 'tower') => {
  const owner = node.book.ownerAt('/', 'zone')!
  return node.documents.seal(idOf(node), { owner, signer: keyNamed(key) })
}
const values = async (node: SceneNode) =>
  Object.fromEntries(
    [...(await node.documents.standing(idOf(node)))].map(([key, puts]) => [key, puts.map(({ value }) => value)]),
  )

const same = async (one: SceneNode, two: SceneNode) => ({
  a: [one.documents.summaryOf(idOf(one)), await values(one)],
  b: [two.documents.summaryOf(idOf(two)), await values(two)],
})

const towerWith = async (changes = 3) => {
  const tower = await createNode('tower')
  await tower.create(lanes.parent, 'tower')
  for (let n = 0; n < changes; n++) await tower.put(lanes.parent, 'tower', { [`host/a${n}`]: n })
  return tower
}

test('a seal goes to whoever is linked as one record, and both write on in the new epoch', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  const link = linked(tower, child)
  await inSync(link)
  const before = link.pipe.passed.length
  await seal(tower)
  await quiet()
  t.is(child.documents.epochOf(idOf(tower))?.epoch, 2)
  t.deepEqual(kindsOf(link).slice(before), ['genesis'])
  t.true(link.pipe.passed.slice(before).reduce((sum, { bytes }) => sum + bytes.length, 0) < 1_500)
  await tower.put(lanes.parent, 'tower', { 'host/b': 'after' })
  await quiet()
  const { a, b } = await same(tower, child)
  t.deepEqual(a, b)
  t.deepEqual(refusedOf(link), [])
})

test('who was away while the lane was sealed works out each seal; who was away longer takes the lane with its base', async (t) => {
  for (const seals of [1, 2, 3, 5]) {
    const tower = await towerWith()
    const child = await createNode('north')
    const first = linked(tower, child)
    await inSync(first)
    first.pipe.cut()
    for (let n = 0; n < seals; n++) {
      await tower.put(lanes.parent, 'tower', { [`host/a${n}`]: `later ${n}` })
      await seal(tower)
    }
    await tower.put(lanes.parent, 'tower', { 'host/b': 'now' })
    const again = linked(tower, child)
    await inSync(again)
    await quiet()
    const { a, b } = await same(tower, child)
    t.deepEqual(a, b, `${seals} seals`)
    t.deepEqual(refusedOf(again), [])
    t.is(kindsOf(again).includes('base'), seals > 2, `${seals} seals`)
    t.deepEqual(child.documents.lateNames(idOf(child)).length > 0, seals > 2)
  }
})

test('who never had the lane gets it with its base, and no change of before', async (t) => {
  const tower = await towerWith(20)
  await seal(tower)
  await tower.put(lanes.parent, 'tower', { 'host/b': 'now' })
  const child = await createNode('north')
  const link = linked(tower, child)
  await inSync(link)
  const { a, b } = await same(tower, child)
  t.deepEqual(a, b)
  t.is((await child.documents.hashes(idOf(child))).length, 1)
  t.is((await child.documents.hashes(idOf(child), 1)).length, 0)
  t.deepEqual(refusedOf(link), [])
})

test('a base that is larger than a message comes in pieces', async (t) => {
  const limits = { ...replicationLimits, messageBytes: 2_000 }
  const tower = await createNode('tower', { limits })
  await tower.create(lanes.parent, 'tower')
  for (let n = 0; n < 20; n++) await tower.put(lanes.parent, 'tower', { [`host/a${n}`]: 'x'.repeat(700) })
  await seal(tower)
  const child = await createNode('north', { limits })
  const link = linked(tower, child)
  await inSync(link)
  const { a, b } = await same(tower, child)
  t.deepEqual(a, b)
  t.true(kindsOf(link).filter((kind) => kind === 'base').length > 5)
})

test('what was written while away is late on every node, however it comes there', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  const first = linked(tower, child)
  await inSync(first)
  first.pipe.cut()
  await child.put(lanes.parent, 'tower-2', { 'host/lost': 'lost' })
  const other = await createNode('north-2')
  const beside = linked(tower, other)
  await inSync(beside)
  await seal(tower)
  const again = linked(tower, child)
  await inSync(again)
  await quiet(60)
  const { a, b } = await same(tower, child)
  t.deepEqual(a, b)
  for (const node of [tower, child, other]) {
    const [late, ...more] = await node.documents.late(idOf(tower))
    t.deepEqual(more, [])
    t.deepEqual(late?.puts, [{ key: 'host/lost', value: 'lost' }], node.name)
    t.is(late?.author, keyNamed('tower-2').keyId)
  }
  // Who comes later hears of it too.
  const third = await createNode('north-3')
  await inSync(linked(tower, third))
  await quiet()
  t.is((await third.documents.late(idOf(tower))).length, 1)
  t.deepEqual([...refusedOf(first), ...refusedOf(beside), ...refusedOf(again)], [])
})

test('two seals of one number: the nodes come to one, and what was written in the other is late on both', async (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const tower = await towerWith(seed)
    const child = await createNode('north')
    const first = linked(tower, child)
    await inSync(first)
    first.pipe.cut()
    await tower.put(lanes.parent, 'tower', { 'host/tower': 'tower' })
    await child.put(lanes.parent, 'tower-2', { 'host/child': 'child' })
    await seal(tower)
    await seal(child, 'tower-2')
    await tower.put(lanes.parent, 'tower', { 'host/tower-2': 'after' })
    await child.put(lanes.parent, 'tower-2', { 'host/child-2': 'after' })
    const again = linked(tower, child)
    await inSync(again)
    await quiet(60)
    const { a, b } = await same(tower, child)
    t.deepEqual(a, b)
    const lost = await Promise.all([tower, child].map((node) => node.documents.late(idOf(node))))
    const said = lost.map((all) => all.flatMap(({ puts }) => puts.map(({ key }) => key)).toSorted())
    t.deepEqual(said[0], said[1])
    t.is(said[0]?.length, 2)
    // Nothing of either is gone: it stands, or it is late.
    const all = [...Object.keys(await values(tower)), ...said[0]!]
    for (const key of ['host/tower', 'host/child', 'host/tower-2', 'host/child-2']) t.true(all.includes(key), key)
    await tower.put(lanes.parent, 'tower', { 'host/on': 'on' })
    await child.put(lanes.parent, 'tower-2', { 'host/on-2': 'on' })
    await quiet()
    const after = await same(tower, child)
    t.deepEqual(after.a, after.b)
    t.deepEqual(tower.documents.quarantined(), [])
  }
})

test('a link that breaks anywhere in the exchange leaves both to come to the same on the next', async (t) => {
  const seen = new Set<number>()
  for (let cutAfter = 1; cutAfter < 14; cutAfter++) {
    const tower = await towerWith()
    const child = await createNode('north', { disk: createMemoryDisk() })
    const first = linked(tower, child)
    await inSync(first)
    first.pipe.cut()
    await child.put(lanes.parent, 'tower-2', { 'host/lost': 'lost' })
    for (let n = 0; n < 3; n++) {
      await tower.put(lanes.parent, 'tower', { [`host/a${n}`]: `later ${n}` })
      await seal(tower)
    }
    await tower.put(lanes.parent, 'tower', { 'host/b': 'now' })
    const broken = linked(tower, child, { cutAfter })
    await quiet(60)
    seen.add(broken.pipe.passed.length)
    const again = linked(tower, child)
    await inSync(again)
    await quiet(60)
    const { a, b } = await same(tower, child)
    t.deepEqual(a, b, `after ${cutAfter}`)
    t.true((await tower.documents.late(idOf(tower))).some(({ puts }) => puts[0]?.key === 'host/lost'))
  }
  t.true(seen.size > 5)
})
