import test from 'ava'
import fc from 'fast-check'
import { nothingBlocked } from './block-list.ts'
import { compareFences, nextFence } from './fence.ts'
import { acceptKeyList, type KeyListContext, type Owner } from './key-list.ts'
import { isWithoutKeys } from './may-write.ts'
import { keysOf, sealRecord } from './record.ts'
import { standingOf, verdictKind } from './verdict.ts'
import { bavaria, bavariaId, idNamed, keyNamed, makeList, networkId, powers, publicKeys } from './world.contract.ts'

const quorum = (names: string[], threshold = 1) => ({ keys: keysOf(publicKeys(names), powers.hash), threshold })
const parent = quorum(['de'])
const context = (change: Partial<KeyListContext> = {}): KeyListContext => ({
  networkId,
  held: undefined,
  grantor: parent,
  ...change,
})
const accept = (list: ReturnType<typeof makeList>, change: Partial<KeyListContext> = {}) => {
  const result = acceptKeyList(list, context(change), powers)
  return result.ok ? result.owner : result.refusal.code
}
const ownerOf = (list: ReturnType<typeof makeList>, change: Partial<KeyListContext> = {}): Owner => {
  const owner = accept(list, change)
  if (typeof owner === 'string') throw new Error(owner)
  return owner
}
const hesse = (generation: number, names: string[], signers = ['de']) =>
  makeList('/de/hesse', names, signers, { generation })
const own = (generation: number, names: string[], signers: string[], previous: string, threshold = 2) =>
  makeList('/de/bavaria', names, signers, { owner: bavariaId, succession: 'own', generation, previous, threshold })

test('the parent grants a generation, also over a gap, and nobody else', (t) => {
  const first = ownerOf(hesse(1, ['h']))
  t.is(first.generation, 1)
  t.is(ownerOf(hesse(5, ['i']), { held: first }).generation, 5)
  t.is(accept(hesse(2, ['i'], ['h']), { held: first }), 'not-enough-signatures', 'its own keys')
  t.is(accept(hesse(2, ['i'], ['stranger'])), 'not-enough-signatures')
})

test('a lower generation is stale, and two lists of one generation are told', (t) => {
  const held = ownerOf(hesse(3, ['h']))
  t.is(accept(hesse(2, ['i']), { held }), 'stale')
  t.is(accept(hesse(3, ['i']), { held }), 'rival')
  t.deepEqual(accept(hesse(3, ['h']), { held }), held)
  t.is(accept(makeList('/de/hesse', ['h'], ['de'], { owner: idNamed('other') }), { held }), 'broken-succession')
  t.is(accept(makeList('/de/saxony', ['h'], ['de'], { owner: held.id, generation: 4 }), { held }), 'broken-succession')
  t.is(accept(makeList('/de/hesse', ['h'], ['de'], { network: 'ab'.repeat(32) })), 'wrong-network')
})

test('a zone that renews itself begins with its own keys and its enrolment', (t) => {
  t.is(ownerOf(bavaria).id, bavariaId)
  const alone = makeList('/de/bavaria', ['by1', 'by2', 'by3'], ['by1', 'by2'], {
    owner: null,
    succession: 'own',
    threshold: 2,
  })
  t.is(accept(alone), 'not-enough-signatures', 'not enrolled')
  t.like(accept(alone, { anchor: bavariaId }), { id: bavariaId, isCountersigned: false }, 'inside, by its id')
  t.true(ownerOf(bavaria, { held: ownerOf(alone, { anchor: bavariaId }) }).isCountersigned, 'countersigned later')
  const claimed = makeList('/de/bavaria', ['by1', 'by2', 'by3'], ['de'], {
    owner: null,
    succession: 'own',
    threshold: 2,
  })
  t.is(accept(claimed), 'not-enough-signatures', 'made by the parent with keys of others')
})

test('its next generation needs a threshold of the keys of the one before, whatever its parent signs', (t) => {
  const held = ownerOf(bavaria)
  fc.assert(
    fc.property(fc.subarray(['by1', 'by2', 'by3', 'new1', 'new2', 'de', 'tower', 'root']), (signers) => {
      const result = accept(own(2, ['new1', 'new2'], signers, bavaria.id), { held })
      const enough = signers.filter((name) => name.startsWith('by')).length >= 2
      t.is(typeof result === 'string' ? result : 'accepted', enough ? 'accepted' : 'not-enough-signatures')
      if (typeof result !== 'string') t.is(result.isCountersigned, signers.includes('de'))
    }),
  )
})

test('its generations follow one by one', (t) => {
  const held = ownerOf(bavaria)
  const second = own(2, ['n'], ['by1', 'by2'], bavaria.id, 1)
  const third = own(3, ['m'], ['n'], second.id, 1)
  t.is(accept(third, { held }), 'broken-succession', 'one is missing')
  t.is(accept(third), 'broken-succession', 'nothing held')
  t.is(ownerOf(third, { held: ownerOf(second, { held }) }).generation, 3)
  t.is(accept(own(2, ['n'], ['by1', 'by2'], 'ab'.repeat(32), 1), { held }), 'broken-succession', 'another list before')
  t.is(accept(own(2, ['x'], ['by1', 'by3'], bavaria.id, 1), { held: ownerOf(second, { held }) }), 'rival')
})

test('nobody can grant keys to an owner that renews itself: its id does not allow it', (t) => {
  t.throws(() => makeList('/de/bavaria', ['x'], ['de'], { owner: bavariaId, generation: 2 }), { message: /other kind/ })
  t.throws(() => makeList('/de/bavaria', ['x'], ['x'], { owner: idNamed('z'), succession: 'own' }), {
    message: /other kind/,
  })
})

test('a parent countersigns, refuses or retires, and only the parent', (t) => {
  const owner = ownerOf(bavaria)
  const say = (verdict: 'refused' | 'retired', signer = 'de', list = bavaria.id) =>
    sealRecord(
      verdictKind,
      { network: networkId, owner: bavariaId, generation: 1, list, verdict },
      [keyNamed(signer)],
      powers,
    )
  const standing = (...verdicts: ReturnType<typeof say>[]) => standingOf(owner, verdicts, { networkId, parent }, powers)
  t.is(standing(), 'countersigned')
  t.is(standing(say('refused')), 'refused')
  t.is(standing(say('refused', 'de', 'ab'.repeat(32))), 'countersigned', 'another list')
  t.is(standing(say('retired', 'de', 'ab'.repeat(32))), 'retired', 'for ever, whatever list')
  t.is(standing(say('retired', 'stranger')), 'countersigned')
  t.is(standingOf({ ...owner, isCountersigned: false }, [], { networkId, parent }, powers), 'open')
})

test('an owner is without keys only when all are blocked', (t) => {
  const owner = ownerOf(bavaria)
  const ids = [...owner.keys.keys()]
  t.false(isWithoutKeys(owner, nothingBlocked))
  t.false(isWithoutKeys(owner, { ...nothingBlocked, keys: new Set(ids.slice(1)) }))
  t.true(isWithoutKeys(owner, { ...nothingBlocked, keys: new Set(ids) }))
})

test('fences are ordered by generation, then by count, and only the highest generation goes on', (t) => {
  const fence = fc.record({ generation: fc.integer({ min: 1, max: 4 }), n: fc.integer({ min: 1, max: 4 }) })
  fc.assert(
    fc.property(fence, fence, fc.integer({ min: 1, max: 4 }), (a, b, generation) => {
      t.is(compareFences(a, b), 0 - compareFences(b, a))
      if (a.generation < b.generation) t.true(compareFences(a, b) < 0)
      const next = nextFence(a, generation)
      t.is(next === undefined, a.generation > generation)
      if (next) t.true(compareFences(next, a) > 0 && next.generation === generation)
    }),
  )
  t.deepEqual(nextFence(undefined, 2), { generation: 2, n: 1 })
})
