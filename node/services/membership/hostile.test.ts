import test from 'ava'
import { parseScopePath } from '../../../base/index.ts'
import { type Certificate, certificateKind, keyListKind, sealRecord, toHex } from '../../../crdt/index.ts'
import type { JoinAdmitted, JoinHello } from './join-messages.ts'
import { capabilitiesOf } from './member-certificate.ts'
import {
  call,
  peerNamed,
  powers,
  type SceneNode,
  signerNamed,
  siteOf,
  startMs,
  startNode,
  startTower,
  wordOf,
  zoneOf,
} from './membership-scene.contract.ts'
import { createUnclaimed } from './unclaimed.ts'

/** A tower, an aggregator for each of two zones, and what is below the first. */
const twoZones = async () => {
  const tower = await startTower(() => [zoneOf('/north', ['north']), zoneOf('/south', ['south'])])
  const aggregator = async (name: string) => {
    const { token } = await tower.membership.token(name)
    const node = await startNode({
      name,
      role: 'aggregator',
      scope: `/${name}`,
      networkId: tower.networkId,
      tokens: [token],
      expected: () => [siteOf(`/${name}/${name}-site`, [`${name}-a`, `${name}-b`])],
    })
    await node.membership.start()
    await call(node, tower)
    return node
  }
  return { tower, north: await aggregator('north'), south: await aggregator('south') }
}

const edgeOf = async (
  parent: SceneNode,
  name: string,
  set: { readonly token?: boolean; readonly key?: string } = {},
) => {
  const networkId = parent.book.networkId() ?? ''
  const node = await startNode({
    name,
    role: 'edge',
    scope: `/${parent.name}/${parent.name}-site`,
    networkId,
    tokens: set.token === true ? [(await parent.membership.token(name)).token] : [],
    ...(set.key !== undefined && { key: set.key }),
  })
  await node.membership.start()
  return node
}

const certificateOf = (node: SceneNode, by: SceneNode, change: Partial<Certificate> = {}) => {
  const owner = by.book.ownerAt(by.name === 'tower' ? '/' : `/${by.name}`, 'zone')
  return sealRecord(
    certificateKind,
    {
      network: by.book.networkId() ?? '',
      key: node.peerKey,
      role: 'edge',
      scope: `/${by.name}/${by.name}-site`,
      site: 'ab'.repeat(16),
      host: `${by.name}-a`,
      capabilities: capabilitiesOf('edge'),
      issuer: owner?.id ?? '',
      generation: owner?.generation ?? 1,
      number: 1,
      sealing: null,
      fromMs: 0,
      untilMs: startMs * 2,
      ...change,
    },
    [by.signer],
    powers,
  )
}
const shown = (record: { readonly bytes: Uint8Array }): Partial<JoinHello> => ({ certificate: toHex(record.bytes) })

test('a host shows a certificate of this zone at another of its nodes; forged, old and foreign ones let nobody in', async (t) => {
  const { north, south } = await twoZones()
  const stranger = await edgeOf(north, 'north-a')
  const forged = certificateOf(stranger, { ...north, signer: stranger.signer })
  t.is(wordOf((await call(stranger, north, shown(forged))).answer), 'waiting', 'forged')
  const ofSouth = certificateOf(stranger, south, { scope: '/north/north-site', host: 'north-a' })
  t.is(wordOf((await call(stranger, north, shown(ofSouth))).answer), 'waiting', 'issued outside its scope')
  const elsewhere = certificateOf(stranger, north, { scope: '/north' })
  t.is(wordOf((await call(stranger, north, shown(elsewhere))).answer), 'waiting', 'of another scope')
  const weak = certificateOf(stranger, north, { capabilities: ['report'] })
  t.is(wordOf((await call(stranger, north, shown(weak))).answer), 'waiting', 'without the capability')
  const stolen = certificateOf({ ...stranger, peerKey: peerNamed('victim') }, north)
  t.is(wordOf((await call(stranger, north, shown(stolen))).answer), 'waiting', "another's")
  const old = certificateOf(stranger, north, { number: 2 })
  await north.book.take([certificateOf(stranger, north, { number: 5, capabilities: ['report'] }).bytes])
  t.is(wordOf((await call(stranger, north, shown(old))).answer), 'waiting', 'superseded')
  t.is(north.membership.keyOf('north-a'), undefined)
  const good = certificateOf(stranger, north, { number: 6 })
  t.is(wordOf((await call(stranger, north, shown(good))).answer), 'admitted')
})

test('a stolen token replayed with another key is listed as a duplicate, and lets nobody in', async (t) => {
  const { north } = await twoZones()
  const host = await edgeOf(north, 'north-a', { token: true })
  const { hello } = await call(host, north)
  t.truthy(hello.token)
  const thief = await edgeOf(north, 'north-a', { key: 'thief' })
  t.is(wordOf((await call(thief, north, { token: hello.token })).answer), 'duplicate')
  t.is(north.membership.keyOf('north-a'), host.peerKey)
  t.like(north.membership.hosts()[0], { state: 'duplicate', name: 'north-a', fingerprint: thief.signer.keyId })
  t.is(wordOf((await call(host, north, { token: hello.token })).answer), 'admitted', 'the same key comes back')
})

test('a token is said to its issuer alone', async (t) => {
  const { north, south } = await twoZones()
  const host = await edgeOf(north, 'north-a', { token: true })
  t.is((await host.membership.hello(south.peerKey)).token, null)
  t.is((await host.membership.hello(peerNamed('anyone'))).token, null)
  t.truthy((await host.membership.hello(north.peerKey)).token)
})

test('ten thousand strangers fill a bounded list, and do not push out the host that is expected', async (t) => {
  const { tower } = await twoZones()
  const hello = {
    v: 1,
    network: tower.networkId,
    name: 'n1-a',
    hostId: 'guess',
    role: 'edge',
    scope: '/n1',
    token: `skj1_${tower.signer.keyId.slice(0, 32)}_north_${'0'.repeat(32)}`,
    certificate: null,
    session: 0,
  }
  const north = { ...hello, hostId: 'id-north', role: 'aggregator', scope: '/north', token: null }
  const spare = peerNamed('spare part')
  t.is(wordOf(await tower.membership.judge(north, spare)), 'duplicate')
  for (let n = 0; n < 10_000; n++)
    await tower.membership.judge({ ...hello, hostId: `guess-${n}` }, n.toString(16).padStart(64, '0'))
  const callers = tower.membership.hosts().filter(({ state }) => state === 'waiting' || state === 'duplicate')
  t.is(callers.length, 1_000)
  t.is(tower.membership.counts().dropped, 9_001)
  t.is(tower.membership.counts().answers.waiting, 10_000)
  t.true(callers.some(({ state }) => state === 'duplicate'))
  for (let n = 0; n < 100; n++) await tower.membership.judge(north, (n + 99_999).toString(16).padStart(64, '0'))
  const twins = tower.membership.hosts().filter(({ state }) => state === 'duplicate')
  t.is(twins.length, 8, 'callers with the id of one host push out each other')
  t.is(tower.membership.hosts().filter(({ state }) => state === 'waiting').length, 992)
})

test('without its limits the list would grow with every stranger', (t) => {
  const unbounded = createUnclaimed({ callers: Number.POSITIVE_INFINITY, perHost: Number.POSITIVE_INFINITY })
  const bounded = createUnclaimed()
  for (let n = 0; n < 2_000; n++) {
    const key = n.toString(16).padStart(64, '0')
    const caller = { state: 'waiting', key, keyId: key, hostId: 'x', name: '', role: 'edge', scope: '/n1' } as const
    for (const list of [unbounded, bounded]) list.put({ ...caller, address: undefined, match: undefined, calledMs: n })
  }
  t.deepEqual([unbounded.list().length, bounded.list().length], [2_000, 1_000])
})

test('a hello that is too large, of another shape or newer is refused in words, and nobody is listed', async (t) => {
  const { tower, north } = await twoZones()
  const host = await edgeOf(north, 'north-a')
  const good = await host.membership.hello(north.peerKey)
  const bad: readonly unknown[] = [
    { ...good, hostId: 'x'.repeat(60_000) },
    { ...good, scope: `/${'a/'.repeat(30_000)}a` },
    { ...good, certificate: 'ab'.repeat(30_000) },
    { ...good, name: '../etc' },
    { ...good, hostId: 'line\nbreak' },
    { ...good, session: 2 ** 40 },
    { ...good, more: 1 },
    { ...good, v: 0 },
    'hello',
    null,
    [],
  ]
  for (const hello of bad) {
    const answer = await north.membership.judge(hello, host.peerKey)
    t.like(answer, { kind: 'refused', code: 'bad-message' })
    t.true(JSON.stringify(answer).length < 300)
  }
  t.like(await north.membership.judge({ ...good, v: 2 }, host.peerKey), { kind: 'refused', code: 'newer-format' })
  t.deepEqual(
    north.membership.hosts().map(({ state }) => state),
    ['expected', 'expected'],
  )
  t.is(wordOf((await call(host, north)).answer), 'waiting', 'the same, of good form')
  t.like(await host.membership.accept({ v: 2, kind: 'later' }, tower.peerKey), { ok: false, code: 'newer-format' })
})

test('a host of another network is refused by the parent, and refuses a parent of another network', async (t) => {
  const { north } = await twoZones()
  const host = await edgeOf(north, 'north-a', { token: true })
  t.is(wordOf((await call(host, north, { network: '0b'.repeat(32) })).answer), 'wrong-network')
  const lost = await startNode({
    name: 'north-a',
    role: 'edge',
    scope: '/north/north-site',
    networkId: '0b'.repeat(32),
  })
  await lost.membership.start()
  const hello = { ...(await host.membership.hello(north.peerKey)), hostId: 'id-north-a' }
  const answer = (await north.membership.judge(hello, host.peerKey)) as JoinAdmitted
  t.is(answer.kind, 'admitted')
  t.like(await lost.membership.accept(answer, north.peerKey), { ok: false, code: 'wrong-network' })
  const lie = { ...answer, network: '0b'.repeat(32) }
  t.like(await lost.membership.accept(lie, north.peerKey), { ok: false, code: 'wrong-network' })
  t.is(lost.book.networkId(), undefined)
  // Also where the book would take any root that comes first.
  const open = await startNode({
    name: 'north-a',
    role: 'edge',
    scope: '/north/north-site',
    more: { networkId: '0b'.repeat(32) },
  })
  await open.membership.start()
  t.like(await open.membership.accept(lie, north.peerKey), { ok: false, code: 'wrong-network' })
  t.is(open.book.networkId(), undefined)
})

test('an aggregator whose key left the list of its zone vouches for nobody any more', async (t) => {
  const { tower, north } = await twoZones()
  const host = await edgeOf(north, 'north-a', { token: true })
  t.true((await call(host, north)).accepted.ok)
  const owner = north.book.ownerAt('/north', 'zone')
  const next = sealRecord(
    keyListKind,
    {
      network: tower.networkId,
      owner: owner?.id ?? '',
      role: 'zone',
      scope: '/north',
      succession: 'granted',
      generation: 2,
      previous: owner?.list ?? null,
      keys: [peerNamed('north-2')],
      threshold: 1,
    },
    [signerNamed('tower')],
    powers,
  )
  await host.book.take([next.bytes])
  const { answer, accepted } = await call(host, north)
  t.is(wordOf(answer), 'admitted', 'it does not know yet')
  t.like(accepted, { ok: false, code: 'superseded' })
  await north.book.take([next.bytes])
  t.is(wordOf((await call(host, north)).answer), 'not-ready')
  t.is(north.documents.ids().length, 1)
  t.is(north.documents.idOf({ kind: 'member', scope: parseScopePath('/north/north-b') }), undefined)
})

test('a zone cannot certify aggregators of its own: only the scope above lets them in', async (t) => {
  const tower = await startTower(() => [zoneOf('/north', ['north', 'north-b'])])
  const aggregator = async (name: string, tokens: readonly string[]) => {
    const node = await startNode({ name, role: 'aggregator', scope: '/north', networkId: tower.networkId, tokens })
    await node.membership.start()
    return node
  }
  const north = await aggregator('north', [(await tower.membership.token('north')).token])
  await call(north, tower)
  const invented = await aggregator('north-b', [])
  const change = {
    role: 'aggregator',
    scope: '/north',
    site: null,
    host: 'north-b',
    capabilities: capabilitiesOf('aggregator'),
  } as const
  const byNorth = certificateOf(invented, north, change)
  t.is(wordOf((await call(invented, tower, shown(byNorth))).answer), 'waiting')
  const byTower = certificateOf(invented, tower, change)
  t.is(wordOf((await call(invented, tower, shown(byTower))).answer), 'admitted')
})
