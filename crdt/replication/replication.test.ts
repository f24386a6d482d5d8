import test from 'ava'
import fc from 'fast-check'
import { formatLaneName } from '../lane/index.ts'
import { replicationLimits } from './index.ts'
import { createPipe, type PipeOptions } from './link-pipe.contract.ts'
import { decodeMessage } from './message.ts'
import {
  carries,
  createNode,
  idNamed,
  lanes,
  makeList,
  peerOf,
  quiet,
  records,
  type SceneNode,
} from './replication-scene.contract.ts'

const north = carries('/north')

/** Links a child below a parent, in that order. */
const linked = (parent: SceneNode, child: SceneNode, at = '/north', options: PipeOptions = {}) => {
  const pipe = createPipe(options)
  return {
    pipe,
    down: parent.replicator.serve(pipe.left, peerOf(child.name, at, { recordsFor: at })),
    up: child.replicator.serve(pipe.right, peerOf(parent.name, at)),
  }
}

const kindsOf = (link: ReturnType<typeof linked>): readonly string[] =>
  link.pipe.passed.map(({ bytes }) => {
    const read = decodeMessage(bytes)
    return read.ok ? read.message.kind : read.refusal.code
  })

const inSync = async ({ down, up }: ReturnType<typeof linked>) => {
  await Promise.all([down.inSync, up.inSync])
}

const towerWith = async (seed = 1): Promise<SceneNode> => {
  const tower = await createNode('tower', { seed })
  for (const lane of [lanes.intent, lanes.parent, lanes.south]) await tower.create(lane, 'tower')
  for (const n of [1, 2, 3]) await tower.put(lanes.parent, 'tower', { [`host/a${n}`]: n })
  await tower.put(lanes.south, 'tower', { secret: 'of the south' })
  return tower
}

test('a child gets the lanes it may hold, records first, and the two are in sync', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north', {}, [])
  const link = linked(tower, child)
  await inSync(link)
  t.is(child.book.ownerAt('/north', 'zone')?.list, records.north.id)
  t.is(child.book.ownerAt('/south', 'zone'), undefined)
  t.deepEqual(await child.told(), await tower.told(north))
  t.is(child.documents.idOf(lanes.south), undefined)
  t.deepEqual([...link.down.counts().refused, ...link.up.counts().refused], [])
})

test('two ends that agree say one message each', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  for (let n = 0; n < 60; n++) await tower.create({ ...lanes.intent, tenant: idNamed(`tenant ${n}`) }, 'tower')
  const first = linked(tower, child)
  await inSync(first)
  first.pipe.cut()
  t.is(Object.keys(await child.told()).length, 62)
  const again = linked(tower, child)
  await inSync(again)
  await quiet()
  t.deepEqual(kindsOf(again), ['meet', 'meet'])
  t.deepEqual([again.down.counts().sentBytes, again.up.counts().sentBytes], [71, 71])
})

test('what was written on either side of one lane while they were apart is on both', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  const first = linked(tower, child)
  await inSync(first)
  first.pipe.cut()
  await Promise.all([first.down.done, first.up.done])
  await tower.put(lanes.parent, 'tower', { 'host/a1': 'above' })
  await child.put(lanes.parent, 'tower-2', { 'host/a1': 'below' })
  await child.create(lanes.own, 'north')
  await child.put(lanes.own, 'north', { policy: 'strict' })
  const second = linked(tower, child)
  await inSync(second)
  t.deepEqual(await child.told(north), await tower.told(north))
  t.is((await tower.documents.standing(tower.documents.idOf(lanes.parent) ?? '')).get('host/a1')?.length, 2)
  t.not(tower.documents.idOf(lanes.own), undefined)
  t.deepEqual([...second.down.counts().refused, ...second.up.counts().refused], [])
  const kinds = kindsOf(second)
  t.is(kinds.filter((kind) => kind === 'meet').length, 4)
  t.is(kinds.filter((kind) => kind === 'digest').length, 2)
})

test('a change goes once over each link, in one encoding, and not back to who brought it', async (t) => {
  const tower = await towerWith()
  const [a, b] = [await createNode('north'), await createNode('north-2', { seed: 2 })]
  const [left, right] = [linked(tower, a), linked(tower, b)]
  await Promise.all([inSync(left), inSync(right)])
  const before = [left.pipe.passed.length, right.pipe.passed.length]
  await a.put(lanes.parent, 'tower-2', { 'host/new': true })
  await quiet()
  const news = [left, right].map((link, at) => link.pipe.passed.slice(before[at]))
  t.deepEqual(
    news.map((all) => all.map(({ from }) => from)),
    [['right'], ['left']],
  )
  await tower.put(lanes.parent, 'tower', { 'host/other': true })
  await quiet()
  t.is(left.pipe.passed.at(-1)?.bytes, right.pipe.passed.at(-1)?.bytes)
  t.deepEqual(await b.told(north), await a.told(north))
})

test('a lane begun later, and a record that comes later, go down as they come', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  const link = linked(tower, child)
  await inSync(link)
  const next = makeList('/north', ['north', 'north-3'], 'tower', { generation: 2 })
  await tower.book.take([next.bytes, makeList('/south', ['south'], 'tower', { generation: 2 }).bytes])
  await quiet()
  t.is(child.book.ownerAt('/north', 'zone')?.list, next.id)
  t.is(child.book.ownerAt('/south', 'zone')?.list, records.south.id)
  await child.create(lanes.own, 'north-3')
  await child.put(lanes.own, 'north-3', { policy: 'new' })
  await quiet()
  t.deepEqual(await tower.told(north), await child.told(north))
})

test('a tower that lost the tail of its lanes gets it back from its child, and the lost lane too', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  const first = linked(tower, child)
  await inSync(first)
  const restored = await createNode('tower', { seed: 7 })
  const id = tower.documents.idOf(lanes.parent) ?? ''
  const owner = restored.book.ownerAt('/', 'zone')!
  await restored.documents.takeGenesis((await tower.documents.genesisOf(id))!, owner, 'backup')
  const [oldest] = await tower.documents.envelopes(id, new Set(await tower.documents.hashes(id)))
  await restored.documents.take(id, [oldest!], 'backup')
  t.deepEqual(restored.documents.ids(), [id])
  const link = linked(restored, child)
  await inSync(link)
  t.deepEqual(await restored.told(), await tower.told(north))
  t.deepEqual(restored.documents.summaryOf(id), tower.documents.summaryOf(id))
  t.deepEqual([...link.down.counts().refused], [])
})

test('three nodes in a row come to hold the same, also what the outer two may share', async (t) => {
  const tower = await towerWith()
  const [middle, other] = [await createNode('north'), await createNode('north-2', { seed: 2 })]
  const links = [linked(tower, middle), linked(middle, other)]
  await Promise.all(links.map(inSync))
  await other.put(lanes.parent, 'tower-2', { from: 'the far end' })
  await tower.put(lanes.parent, 'tower', { from: 'the near end' })
  await quiet(40)
  const expected = await tower.told(north)
  t.deepEqual(await middle.told(north), expected)
  t.deepEqual(await other.told(north), expected)
})

test('a document of many envelopes is compared in parts, and only what is lacking is sent', async (t) => {
  const limits = { ...replicationLimits, hashes: 4, messageBytes: 2_048 }
  const tower = await createNode('tower', { limits })
  const child = await createNode('north', { limits })
  await tower.create(lanes.parent, 'tower')
  for (let n = 0; n < 30; n++) await tower.put(lanes.parent, 'tower', { count: n })
  const first = linked(tower, child)
  await inSync(first)
  first.pipe.cut()
  for (let n = 0; n < 10; n++) await child.put(lanes.parent, 'tower-2', { other: n })
  await tower.put(lanes.parent, 'tower', { count: 99 })
  const second = linked(tower, child)
  await inSync(second)
  t.deepEqual(await child.told(), await tower.told())
  t.true(second.pipe.passed.every(({ bytes }) => bytes.length <= limits.messageBytes))
  const sent = second.pipe.passed.flatMap(({ bytes }) => {
    const read = decodeMessage(bytes)
    return read.ok && read.message.kind === 'envelopes' ? read.message.envelopes : []
  })
  t.is(sent.length, 11)
})

/** Two in sync, of which one may read no more than intents until `open` is called. */
const meetNarrowly = async () => {
  const tower = await towerWith()
  const child = await createNode('north')
  let isOpen = false
  const lets = (lane: Parameters<typeof north>[0]) => north(lane) && (isOpen || lane.kind === 'intent')
  const pipe = createPipe()
  const down = tower.replicator.serve(pipe.left, peerOf('north', '/north', { recordsFor: '/north', mayRead: lets }))
  const up = child.replicator.serve(pipe.right, peerOf('tower', '/north'))
  await Promise.all([down.inSync, up.inSync])
  const open = () => {
    isOpen = true
  }
  return { tower, child, open }
}

test('what a policy newly lets out is sent when the two meet again', async (t) => {
  const { tower, child, open } = await meetNarrowly()
  t.is(child.documents.idOf(lanes.parent), undefined)
  open()
  tower.replicator.refresh()
  await quiet()
  t.deepEqual(await child.told(), await tower.told(north))
})

test('what may pass since, and nobody told of, passes when the two next meet, which they do by themselves', async (t) => {
  const { tower, child, open } = await meetNarrowly()
  open()
  await quiet()
  t.is(child.documents.idOf(lanes.parent), undefined)
  tower.clock.advance(replicationLimits.meetEveryMs)
  await quiet()
  t.deepEqual(await child.told(), await tower.told(north))
})

test('a gap in what comes as it changes is noticed, and closed by a meeting', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  let drops = false
  const pipe = createPipe()
  const lossy = {
    ...pipe.left,
    send: async (message: Uint8Array) => {
      if (!drops) await pipe.left.send(message)
    },
  }
  const down = tower.replicator.serve(lossy, peerOf('north', '/north', { recordsFor: '/north' }))
  const up = child.replicator.serve(pipe.right, peerOf('tower', '/north'))
  await Promise.all([down.inSync, up.inSync])
  drops = true
  await tower.put(lanes.parent, 'tower', { 'host/a1': 'lost' })
  await quiet()
  drops = false
  await tower.put(lanes.parent, 'tower', { 'host/a1': 'there' })
  await quiet()
  t.deepEqual(await child.told(), await tower.told(north))
})

type Step = { readonly at: 'tower' | 'north'; readonly lane: keyof typeof lanes; readonly value: number }
const steps: fc.Arbitrary<Step> = fc.record({
  at: fc.constantFrom('tower' as const, 'north' as const),
  lane: fc.constantFrom('intent' as const, 'parent' as const, 'own' as const, 'member' as const, 'south' as const),
  value: fc.nat(),
})

/** Each node's own lanes, and those of the owner above both, which has a key at each. */
const writes = async (node: SceneNode, { lane, value }: Step): Promise<void> => {
  const isTower = node.name === 'tower'
  const key = { tower: isTower ? 'tower' : 'tower-2', north: isTower ? 'north-2' : 'north' }[
    lane === 'own' || lane === 'member' ? 'north' : 'tower'
  ]
  // A lane has one document: it begins where its owner is at home.
  const isHome = (lane === 'own' || lane === 'member') !== isTower
  if (node.documents.idOf(lanes[lane]) === undefined && isHome) await node.create(lanes[lane], key)
  if (node.documents.idOf(lanes[lane]) === undefined || lane === 'intent') return
  await node.put(lanes[lane], key, { value, canary: `${lane} of ${node.name}` })
}

test('any writes on either side, cut off at any message, and both hold the same of what they share and nothing else', async (t) => {
  const rounds = fc.array(
    fc.record({
      before: fc.array(steps, { maxLength: 4 }),
      during: fc.array(steps, { maxLength: 3 }),
      cutAfter: fc.integer({ min: 1, max: 12 }),
    }),
    { maxLength: 4 },
  )
  await fc.assert(
    fc.asyncProperty(rounds, fc.array(steps, { maxLength: 3 }), async (cuts, last) => {
      const tower = await createNode('tower', { seed: 3 })
      const child = await createNode('north', { seed: 4 })
      const nodes = { tower, north: child }
      const passed: Uint8Array[] = []
      for (const { before, during, cutAfter } of cuts) {
        for (const step of before) await writes(nodes[step.at], step)
        const link = linked(tower, child, '/north', { cutAfter })
        for (const step of during) await writes(nodes[step.at], step)
        await quiet()
        link.pipe.cut()
        await Promise.all([link.down.done, link.up.done])
        passed.push(...link.pipe.passed.map(({ bytes }) => bytes))
      }
      const link = linked(tower, child)
      for (const step of last) await writes(nodes[step.at], step)
      await inSync(link)
      await quiet()
      passed.push(...link.pipe.passed.map(({ bytes }) => bytes))
      t.deepEqual(await child.told(north), await tower.told(north))
      for (const [holder, hidden] of [
        [tower, lanes.south],
        [child, lanes.member],
      ] as const) {
        const id = holder.documents.idOf(hidden)
        const other = holder === tower ? child : tower
        t.is(other.documents.idOf(hidden), undefined)
        const traces = [formatLaneName(hidden), id === undefined ? 'no such lane' : Buffer.from(id, 'hex')]
        t.false(passed.some((bytes) => traces.some((trace) => Buffer.from(bytes).includes(trace))))
      }
    }),
    { numRuns: 60 },
  )
})

test('records a child does not believe keep the two from meeting about the rest', async (t) => {
  const tower = await createNode('tower')
  const next = makeList('/', ['tower-2'], 'root', { generation: 2 })
  await tower.book.take([next.bytes])
  await tower.create(lanes.parent, 'tower-2')
  await tower.put(lanes.parent, 'tower-2', { 'host/a1': 1 })
  // Fresh: what the tower's first keys granted was not granted by those it has now.
  const child = await createNode('north', {}, [])
  const link = linked(tower, child)
  await inSync(link)
  t.is(child.book.ownerAt('/north', 'zone'), undefined)
  t.deepEqual([...link.up.counts().refused.keys()], ['not-enough-signatures'])
  t.deepEqual(await child.told(), await tower.told(north))
})

test('two ends that cannot agree stop comparing, and what changes later still goes over', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  const pipe = createPipe()
  const closed = { mayBring: (lane: Parameters<typeof north>[0]) => north(lane) && lane.kind !== 'intent' }
  const down = tower.replicator.serve(pipe.left, peerOf('north', '/north', { recordsFor: '/north' }))
  const up = child.replicator.serve(pipe.right, peerOf('tower', '/north', closed))
  await quiet(40)
  // Once more after the first meeting brought the other lane: by then the roots were others.
  t.is(up.counts().refused.get('forbidden'), 2)
  t.is(down.counts().refused.get('unsettled'), 1)
  const before = pipe.passed.length
  await quiet()
  t.is(pipe.passed.length, before)
  await tower.put(lanes.parent, 'tower', { 'host/a1': 'new' })
  await quiet()
  t.is(pipe.passed.length, before + 1)
  const isParent = (lane: Parameters<typeof north>[0]) => north(lane) && lane.kind === 'zone'
  t.deepEqual(await child.told(isParent), await tower.told(isParent))
})

test('what a full disk could not keep is asked for again when time has passed', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  const link = linked(tower, child)
  await inSync(link)
  child.disk.faults.isFull = true
  await tower.put(lanes.parent, 'tower', { 'host/a1': 'late' })
  await quiet()
  t.is(link.up.counts().refused.get('not-kept'), 1)
  child.disk.faults.isFull = false
  child.clock.advance(replicationLimits.answerEveryMs * replicationLimits.answers)
  await quiet(40)
  t.deepEqual(await child.told(), await tower.told(north))
})

test('a session that is stopped ends, and keeps nothing from being served anew', async (t) => {
  const tower = await towerWith()
  const child = await createNode('north')
  const first = linked(tower, child)
  await inSync(first)
  first.down.stop()
  first.up.stop()
  await Promise.all([first.down.done, first.up.done])
  const before = first.pipe.passed.length
  await tower.put(lanes.parent, 'tower', { 'host/a1': 9 })
  await quiet()
  t.is(first.pipe.passed.length, before)
  await inSync(linked(tower, child))
  t.deepEqual(await child.told(), await tower.told(north))
})
