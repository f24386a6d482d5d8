import test from 'ava'
import {
  certificateKind,
  countersign,
  type KeyList,
  keyListKind,
  ownerOf,
  readRecord,
  sealRecord,
  toHex,
  verdictKind,
} from '../../../crdt/index.ts'
import { capabilitiesOf, contentOf } from './member-certificate.ts'
import { readListedScope } from './member-lanes.ts'
import {
  call,
  peerNamed,
  powers,
  type SceneNode,
  signerNamed,
  startNode,
  startTower,
  zoneOf,
} from './membership-scene.contract.ts'
import { type FirstListCall, firstListGuards, judgeFirstList, makeFirstList } from './own-zone.ts'
import { admitted, privacyTree, south, startSouth } from './own-zone-scene.contract.ts'

const network = '0a'.repeat(32)

test('a privacy zone is countersigned under an id of its own, and all inside hangs on it', async (t) => {
  const { tower, agg, edge } = await privacyTree()
  const owner = tower.book.ownerAt('/south', 'zone')
  t.like(owner, { succession: 'own', generation: 1, isCountersigned: true })
  t.is(owner?.id.length, 48)
  const lane = tower.documents.idOf({ kind: 'zone', scope: '/south' as never, side: 'parent' })
  t.is(readListedScope(await tower.documents.standing(lane ?? '')).id, owner?.id)
  t.is(agg.book.certificateOf(agg.signer.keyId)?.body.issuer, tower.founded.owner, 'the parent lets the aggregator in')
  t.is(edge.book.certificateOf(edge.signer.keyId)?.body.issuer, owner?.id)
  t.deepEqual([...edge.book.anchors()], [['/south', owner?.id ?? '']])
  t.like(await call(edge, agg), { accepted: { ok: true, session: 2 } })
  t.like(await call(agg, tower), { accepted: { ok: true, session: 2 } })
  const [list] = tower.book.listsOf(owner?.id ?? '')
  t.deepEqual(
    list?.signatures.map(({ keyId }) => keyId),
    [tower.signer.keyId, agg.signer.keyId].toSorted(),
  )
})

test('before its parent countersigned it a privacy zone admits nobody, and its parent grants it nothing', async (t) => {
  const tower = await startTower(() => [south])
  const { token } = await tower.membership.token('south-agg')
  const agg = await startSouth(tower.networkId, [token])
  admitted(await call(agg, tower, { authority: undefined }))
  t.is(tower.book.ownerAt('/south', 'zone'), undefined)
  await t.throwsAsync(agg.membership.token('s1-a'), { code: 'not-enrolled' })
  admitted(await call(agg, tower))
  t.truthy((await agg.membership.token('s1-a')).token)
})

test('a zone that rules itself can be cut off and let in again by the one above', async (t) => {
  const { tower, agg, edge } = await privacyTree()
  t.like(await tower.membership.block({ zone: '/south' }), { cut: [agg.peerKey] })
  t.like((await call(agg, tower)).answer, { kind: 'refused', code: 'blocked' })
  await t.throwsAsync(tower.membership.token('south-agg'), { code: 'blocked' })
  // Its list of keys holds: whoever is inside goes on with it.
  t.like(agg.book.ownerAt('/south', 'zone'), { generation: 1 })
  t.true((await call(edge, agg)).accepted.ok)
  await tower.membership.allow({ zone: '/south' })
  admitted(await call(agg, tower))
})

test('a zone that was granted its keys before stays as it is', async (t) => {
  let isPrivacy = false
  const tower = await startTower(() => [isPrivacy ? south : zoneOf('/south', ['south-agg'])])
  const { token } = await tower.membership.token('south-agg')
  const agg = await startNode({
    name: 'south-agg',
    role: 'aggregator',
    scope: '/south',
    networkId: tower.networkId,
    tokens: [token],
  })
  await agg.membership.start()
  admitted(await call(agg, tower))
  isPrivacy = true
  await tower.membership.refresh()
  const firstList = makeFirstList({ network: tower.networkId, scope: '/south', signer: agg.signer }, powers)
  admitted(await call(agg, tower, { authority: toHex(firstList.bytes) }))
  t.like(tower.book.ownerAt('/south', 'zone'), { succession: 'granted', generation: 1 })
})

test('a stolen tower key replaces nothing inside: each try is refused by the aggregator and by its host', async (t) => {
  const { tower, agg, edge } = await privacyTree()
  const held = agg.book.ownerAt('/south', 'zone')
  const [root, thief] = [tower.signer, signerNamed('thief')]
  const list = (change: Partial<KeyList>, signers = [root]) =>
    sealRecord(
      keyListKind,
      {
        network: tower.networkId,
        owner: '0d'.repeat(16),
        role: 'zone',
        scope: '/south',
        succession: 'granted',
        generation: 1,
        previous: null,
        keys: [peerNamed('thief')],
        threshold: 1,
        ...change,
      },
      signers,
      powers,
    ).bytes
  const rival = makeFirstList({ network: tower.networkId, scope: '/south', signer: thief }, powers)
  const s1 = agg.membership.siteId('/south/s1') ?? ''
  const host = contentOf({
    network: tower.networkId,
    issuer: tower.book.ownerAt('/', 'zone')!,
    key: peerNamed('thief'),
    host: 's1-a',
    role: 'edge',
    scope: '/south/s1',
    site: s1,
    sealing: null,
  })
  const certificate = (content: object) =>
    sealRecord(certificateKind, { ...host, number: 1, fromMs: 0, untilMs: 9e15, ...content }, [root], powers).bytes
  const tries: readonly (readonly [string, string, Uint8Array])[] = [
    ['grants the zone keys again', 'unknown-issuer', list({})],
    [
      'replaces a generation',
      'not-enough-signatures',
      list({ owner: held?.id ?? '', succession: 'own', generation: 2, previous: held?.list ?? null }),
    ],
    ['signs another first list', 'unknown-issuer', countersign(keyListKind, rival, [root]).bytes],
    ['enrols a host into the zone', 'out-of-scope', certificate({})],
    [
      'lets another node run the zone',
      'out-of-scope',
      certificate({ role: 'aggregator', scope: '/south', site: null }),
    ],
    [
      'retires the zone',
      'out-of-scope',
      sealRecord(
        verdictKind,
        {
          network: tower.networkId,
          owner: held?.id ?? '',
          generation: 1,
          list: held?.list ?? '',
          verdict: 'retired' as const,
        },
        [root],
        powers,
      ).bytes,
    ],
  ]
  for (const [what, code, bytes] of tries)
    for (const node of [agg, edge]) {
      const [result] = await node.book.take([bytes])
      t.is(result?.kind === 'refused' ? String(result.refusal.code) : result?.kind, code, `${node.name}: ${what}`)
    }
  t.deepEqual(agg.book.ownerAt('/south', 'zone'), held)
  // The same records at a host that has no anchor: what the anchor is there for.
  const open = await startNode({ name: 'x', role: 'edge', scope: '/south/s1', networkId: tower.networkId })
  await open.book.take(agg.book.recordsFor('/south/s1').map(({ bytes }) => bytes))
  const without = (await open.book.take(tries.map(([, , bytes]) => bytes))).map((result) => result.kind)
  t.deepEqual(without, ['new', 'refused', 'new', 'refused', 'new', 'new'])
})

/** Records as the link to a child carries them down, and a report up. */
const hand = (from: SceneNode, to: SceneNode, scope: string) =>
  to.book.take(from.book.recordsFor(scope).map(({ bytes }) => bytes))

test('a second aggregator comes onto the list by the next generation, and a draft needs as many keys as the list says', async (t) => {
  const both = { ...zoneOf('/south', ['south-agg', 'south-two']), isPrivacy: true as const }
  const tower = await startTower(() => [both])
  const [one, two] = await Promise.all(
    ['south-agg', 'south-two'].map(async (name) => {
      const { token } = await tower.membership.token(name)
      return startSouth(tower.networkId, [token], name, { name, isSole: false })
    }),
  )
  if (one === undefined || two === undefined) throw new Error('not started')
  admitted(await call(one, tower))
  admitted(await call(two, tower))
  const first = tower.book.ownerAt('/south', 'zone')
  t.deepEqual([...(first?.keys.keys() ?? [])], [one.signer.keyId], 'the first that came made the list')
  for (const node of [one, two]) t.is(node.book.anchors().get('/south'), first?.id)
  t.is(two.book.certificateOf(two.signer.keyId), undefined, 'inside, its key counts once it is on the list')
  await t.throwsAsync(two.membership.renewZone({ add: [], remove: [], threshold: 1 }), { code: 'not-entitled' })

  await one.documents.open()
  const lane = { kind: 'zone', scope: '/south' as never, side: 'parent' } as const
  const above = tower.documents.idOf(lane) ?? ''
  await one.documents.takeGenesis((await tower.documents.genesisOf(above))!, tower.book.ownerAt('/', 'zone')!, 'tower')
  const hashes = new Set(await tower.documents.hashes(above))
  await one.documents.take(above, await tower.documents.envelopes(above, hashes), 'tower')

  await t.throwsAsync(one.membership.renewZone({ add: ['0'.repeat(16)], remove: [] }), { code: 'not-found' })
  const add = [two.signer.keyId.slice(0, 16)]
  t.deepEqual(await one.membership.renewZone({ add, remove: [], threshold: 2 }), { kind: 'made', generation: 2 })
  await hand(one, tower, '/south')
  await tower.membership.refresh()
  await hand(tower, two, '/south')
  t.like(tower.book.ownerAt('/south', 'zone'), { id: first?.id, generation: 2, threshold: 2, isCountersigned: true })
  t.like(two.book.ownerAt('/south', 'zone'), { generation: 2 })
  admitted(await call(two, tower))
  t.is(two.book.certificateOf(two.signer.keyId)?.body.issuer, tower.founded.owner)

  const draft = await one.membership.renewZone({ add: [], remove: [], threshold: 1 })
  if (draft.kind !== 'draft') throw new Error('one of two keys made a generation')
  t.like(draft, { signed: 1, needed: 2 })
  const [refused] = await tower.book.take([Buffer.from(draft.draft, 'hex')])
  t.like(refused, { kind: 'refused', refusal: { code: 'not-enough-signatures' } })
  t.deepEqual(await two.membership.signZone(draft.draft), { kind: 'made', generation: 3 })
  await t.throwsAsync(two.membership.signZone(draft.draft), { code: 'conflict' })
  t.like(await two.membership.zoneAuthority('/south'), { generation: 3, threshold: 1, isCountersigned: false })
})

test('a zone whose keys are lost comes back under another id after an operator retired the old one', async (t) => {
  const { tower, agg, edge } = await privacyTree()
  const old = tower.book.ownerAt('/south', 'zone')?.id ?? ''
  const fresh = await startSouth(tower.networkId, [], 'south-agg-2')
  t.like((await call(fresh, tower)).answer, { kind: 'refused', code: 'duplicate' })
  await tower.membership.claim(fresh.signer.keyId, 'south-agg')
  admitted(await call(fresh, tower))
  t.like(await tower.membership.zoneAuthority('/south'), { id: old, rival: { keys: [fresh.peerKey] } })
  await t.throwsAsync(fresh.membership.token('s1-a'), { code: 'not-enrolled' })
  await t.throwsAsync(tower.membership.retire('/south', '0'.repeat(16)), { code: 'conflict' })
  await tower.membership.retire('/south', old.slice(0, 16))
  admitted(await call(fresh, tower))
  const now = tower.book.ownerAt('/south', 'zone')
  t.like(now, { succession: 'own', generation: 1, isCountersigned: true })
  t.not(now?.id, old)
  t.truthy((await fresh.membership.token('s1-a')).token)
  // Who was inside believes the old id alone: it has to be enrolled anew.
  t.like((await call(edge, fresh)).accepted, { ok: false })
  t.like((await call(edge, agg)).accepted, { ok: true })
})

const owner = (succession: 'granted' | 'own') => ({
  id: succession === 'own' ? '0c'.repeat(24) : '0b'.repeat(16),
  role: 'zone' as const,
  scope: '/south',
  succession,
  generation: 1,
  list: '0d'.repeat(32),
  isCountersigned: true,
  keys: new Map(),
  threshold: 1,
})

test('each guard of a first list stops what it is there for', (t) => {
  const good = makeFirstList({ network, scope: '/south', signer: signerNamed('a') }, powers)
  const other = makeFirstList({ network, scope: '/north', signer: signerNamed('a') }, powers)
  const granted = sealRecord(
    keyListKind,
    { ...good.body, owner: '0e'.repeat(16), succession: 'granted' },
    [signerNamed('a')],
    powers,
  )
  const base: FirstListCall = {
    networkId: network,
    scope: '/south',
    isPrivacy: true,
    zoneId: '0b'.repeat(16),
    owner: undefined,
    retired: new Set(),
    key: peerNamed('a'),
    shown: toHex(good.bytes),
  }
  t.like(judgeFirstList(base, powers), { kind: 'countersign', id: ownerOf(good) })
  t.like(judgeFirstList({ ...base, zoneId: ownerOf(good), owner: owner('own') }, powers), { kind: 'known' })
  t.like(judgeFirstList({ ...base, shown: undefined }, powers), { kind: 'known' })
  t.like(judgeFirstList({ ...base, shown: '00' }, powers), { kind: 'refuse' })
  const attacks: Readonly<Record<(typeof firstListGuards)[number], readonly [Partial<FirstListCall>, string]>> = {
    privacy: [{ isPrivacy: false }, 'not-a-privacy-zone'],
    granted: [{ owner: owner('granted') }, 'rival'],
    retired: [{ retired: new Set([ownerOf(good)]) }, 'retired'],
    once: [{ zoneId: '0c'.repeat(24), owner: owner('own') }, 'rival'],
    scope: [{ shown: toHex(other.bytes) }, 'wrong-place'],
    first: [{ shown: toHex(granted.bytes) }, 'broken-succession'],
    caller: [{ key: peerNamed('b') }, 'not-entitled'],
  }
  for (const guard of firstListGuards) {
    const [change, code] = attacks[guard]
    const judged = judgeFirstList({ ...base, ...change }, powers)
    t.is(judged.kind === 'refuse' ? judged.code : judged.kind, code)
    const without = new Set(firstListGuards.filter((one) => one !== guard))
    t.is(judgeFirstList({ ...base, ...change }, powers, without).kind, 'countersign', `without ${guard}`)
  }
  t.is(capabilitiesOf('edge').includes('admit'), false)
  t.true(readRecord(keyListKind, good.bytes, powers).ok)
})
