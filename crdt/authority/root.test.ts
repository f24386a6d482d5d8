import test from 'ava'
import fc from 'fast-check'
import { sealRecord } from './record.ts'
import { acceptFirstRoot, acceptNextRoot, type RootState, rootKind } from './root.ts'
import { firstRoot, keyNamed, makeRoot, networkId, powers, publicKeys } from './world.contract.ts'

const rootOf = (first = firstRoot): RootState => {
  const accepted = acceptFirstRoot(first, undefined, powers)
  if (!accepted.ok) throw new Error(accepted.refusal.message)
  return accepted.root
}
const codeOf = (result: ReturnType<typeof acceptNextRoot>) => (result.ok ? 'accepted' : result.refusal.code)

test('the network is named by the hash of the first version', (t) => {
  t.is(rootOf().networkId, firstRoot.id)
  t.is(codeOf(acceptFirstRoot(firstRoot, 'ab'.repeat(32), powers)), 'wrong-network')
  t.is(
    codeOf(acceptFirstRoot(makeRoot(['root'], 1, { signers: ['other'] }), undefined, powers)),
    'not-enough-signatures',
  )
  t.is(codeOf(acceptFirstRoot(makeRoot(['x'], 1, { previous: firstRoot }), undefined, powers)), 'broken-succession')
})

test('a next version needs a threshold of the old keys and of its own', (t) => {
  const old = ['a', 'b', 'c']
  const next = ['c', 'd', 'e']
  const first = makeRoot(old, 2)
  fc.assert(
    fc.property(fc.subarray(['a', 'b', 'c', 'd', 'e', 'stranger']), (signers) => {
      const enough = (keys: string[]) => signers.filter((name) => keys.includes(name)).length >= 2
      const result = acceptNextRoot(rootOf(first), makeRoot(next, 2, { previous: first, signers }), powers)
      t.is(result.ok, enough(old) && enough(next), signers.join())
    }),
  )
})

test('versions follow each other, and two different ones of one number are told', (t) => {
  const second = makeRoot(['n'], 1, { previous: firstRoot, signers: ['root', 'n'] })
  const rival = makeRoot(['m'], 1, { previous: firstRoot, signers: ['root', 'm'] })
  const third = makeRoot(['n'], 1, { previous: second })
  const accepted = acceptNextRoot(rootOf(), second, powers)
  t.true(accepted.ok)
  if (!accepted.ok) return
  t.is(accepted.root.networkId, networkId)
  t.is(codeOf(acceptNextRoot(accepted.root, second, powers)), 'accepted', 'again')
  t.is(codeOf(acceptNextRoot(accepted.root, rival, powers)), 'rival')
  t.is(codeOf(acceptNextRoot(accepted.root, third, powers)), 'accepted')
  t.is(codeOf(acceptNextRoot(rootOf(), third, powers)), 'broken-succession', 'a version is missing')
  const fromRival = makeRoot(['n'], 1, { previous: rival, signers: ['n', 'm'] })
  t.is(codeOf(acceptNextRoot(accepted.root, fromRival, powers)), 'broken-succession')
  const later = acceptNextRoot(accepted.root, third, powers)
  t.is(later.ok && codeOf(acceptNextRoot(later.root, second, powers)), 'stale')
  const foreign = makeRoot(['n'], 1, { previous: makeRoot(['root', 'z'], 1), signers: ['root', 'n'] })
  t.is(codeOf(acceptNextRoot(rootOf(), foreign, powers)), 'wrong-network')
})

test('a threshold above the number of keys is no root document', (t) => {
  const body = { network: null, number: 1, previous: null, keys: publicKeys(['a']), threshold: 2, beacon: null }
  t.throws(() => sealRecord(rootKind, body, [keyNamed('a')], powers), { message: /threshold above/ })
})
