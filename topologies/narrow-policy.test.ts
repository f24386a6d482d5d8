import test from 'ava'
import fc from 'fast-check'
import { parseScopePath } from '../base/index.ts'
import { narrowPolicy, visibleTo, withPolicies } from './index.ts'
import { kindRules, levelsOf, type PolicyKind, policyKinds, policyLevels, resolvePolicy } from './policy.ts'
import { canaryTopology } from './random-topology.contract.ts'

const levels = fc
  .tuple(...policyKinds.map((kind) => fc.option(fc.constantFrom(...levelsOf(kind)), { nil: undefined })))
  .map((some) => Object.fromEntries(policyKinds.flatMap((kind, at) => (some[at] ? [[kind, some[at]]] : []))))
const depth = (level: string) => (policyLevels as readonly string[]).indexOf(level)

test('what is above tightens a policy, is refused where it would widen it, and never breaks what a kind needs', (t) => {
  fc.assert(
    fc.property(levels, fc.boolean(), levels, (written, privacy, narrowing) => {
      const { policy: own } = resolvePolicy(written, privacy)
      const { policy, refused } = narrowPolicy(own, narrowing)
      for (const kind of policyKinds) {
        t.true(depth(policy[kind]) <= depth(own[kind]))
        const wanted = narrowing[kind]
        t.is(refused.includes(kind), wanted !== undefined && depth(wanted) > depth(own[kind]))
        if (wanted !== undefined && !refused.includes(kind)) t.true(depth(policy[kind]) <= depth(wanted))
        const { needs } = kindRules[kind]
        if (policy[kind] === 'all' && needs !== undefined) t.is(policy[needs], 'all')
      }
      t.deepEqual(narrowPolicy(policy, narrowing).policy, policy)
      t.deepEqual(narrowPolicy(own, {}).policy, own)
    }),
  )
})

test('a level that is not known lets nothing out', (t) => {
  const { policy: own } = resolvePolicy({}, false)
  const { policy, refused } = narrowPolicy(own, { logs: 'hashed', reports: 'summary' })
  t.is(policy.logs, 'none')
  t.is(policy.reports, 'summary')
  t.deepEqual(refused, [])
})

test('a tree with other policies is seen by those', (t) => {
  fc.assert(
    fc.property(canaryTopology, (topology) => {
      const [zone] = topology.root.zones
      if (zone === undefined) return
      const closed = Object.fromEntries(policyKinds.map((kind) => [kind, 'none'])) as Record<PolicyKind, 'none'>
      const tree = withPolicies(topology, new Map([[zone.path as string, closed]]))
      for (const kind of policyKinds) t.is(visibleTo(tree, zone.path, parseScopePath('/'), kind), 'none')
      t.deepEqual(withPolicies(tree, new Map([[zone.path as string, zone.policy]])), topology)
    }),
    { numRuns: 20 },
  )
})
