import test from 'ava'
import fc from 'fast-check'
import { blockedBy, blockListKind, takeBlockList } from './block-list.ts'
import { mayDo, mayRenew } from './certificate.ts'
import { type Anchors, blockedAt, isBlockListSigned, judgeCertificate, type Trust } from './chain.ts'
import { sealRecord } from './record.ts'
import {
  bavaria,
  bavariaId,
  idNamed,
  keyNamed,
  lists,
  makeCertificate,
  makeList,
  networkId,
  powers,
  trustOf,
} from './world.contract.ts'

const judge = (record: ReturnType<typeof makeCertificate>, trust: Trust = trustOf().trust, highest = 0) =>
  judgeCertificate(record, trust, new Map([[keyNamed('node').keyId, highest]]), powers)
const codeOf = (...of: Parameters<typeof judge>) => {
  const judged = judge(...of)
  return judged.ok ? 'holds' : judged.refusal.code
}
const hesseNode = makeCertificate('/de/hesse', 'node', 'de')
const munichEdge = (signer: string, issuer = bavariaId) =>
  makeCertificate('/de/bavaria/munich', 'edge', signer, { role: 'edge', site: idNamed('munich'), issuer })

test('the owners of a whole tree are accepted, whatever order their lists come in', (t) => {
  const [whole] = [trustOf()]
  t.deepEqual(whole.refused, [])
  t.is(whole.trust.owners.size, lists.length)
  fc.assert(
    fc.property(fc.shuffledSubarray([...lists], { minLength: lists.length }), (shuffled) => {
      t.deepEqual([...trustOf(shuffled).trust.owners.keys()].toSorted(), [...whole.trust.owners.keys()].toSorted())
    }),
  )
})

test('a chain with any link left out, or signed by anyone else, is refused', (t) => {
  t.is(codeOf(hesseNode), 'holds')
  for (const left of ['/', '/de']) {
    const { trust, refused } = trustOf(lists.filter(({ body }) => body.scope !== left))
    t.is(codeOf(hesseNode, trust), 'unknown-issuer', `without ${left}`)
    if (left === '/') t.true(refused.length > 0)
  }
  for (const [index, list] of lists.slice(0, 2).entries()) {
    const forged = makeList(list.body.scope, ['de'], ['stranger'])
    t.is(codeOf(hesseNode, trustOf(lists.with(index, forged)).trust), 'unknown-issuer', list.body.scope)
  }
  t.is(codeOf(makeCertificate('/de/hesse', 'node', 'stranger')), 'not-enough-signatures')
  t.is(codeOf(makeCertificate('/de/hesse', 'node', 'de', { network: 'ab'.repeat(32) })), 'wrong-network')
  t.is(codeOf(makeCertificate('/de/hesse', 'node', 'de', { generation: 2 })), 'unknown-generation')
})

test('an issuer certifies its own scope and those directly below, nothing else', (t) => {
  const by = (at: string, signer: string, issuer: string) => codeOf(makeCertificate(at, 'node', signer, { issuer }))
  t.is(by('/de', 'de', idNamed('/de')), 'holds')
  t.is(by('/de/saxony', 'de', idNamed('/de')), 'holds')
  t.is(by('/de/hesse/fulda', 'de', idNamed('/de')), 'out-of-scope', 'a grandchild')
  t.is(by('/', 'de', idNamed('/de')), 'out-of-scope', 'above')
  t.is(by('/fr', 'de', idNamed('/de')), 'out-of-scope', 'beside')
  t.is(by('/desert', 'de', idNamed('/de')), 'out-of-scope', 'a name that begins alike')
  t.is(by('/de/hesse/fulda', 'fulda-a', idNamed('/de/hesse/fulda')), 'unknown-issuer', 'a site issues nothing')
})

test('a key taken off the list vouches for nobody any more, not even for a renewal', (t) => {
  const next = makeList('/de', ['de-new'], ['tower'], { generation: 2 })
  const { trust } = trustOf([...lists, next])
  t.is(codeOf(hesseNode, trust), 'superseded')
  t.is(codeOf(makeCertificate('/de/hesse', 'node', 'stranger'), trust), 'superseded')
  t.is(codeOf(makeCertificate('/de/hesse', 'node', 'de-new'), trust), 'holds')
  const kept = trustOf([...lists, makeList('/de', ['de', 'de-new'], ['tower'], { generation: 2 })])
  t.is(codeOf(hesseNode, kept.trust), 'holds', 'a key that stayed goes on vouching')
})

test('inside a zone that renews itself only its own authority counts, whatever comes from above', (t) => {
  const anchors: Anchors = new Map([['/de/bavaria', bavariaId]])
  const inside = (some = lists) => trustOf(some, { anchors }).trust
  t.is(codeOf(munichEdge('by1'), inside()), 'holds')
  const fromAbove = makeCertificate('/de/bavaria', 'spy', 'de')
  t.is(codeOf(fromAbove, inside()), 'out-of-scope')
  t.is(codeOf(fromAbove), 'holds', 'outside, the parent may name its own peer there')
  const second = makeList('/de/bavaria', ['spy'], ['de'], { owner: idNamed('second') })
  t.is(trustOf([...lists, second], { anchors }).refused.length, 1, 'another zone enrolled at its place')
  t.is(codeOf(munichEdge('spy', idNamed('second')), inside([...lists, second])), 'unknown-issuer')
  t.is(codeOf(munichEdge('spy', idNamed('second')), trustOf([...lists, second]).trust), 'holds', 'outside it counts')
})

test('a zone enrolled anew stands beside the old one until that is retired', (t) => {
  const anew = makeList('/de/bavaria', ['neu'], ['neu', 'de'], { owner: null, succession: 'own' })
  const both = trustOf([...lists, anew])
  t.deepEqual(both.refused, [])
  t.is(codeOf(munichEdge('by1'), both.trust), 'holds')
  const retired = trustOf([...lists, anew], { retired: [bavariaId] })
  t.is(codeOf(munichEdge('by1'), retired.trust), 'unknown-issuer')
  t.false(retired.trust.owners.has(idNamed('/de/bavaria/munich')), 'it grants nothing any more')
  t.true(retired.trust.owners.has(bavaria.id.slice(0, 48)))
})

test('dates are judged only where the time is trusted, and whoever is late may do one thing: renew', (t) => {
  const judged = judge(hesseNode)
  if (!judged.ok) return t.fail(judged.refusal.message)
  const ask = (nowMs: number | undefined, change = {}) =>
    (['join', 'renew', 'admit'] as const).map((act) => {
      const may = mayDo({ ...judged.standing, ...change }, act, nowMs)
      return may.ok ? 'yes' : may.refusal.code
    })
  t.deepEqual(ask(1_500), ['yes', 'yes', 'no-capability'])
  t.deepEqual(ask(undefined), ['yes', 'yes', 'no-capability'], 'at 1970, or ten years ahead')
  t.deepEqual(ask(2_000), ['expired', 'yes', 'expired'])
  t.deepEqual(ask(999), ['not-yet-valid', 'yes', 'not-yet-valid'])
  t.deepEqual(ask(1_500, { isSuperseded: true }), ['superseded', 'yes', 'superseded'])
  t.deepEqual(ask(1_500, { isBlocked: true }), ['blocked', 'blocked', 'blocked'])
  t.deepEqual(ask(9_999, { isBlocked: true }), ['blocked', 'blocked', 'blocked'])
})

test('a parent renews keys it enrolled and did not block, whatever they show', (t) => {
  const node = keyNamed('node').keyId
  t.true(mayRenew(node, new Set([node]), new Set()).ok)
  t.like(mayRenew(node, new Set(), new Set()), { refusal: { code: 'not-entitled' } })
  t.like(mayRenew(node, new Set([node]), new Set([node])), { refusal: { code: 'blocked' } })
})

const blocks = (number: number, keys: string[], sites: string[] = [], issuer: string | null = '/de', signer = 'de') =>
  sealRecord(
    blockListKind,
    {
      network: networkId,
      issuer: issuer === null ? null : idNamed(issuer),
      number,
      keys: keys.map((name) => keyNamed(name).keyId).toSorted(),
      sites: sites.map(idNamed),
      tenants: [],
    },
    [keyNamed(signer)],
    powers,
  )

test('a blocked key or site, or a lower numbered certificate, is told', (t) => {
  const standing = (
    record: ReturnType<typeof makeCertificate>,
    blockLists: ReturnType<typeof blocks>[] = [],
    highest = 1,
  ) => {
    const judged = judge(record, trustOf(lists, { blockLists }).trust, highest)
    return judged.ok ? [judged.standing.isBlocked, judged.standing.isSuperseded] : judged.refusal.code
  }
  t.deepEqual(standing(hesseNode), [false, false])
  t.deepEqual(standing(hesseNode, [blocks(1, ['node'])]), [true, false])
  t.deepEqual(standing(hesseNode, [], 2), [false, true])
  t.deepEqual(standing(munichEdge('by2'), [blocks(1, [], ['munich'])]), [true, false])
  t.is(standing(hesseNode, [blocks(1, ['de'])]), 'not-enough-signatures', 'certified by a blocked key')
  const stolen = trustOf(lists, { blockLists: [blocks(1, ['hesse'])] })
  t.false(stolen.trust.owners.has(idNamed('/de/hesse/fulda')), 'granted by a blocked key')
})

test('of block lists the highest number counts, and rivals of one number both do', (t) => {
  const [one, two, rival] = [blocks(1, ['a']), blocks(2, ['b']), blocks(2, ['c'])]
  fc.assert(
    fc.property(fc.shuffledSubarray([one, two, rival], { minLength: 3 }), (order) => {
      const held = order.reduce<readonly (typeof one)[]>((before, next) => {
        const taken = takeBlockList(before, next)
        return taken.ok ? taken.held : before
      }, [])
      t.deepEqual([...blockedBy(held).keys].toSorted(), ['b', 'c'].map((name) => keyNamed(name).keyId).toSorted())
    }),
  )
  t.like(takeBlockList([two], one), { refusal: { code: 'stale' } })
  t.like(takeBlockList([two], rival), { isRival: true })
  t.like(takeBlockList([two], two), { isRival: false })
})

test('a block list acts inside its issuer’s scope alone, and only when the issuer signed it', (t) => {
  const key = keyNamed('node').keyId
  const reach = (list: ReturnType<typeof blocks>) => {
    const { trust } = trustOf(lists, { blockLists: [list] })
    if (!isBlockListSigned(list, trust, powers)) return 'not signed'
    return ['/', '/de', '/de/hesse/fulda', '/fr'].filter((at) => blockedAt(trust, at).keys.has(key)).join(' ')
  }
  t.is(reach(blocks(1, ['node'])), '/de /de/hesse/fulda')
  t.is(reach(blocks(1, ['node'], [], '/', 'tower-2')), '/ /de /de/hesse/fulda /fr')
  t.is(reach(blocks(1, ['node'], [], null, 'root')), '/ /de /de/hesse/fulda /fr')
  t.is(reach(blocks(1, ['node'], [], null, 'tower')), 'not signed')
  t.is(reach(blocks(1, ['node'], [], '/de', 'hesse')), 'not signed')
  t.is(reach(blocks(1, ['node'], [], '/de/hesse/fulda', 'fulda-a')), 'not signed', 'a site blocks nobody')
})
