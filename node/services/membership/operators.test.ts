import test from 'ava'
import { call, siteOf, startNode, startTower, wordOf, zoneOf } from './membership-scene.contract.ts'

const site = siteOf('/n1', ['n1-a', 'n1-b'])

test('a blocked host is cut and gets nothing more, and comes back by itself once it is allowed', async (t) => {
  const tower = await startTower(() => [site])
  const { token } = await tower.membership.token('n1-a')
  const edge = await startNode({
    name: 'n1-a',
    role: 'edge',
    scope: '/n1',
    networkId: tower.networkId,
    tokens: [token],
  })
  await call(edge, tower)
  const cut: string[] = []
  tower.membership.onChange((event) => cut.push(...event.cut))
  for (const target of [{ host: 'n1-a' }, { site: 'n1' }]) {
    cut.length = 0
    t.deepEqual((await tower.membership.block(target)).cut, [edge.peerKey])
    t.deepEqual(cut, [edge.peerKey])
    t.true(tower.membership.standingOf(edge.peerKey)?.isBlocked)
    t.is(tower.membership.hosts().find(({ name }) => name === 'n1-a')?.state, 'blocked')
    t.is(wordOf((await call(edge, tower)).answer), 'blocked')
    await t.throwsAsync(tower.membership.token('n1-a'), { code: 'blocked' })
    await tower.membership.allow(target)
    t.true((await call(edge, tower)).accepted.ok)
  }
})

test('a zone that is blocked is let in again by itself, and no new key of it in between', async (t) => {
  const tower = await startTower(() => [zoneOf('/north', ['north-a', 'north-b'])])
  const start = async (name: string, token: string) => {
    const node = await startNode({
      name,
      role: 'aggregator',
      scope: '/north',
      networkId: tower.networkId,
      tokens: [token],
      expected: () => [],
    })
    await node.membership.start()
    return node
  }
  const first = await start('north-a', (await tower.membership.token('north-a')).token)
  const second = await start('north-b', (await tower.membership.token('north-b')).token)
  t.true((await call(first, tower)).accepted.ok)
  t.deepEqual(await tower.membership.block({ zone: '/north' }), { number: 1, cut: [first.peerKey] })
  t.is(wordOf((await call(first, tower)).answer), 'blocked')
  t.is(wordOf((await call(second, tower)).answer), 'waiting', 'its token was taken back')
  await t.throwsAsync(tower.membership.claim('id-north-b', 'north-b'), { code: 'blocked' })
  await t.throwsAsync(tower.membership.allow({ host: 'north-b' }), { code: 'not-enrolled' })
  await t.throwsAsync(tower.membership.block({ zone: '/nort' }), {
    code: 'unknown-zone',
    message: /did you mean \/north\?/,
  })
  t.deepEqual(await tower.membership.allow({ zone: '/north' }), { number: 2 })
  t.true((await call(first, tower)).accepted.ok)
  await tower.membership.claim('id-north-b', 'north-b')
  t.true((await call(second, tower)).accepted.ok)
})

test('what a person asks for wrongly is refused in words', async (t) => {
  const tower = await startTower(() => [site])
  const { membership } = tower
  await t.throwsAsync(membership.token('n1-aa'), { code: 'unknown-host', message: /did you mean n1-a\?/ })
  await t.throwsAsync(membership.block({ host: 'n1-b' }), { code: 'not-enrolled' })
  await t.throwsAsync(membership.block({ site: 'n2' }), { code: 'unknown-site', message: /did you mean n1\?/ })
  await t.throwsAsync(membership.claim('nobody', 'n1-a'), { code: 'unknown-caller' })
  for (const key of ['twin-1', 'twin-2']) {
    const twin = await startNode({
      name: '',
      role: 'edge',
      scope: '/n1',
      hostId: 'twin',
      key,
      networkId: tower.networkId,
    })
    await call(twin, tower)
  }
  await t.throwsAsync(membership.claim('twin', 'n1-a'), { code: 'ambiguous-caller' })
  const other = await startNode({
    name: '',
    role: 'edge',
    scope: '/n9',
    hostId: 'other',
    key: 'o',
    networkId: tower.networkId,
  })
  await call(other, tower)
  await t.throwsAsync(membership.claim('other', 'n1-a'), { code: 'wrong-place' })
})

test('allowing what is blocked otherwise says what to allow instead', async (t) => {
  const tower = await startTower(() => [site, zoneOf('/north', ['north'])])
  const edge = await startNode({ name: 'n1-a', role: 'edge', scope: '/n1', networkId: tower.networkId })
  await call(edge, tower)
  await tower.membership.claim(edge.signer.keyId, 'n1-a')
  await tower.membership.block({ site: 'n1' })
  await t.throwsAsync(tower.membership.allow({ host: 'n1-a' }), {
    code: 'blocked-otherwise',
    message: /with all of \/n1/,
  })
  await tower.membership.allow({ site: 'n1' })
  await tower.membership.block({ host: 'n1-a' })
  await t.throwsAsync(tower.membership.allow({ site: 'n1' }), {
    code: 'blocked-otherwise',
    message: /n1-a is blocked by/,
  })
})

test("an operator's yes to one key takes back a token that is still out", async (t) => {
  const tower = await startTower(() => [site])
  const { token } = await tower.membership.token('n1-a')
  const set = { name: 'n1-a', role: 'edge', scope: '/n1', networkId: tower.networkId } as const
  const edge = await startNode(set)
  await call(edge, tower)
  await tower.membership.claim('id-n1-a', 'n1-a')
  const thief = await startNode({ ...set, key: 'thief', hostId: 'other', tokens: [token] })
  t.is(wordOf((await call(thief, tower)).answer), 'waiting')
  t.is(tower.membership.keyOf('n1-a'), edge.peerKey)
})

test('a key that is claimed under another name is the first host no more', async (t) => {
  let expected = [siteOf('/n1', ['n1-a', 'n1-b'])]
  const tower = await startTower(() => expected)
  const edge = await startNode({
    name: '',
    role: 'edge',
    scope: '/n1',
    hostId: 'm',
    key: 'k',
    networkId: tower.networkId,
  })
  await call(edge, tower)
  await tower.membership.claim('m', 'n1-a')
  expected = [siteOf('/n1', ['n1-b'])]
  await tower.membership.refresh()
  t.is(wordOf((await call(edge, tower)).answer), 'waiting')
  await tower.membership.claim('m', 'n1-b')
  expected = [siteOf('/n1', ['n1-a', 'n1-b'])]
  await tower.membership.refresh()
  t.like((await call(edge, tower)).accepted, { ok: true, self: { name: 'n1-b' } })
  t.is(tower.membership.keyOf('n1-a'), undefined)
  t.is(edge.book.certificateOf(edge.signer.keyId)?.body.host, 'n1-b')
})
