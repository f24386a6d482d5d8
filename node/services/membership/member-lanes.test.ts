import test from 'ava'
import { createSeededRandom, parseScopePath } from '../../../base/index.ts'
import { createMemoryDisk } from '../../../crdt/index.ts'
import { type ExpectedScope, expectedBelow, readListedScope } from './index.ts'
import { recordKey } from './member-records.ts'
import { call, type SceneNode, siteOf, startNode, startTower, zoneOf } from './membership-scene.contract.ts'

const listedAt = async ({ documents }: SceneNode, scope: string) => {
  const id = documents.idOf({ kind: 'member', scope: parseScopePath(scope) })
  return readListedScope(id === undefined ? new Map() : await documents.standing(id))
}
const lines = async (node: SceneNode, scope: string) =>
  (await listedAt(node, scope)).hosts.map(
    ({ name, client, key, isGone }) => `${name} ${client}${key === null ? '' : ' enrolled'}${isGone ? ' gone' : ''}`,
  )

const edgeAt = (tower: SceneNode, scope: string, name: string, token: string, key = name) =>
  startNode({ name, role: 'edge', scope, networkId: tower.book.networkId() ?? '', tokens: [token], key })

test('every expected site and zone has its lane before anybody enrols', async (t) => {
  const tower = await startTower(() => [siteOf('/n1', ['n1-a']), zoneOf('/north', ['north-a'])])
  const listed = await listedAt(tower, '/n1')
  t.like(listed, { name: 'n1', labels: { 'shop.example/size': 'large' } })
  t.is(listed.id, tower.membership.siteId('/n1'))
  t.deepEqual(await lines(tower, '/n1'), ['n1-a 1'])
  const zone = tower.documents.idOf({ kind: 'zone', scope: parseScopePath('/north'), side: 'parent' })
  const north = readListedScope(await tower.documents.standing(zone ?? ''))
  t.deepEqual(
    north.hosts.map(({ name, key }) => [name, key]),
    [['north-a', null]],
  )
})

test('lanes follow the topology, and a client is never given again in a site', async (t) => {
  let expected: readonly ExpectedScope[] = [siteOf('/n1', ['a', 'b']), siteOf('/n2', [])]
  const tower = await startTower(() => expected)
  const edge = await edgeAt(tower, '/n1', 'a', (await tower.membership.token('a')).token)
  await call(edge, tower)
  const cut: string[] = []
  tower.membership.onChange((event) => cut.push(...event.cut))
  const change = async (next: readonly ExpectedScope[]) => {
    expected = next
    await tower.membership.refresh()
    return [await lines(tower, '/n1'), await lines(tower, '/n2')]
  }
  t.deepEqual(await change([siteOf('/n1', ['b', 'c']), siteOf('/n2', ['a'])]), [
    ['a 1 gone', 'b 2', 'c 3'],
    ['a 1 enrolled'],
  ])
  t.deepEqual(cut, [edge.peerKey], 'it has to join anew where it is now')
  t.deepEqual(await change([siteOf('/n1', ['b', 'a']), siteOf('/n2', [])]), [
    ['a 4 enrolled', 'b 2', 'c 3 gone'],
    ['a 1 gone'],
  ])
  t.true((await call(edge, tower)).accepted.ok, 'its key is still its own')
  t.deepEqual(await change([siteOf('/n2', [])]), [['a 4 enrolled gone', 'b 2 gone', 'c 3 gone'], ['a 1 gone']])
  t.is((await call(edge, tower)).answer.kind, 'waiting')
  t.is(tower.membership.standingOf(edge.peerKey), undefined)
  t.deepEqual(await change([siteOf('/n1', ['a', 'b', 'c', 'd']), siteOf('/n2', [])]), [
    ['a 4 enrolled', 'b 2', 'c 3', 'd 5'],
    ['a 1 gone'],
  ])
  t.true((await call(edge, tower)).accepted.ok)
})

test('another machine in a host gets another client, and the old one is cut', async (t) => {
  const tower = await startTower(() => [siteOf('/n1', ['a', 'b'])])
  const first = await edgeAt(tower, '/n1', 'a', (await tower.membership.token('a')).token)
  await call(first, tower)
  const cut: string[] = []
  tower.membership.onChange((event) => cut.push(...event.cut))
  const second = await edgeAt(tower, '/n1', 'a', (await tower.membership.token('a')).token, 'new-disk')
  t.true((await call(second, tower)).accepted.ok)
  t.deepEqual(cut, [first.peerKey])
  t.deepEqual(await lines(tower, '/n1'), ['a 3 enrolled', 'b 2'])
  t.is((await call(first, tower)).answer.kind, 'refused')
  t.is((await tower.membership.claim(first.signer.keyId, 'a')).state, 'enrolled')
  t.deepEqual(await lines(tower, '/n1'), ['a 4 enrolled', 'b 2'])
  t.is((await call(second, tower)).answer.kind, 'refused')
})

test('a restart writes nothing that was written, and a token outlives it', async (t) => {
  const disk = createMemoryDisk()
  const expected = () => [siteOf('/n1', ['a', 'b']), zoneOf('/north', ['c'])]
  const tower = await startTower(expected, { disk })
  const { token } = await tower.membership.token('b')
  const edge = await edgeAt(tower, '/n1', 'a', (await tower.membership.token('a')).token)
  await call(edge, tower)
  const state = ({ documents }: SceneNode) => documents.ids().map((id) => [id, documents.summaryOf(id)])
  const before = state(tower)
  await tower.stop()
  const again = await startTower(expected, { disk, seed: 2 })
  t.deepEqual(state(again), before)
  t.like((await call(edge, again)).accepted, { ok: true, session: 2 })
  t.deepEqual(state(again), before, 'admitted again, it is the same host')
  const other = await edgeAt(again, '/n1', 'b', token)
  t.true((await call(other, again)).accepted.ok)
})

test('records that are damaged are made again from the lanes: no id, client or key changes', async (t) => {
  const disk = createMemoryDisk()
  const expected = () => [siteOf('/n1', ['a', 'b'])]
  const tower = await startTower(expected, { disk })
  const edge = await edgeAt(tower, '/n1', 'a', (await tower.membership.token('a')).token)
  await call(edge, tower)
  const id = tower.membership.siteId('/n1')
  const before = await lines(tower, '/n1')
  await tower.stop()
  for (const key of [recordKey.host('a'), recordKey.scope('/n1')]) disk.damage(key, createSeededRandom(1))
  const again = await startTower(expected, { disk, seed: 2 })
  t.is(again.membership.siteId('/n1'), id)
  t.deepEqual(await lines(again, '/n1'), before)
  t.like((await call(edge, again)).accepted, { ok: true, session: 2 })
})

test('a record of a newer program stops the start in words', async (t) => {
  const disk = createMemoryDisk()
  const store = disk.store()
  await store.open()
  await store.write([{ kind: 'put', key: recordKey.host('a'), value: Buffer.from('{"v":2}') }], { sync: true })
  await store.close()
  await t.throwsAsync(
    startTower(() => [], { disk }),
    { code: 'newer-format', message: /m\/host\/a has a newer format/ },
  )
})

test('of one host written by two nodes at once every reader reads the same', (t) => {
  const value = (client: number, key: string | null, certificate: number) =>
    JSON.stringify({ _v: 1, ...(certificate > 0 && { certificate }), client, hostId: null, key, labels: {} })
  const put = (text: string) => ({ id: '1@a', key: 'host/a', value: text, entry: undefined, replaces: [] })
  const texts = [value(1, null, 0), value(2, 'aa'.repeat(32), 1), value(3, 'bb'.repeat(32), 2), '{"_v":1}', 'x']
  for (const order of [texts, texts.toReversed()]) {
    const listed = readListedScope(
      new Map([
        ['host/a', order.map(put)],
        ['host/-', [put(value(9, null, 0))]],
      ]),
    )
    t.deepEqual(
      listed.hosts.map(({ client }) => client),
      [3],
    )
  }
})

test('a topology says what a node of a zone enrols', async (t) => {
  const host = (name: string) => ({ name: name as never, labels: {} })
  const topology = {
    network: 'x',
    root: {
      path: '/',
      labels: { region: 'all' },
      zones: [{ path: '/north', labels: { color: 'red' }, hosts: [host('north-a')], zones: [], sites: [] }],
      sites: [
        { name: 'top', path: '/top', type: 'top', labels: {}, hosts: [host('tower')] },
        { name: 'n1', path: '/n1', type: 'edge', labels: { size: 'small' }, hosts: [{ ...host('a'), hostId: 'm' }] },
      ],
    },
  } as unknown as Parameters<typeof expectedBelow>[0]
  t.deepEqual(expectedBelow(topology, '/'), [
    {
      kind: 'site',
      scope: '/n1',
      name: 'n1',
      labels: { region: 'all', size: 'small', 'system/name': 'n1', 'system/type': 'edge' },
      hosts: [{ name: 'a', hostId: 'm', labels: { 'system/name': 'a' } }],
    },
    {
      kind: 'zone',
      scope: '/north',
      name: 'north',
      labels: { color: 'red' },
      hosts: [{ name: 'north-a', hostId: undefined, labels: { 'system/name': 'north-a' } }],
    },
  ])
  t.deepEqual(expectedBelow(topology, '/elsewhere'), [])
})
