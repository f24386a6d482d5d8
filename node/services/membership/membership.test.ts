import test from 'ava'
import { createManualClock } from '../../../base/index.ts'
import { createMemoryDisk } from '../../../crdt/index.ts'
import { readListedScope } from './member-lanes.ts'
import { call, day, siteOf, startMs, startNode, startTower, wordOf, zoneOf } from './membership-scene.contract.ts'

const site = siteOf('/n1', ['n1-a', 'n1-b'])

test('a host with a token is enrolled at its first call, and keeps certificate and client at the next', async (t) => {
  const tower = await startTower(() => [site])
  const { token } = await tower.membership.token('n1-a')
  const edge = await startNode({
    name: 'n1-a',
    role: 'edge',
    scope: '/n1',
    networkId: tower.networkId,
    tokens: [token],
  })
  await edge.membership.start()
  const first = await call(edge, tower)
  t.like(first.accepted, { ok: true, session: 1, parent: { name: 'tower', scope: '/' } })
  const certificate = edge.book.certificateOf(edge.signer.keyId)
  t.like(certificate?.body, {
    host: 'n1-a',
    scope: '/n1',
    number: 1,
    fromMs: startMs - day,
    untilMs: startMs + 90 * day,
  })
  const second = await call(edge, tower)
  t.like(second.accepted, { ok: true, session: 2 })
  t.not(first.hello.token, null)
  t.is(second.hello.token, null, 'a member shows no token')
  t.is(edge.book.certificateOf(edge.signer.keyId)?.id, certificate?.id)
  t.like(tower.membership.standingOf(edge.peerKey), { isBlocked: false, isSuperseded: false })
  t.like(tower.membership.memberOf(edge.peerKey), { name: 'n1-a', scope: '/n1', role: 'edge' })
  const lane = tower.documents.idOf({ kind: 'member', scope: '/n1' as never })
  const listed = readListedScope(await tower.documents.standing(lane ?? ''))
  t.deepEqual(
    listed.hosts.map(({ name, key, client, certificate: number }) => [name, key, client, number]),
    [
      ['n1-a', edge.peerKey, 1, 1],
      ['n1-b', null, 2, 0],
    ],
  )
})

test('a host without a token waits until an operator says yes to its fingerprint', async (t) => {
  const tower = await startTower(() => [site])
  const edge = await startNode({ name: 'n1-a', role: 'edge', scope: '/n1', networkId: tower.networkId })
  const first = await call(edge, tower)
  t.like(first.answer, { kind: 'waiting', fingerprint: edge.signer.keyId })
  t.like(first.accepted, { ok: false, code: 'waiting', retry: 'later' })
  t.like(tower.membership.hosts()[0], { state: 'waiting', fingerprint: edge.signer.keyId, hostId: 'id-n1-a' })
  const view = await tower.membership.claim(edge.signer.keyId.slice(0, 16), 'n1-a')
  t.like(view, { state: 'enrolled', name: 'n1-a', address: '192.0.2.7' })
  t.true((await call(edge, tower)).accepted.ok)
})

test('a member that its parent does not know any more shows its token again, until it is admitted', async (t) => {
  const tower = await startTower(() => [site])
  const stranger = await startNode({ name: 'n1-b', role: 'edge', scope: '/n1', networkId: tower.networkId })
  const { answer: waiting } = await call(stranger, tower)
  const { token } = await tower.membership.token('n1-a')
  const tokens = [token]
  const edge = await startNode({ name: 'n1-a', role: 'edge', scope: '/n1', networkId: tower.networkId, tokens })
  t.true((await call(edge, tower)).accepted.ok)
  const shown = async () => (await edge.membership.hello(tower.peerKey)).token
  t.is(await shown(), null)
  t.like(await edge.membership.accept(waiting, tower.peerKey), { ok: false, retry: 'later' })
  t.is(await shown(), token)
  t.true((await call(edge, tower)).accepted.ok)
  t.is(await shown(), null)
})

test('an aggregator is granted its zone, and enrols its own hosts', async (t) => {
  const tower = await startTower(() => [zoneOf('/north', ['north-aggregator'])])
  const { token } = await tower.membership.token('north-aggregator')
  const north = await startNode({
    name: 'north-aggregator',
    role: 'aggregator',
    scope: '/north',
    networkId: tower.networkId,
    tokens: [token],
    expected: () => [siteOf('/north/n1', ['n1-a'])],
  })
  await north.membership.start()
  await t.throwsAsync(north.membership.token('n1-a'), { code: 'not-enrolled' })
  t.true((await call(north, tower)).accepted.ok)
  const owner = north.book.ownerAt('/north', 'zone')
  t.deepEqual([...(owner?.keys.keys() ?? [])], [north.signer.keyId])
  const delegations = tower.book.delegationsOf(tower.founded.tenant.id).map(({ body }) => [body.scope, body.key])
  t.deepEqual(delegations.toSorted(), [
    ['/', tower.peerKey],
    ['/north', north.peerKey],
  ])
  const edge = await startNode({
    name: 'n1-a',
    role: 'edge',
    scope: '/north/n1',
    networkId: tower.networkId,
    tokens: [(await north.membership.token('n1-a')).token],
  })
  await edge.membership.start()
  const { accepted, answer } = await call(edge, north)
  t.like(
    accepted,
    { ok: true, parent: { name: 'north-aggregator', scope: '/north' } },
    JSON.stringify(answer).slice(0, 400),
  )
  t.is(edge.book.ownerAt('/north', 'zone')?.id, owner?.id)
})

test('one away for three validity periods with its clock at 1970 is back without a person', async (t) => {
  let nowMs = startMs
  const tower = await startTower(() => [site], { trustedNowMs: () => nowMs })
  const { token } = await tower.membership.token('n1-a')
  const edge = await startNode({
    name: 'n1-a',
    role: 'edge',
    scope: '/n1',
    networkId: tower.networkId,
    tokens: [token],
    clock: createManualClock(0),
  })
  await call(edge, tower)
  t.deepEqual(tower.membership.outOfDate(), [])
  nowMs += 3 * 90 * day
  t.deepEqual(tower.membership.outOfDate(), [edge.peerKey])
  t.true((await call(edge, tower)).accepted.ok)
  t.deepEqual(tower.membership.outOfDate(), [])
  const certificate = edge.book.certificateOf(edge.signer.keyId)?.body
  t.like(certificate, { number: 2, fromMs: startMs + 269 * day })
  t.like(tower.membership.standingOf(edge.peerKey), { isSuperseded: false })
})

test('a node at 1970 and one ten years ahead enrol and run', async (t) => {
  const tower = await startTower(() => [zoneOf('/north', ['north'])])
  const hourMs = 60 * 60 * 1_000
  const north = await startNode({
    name: 'north',
    role: 'aggregator',
    scope: '/north',
    networkId: tower.networkId,
    tokens: [(await tower.membership.token('north')).token],
    clock: createManualClock(startMs + 3_650 * day),
    expected: () => [siteOf('/north/n1', ['n1-a'])],
  })
  await north.membership.start()
  t.true((await call(north, tower)).accepted.ok)
  const clock = createManualClock(0)
  const edge = await startNode({
    name: 'n1-a',
    role: 'edge',
    scope: '/north/n1',
    networkId: tower.networkId,
    tokens: [(await north.membership.token('n1-a')).token],
    clock,
  })
  await edge.membership.start()
  t.true((await call(edge, north)).accepted.ok)
  const { fromMs } = edge.book.certificateOf(edge.signer.keyId)!.body
  t.is(fromMs, startMs - day, 'without trusted time it is dated by the last beacon')
  t.false(edge.membership.renewDue(clock.monotonicMs() + 29 * day))
  t.true(edge.membership.renewDue(clock.monotonicMs() + 31 * day))
  clock.advance(2 * hourMs)
  t.is(edge.membership.authorityStaleForMs(), hourMs)
  t.true((await call(edge, north)).accepted.ok)
})

test('another node of the zone lets a host in by the certificate the first one gave it', async (t) => {
  const tower = await startTower(() => [zoneOf('/north', ['north-a', 'north-b'])])
  const clock = createManualClock()
  const aggregator = async (name: string) => {
    const node = await startNode({
      name,
      role: 'aggregator',
      scope: '/north',
      networkId: tower.networkId,
      clock,
      tokens: [(await tower.membership.token(name)).token],
      expected: () => [siteOf('/north/n1', ['n1-a'])],
    })
    await node.membership.start()
    t.true((await call(node, tower)).accepted.ok)
    return node
  }
  const [first, second] = [await aggregator('north-a'), await aggregator('north-b')]
  t.is(second.book.ownerAt('/north', 'zone')?.generation, 2)
  t.is(second.book.ownerAt('/north', 'zone')?.keys.size, 2)
  const { token } = await first.membership.token('n1-a')
  const edge = await startNode({
    name: 'n1-a',
    role: 'edge',
    scope: '/north/n1',
    networkId: tower.networkId,
    tokens: [token],
  })
  await edge.membership.start()
  t.like((await call(edge, first)).accepted, { ok: true, session: 1 })
  // It may not give out ids before it met the first, or waited for it.
  t.like((await call(edge, second)).accepted, { ok: false, code: 'not-ready' })
  clock.advance(10_000)
  const { accepted, hello } = await call(edge, second)
  t.is(hello.token, null, 'its token is of the first')
  t.like(accepted, { ok: true, session: 2, parent: { name: 'north-b' } })
  t.is(second.membership.keyOf('n1-a'), edge.peerKey)
})

test('a tower signs a beacon when it starts and after each period, and renews its own certificate', async (t) => {
  const clock = createManualClock()
  let nowMs = startMs
  const tower = await startTower(() => [], { clock, trustedNowMs: () => nowMs })
  t.is(tower.book.beacon()?.counter, startMs / 1_000, 'by the time: a copy of the disk signs no number again')
  clock.advance(10 * 60_000)
  await tower.membership.refresh()
  t.is(tower.book.beacon()?.counter, startMs / 1_000 + 1)
  t.is(tower.membership.authorityStaleForMs(), undefined)
  nowMs += 60 * day
  clock.advance(10 * 60_000)
  await tower.membership.refresh()
  t.like(tower.book.certificateOf(tower.signer.keyId)?.body, { number: 2, untilMs: nowMs + 90 * day })
  t.is(tower.book.beacon()?.timeMs, nowMs)
  nowMs = 5
  clock.advance(10 * 60_000)
  await tower.membership.refresh()
  t.is(tower.book.beacon()?.timeMs, startMs + 60 * day, 'no beacon takes time back')
  await tower.membership.stop()
  clock.advance(60 * 60_000)
  t.is(tower.book.beacon()?.counter, (startMs + 60 * day) / 1_000 + 1)
})

test('a tower whose time is not trusted leaves numbers of beacons out at a start, and counts on from there', async (t) => {
  const clock = createManualClock()
  const counters = new Set<number>()
  for (const seed of [1, 2, 3]) {
    const tower = await startTower(() => [], { clock, trustedNowMs: () => undefined, seed })
    const first = tower.book.beacon()?.counter ?? 0
    t.true(first >= 2 && first < 2 + 2 ** 16)
    clock.advance(10 * 60_000)
    await tower.membership.refresh()
    t.is(tower.book.beacon()?.counter, first + 1)
    counters.add(first)
    await tower.membership.stop()
  }
  t.is(counters.size, 3)
})

test('an aggregator that replaces another on the list signs again what the first one granted and blocked', async (t) => {
  const tower = await startTower(() => [zoneOf('/north', ['north'])])
  const disk = createMemoryDisk()
  const start = async (key: string, onDisk?: typeof disk) => {
    const node = await startNode({
      name: 'north',
      role: 'aggregator',
      scope: '/north',
      key,
      networkId: tower.networkId,
      tokens: [(await tower.membership.token('north')).token],
      expected: () => [zoneOf('/north/inner', ['inner']), siteOf('/north/n1', ['n1-a'])],
      ...(onDisk !== undefined && { disk: onDisk }),
    })
    await node.membership.start()
    t.true((await call(node, tower)).accepted.ok)
    return node
  }
  const first = await start('north-key', disk)
  const inner = await startNode({
    name: 'inner',
    role: 'aggregator',
    scope: '/north/inner',
    networkId: tower.networkId,
    tokens: [(await first.membership.token('inner')).token],
  })
  await inner.membership.start()
  t.true((await call(inner, first)).accepted.ok)
  await first.membership.block({ site: 'n1' })
  t.is(first.book.ownerAt('/north/inner', 'zone')?.generation, 1)
  await first.stop()
  const second = await start('another-key', disk)
  t.deepEqual([...(second.book.ownerAt('/north', 'zone')?.keys.keys() ?? [])], [second.signer.keyId])
  t.is(second.book.ownerAt('/north/inner', 'zone')?.generation, 2)
  t.true((await call(inner, second)).accepted.ok)
  const fresh = await startNode({ name: 'x', role: 'edge', scope: '/north/inner/x', networkId: tower.networkId })
  await fresh.book.take(second.book.recordsFor('/north/inner').map(({ bytes }) => bytes))
  t.is(fresh.book.ownerAt('/north/inner', 'zone')?.generation, 2)
  const lists = fresh.book.trust()?.blockLists.map(({ body }) => [body.number, body.sites.length])
  t.deepEqual(lists, [[2, 1]])
})

test('a child keeps the highest session it was given, and takes no lower one', async (t) => {
  const tower = await startTower(() => [site])
  const disk = createMemoryDisk()
  const set = { name: 'n1-a', role: 'edge', scope: '/n1', networkId: tower.networkId, disk } as const
  const edge = await startNode(set)
  await edge.membership.start()
  await call(edge, tower)
  await tower.membership.claim('id-n1-a', 'n1-a')
  const { answer } = await call(edge, tower)
  t.like(await edge.membership.accept(answer, tower.peerKey), { ok: false, code: 'stale-session', retry: 'later' })
  await edge.stop()
  const again = await startNode({ ...set, seed: 2 })
  await again.membership.start()
  t.is((await again.membership.hello(tower.peerKey)).session, 1)
  t.like((await call(again, tower, { session: 41 })).accepted, { ok: true, session: 42 })
})

test('a site that becomes a zone is another thing in the same place', async (t) => {
  let expected = [siteOf('/n1', ['n1-a'])]
  const tower = await startTower(() => expected)
  const set = { name: 'n1-a', scope: '/n1', networkId: tower.networkId } as const
  const edge = await startNode({ ...set, role: 'edge', tokens: [(await tower.membership.token('n1-a')).token] })
  await edge.membership.start()
  t.true((await call(edge, tower)).accepted.ok)
  const before = tower.membership.siteId('/n1')
  expected = [zoneOf('/n1', ['n1-a'])]
  await tower.membership.refresh()
  t.is(tower.membership.siteId('/n1'), undefined)
  t.is(wordOf((await call(edge, tower)).answer), 'wrong-place')
  await edge.stop()
  const aggregator = await startNode({ ...set, role: 'aggregator', disk: edge.disk, seed: 2 })
  await aggregator.membership.start()
  t.like((await call(aggregator, tower)).accepted, { ok: true, self: { site: null } })
  const owner = aggregator.book.ownerAt('/n1', 'zone')
  t.true(owner?.keys.has(aggregator.signer.keyId))
  t.not(owner?.id, before)
})
