import test from 'ava'
import fc from 'fast-check'
import { parseScopePath } from '../base/index.ts'
import {
  explainPolicy,
  type PolicyKind,
  type PolicyLevel,
  parseTopology,
  policyKinds,
  policyLevels,
  visibleTo,
} from './index.ts'
import { kindRules, levelsOf, resolvePolicy } from './policy.ts'

type Written = Partial<Record<PolicyKind, PolicyLevel>>

/** A chain of zones /z1/z2/… with a site at the end, each with its privacy and what it writes. */
const chain = (zones: readonly { privacy?: boolean; policy?: Written }[]) => {
  let text = 'version: 1\nnetwork: n\ntowers: { site: top, hosts: [{ name: tower }] }\n'
  let pad = ''
  for (const [at, { privacy = false, policy = {} }] of zones.entries()) {
    text += `${pad}zones:\n${pad}  - name: z${at + 1}\n${pad}    privacy: ${privacy}\n${pad}    policy: ${JSON.stringify(policy)}\n`
    pad += '    '
    text += `${pad}aggregators: { hosts: [{ name: a${at + 1} }] }\n`
  }
  return parseTopology(`${text}${pad}sites: [{ name: shop, hosts: [{ name: shop-a }] }]\n`, 'topology.yaml')
}
const path = parseScopePath
const depth = (level: PolicyLevel) => policyLevels.indexOf(level)

test('an open zone lets everything out, a privacy zone summaries of reports alone', (t) => {
  const open = chain([{}])
  const closed = chain([{ privacy: true }])
  for (const kind of policyKinds) {
    t.is(visibleTo(open, path('/z1'), path('/'), kind), 'all')
    t.is(visibleTo(closed, path('/z1'), path('/'), kind), kind === 'reports' ? 'summary' : 'none')
  }
})

test('a zone narrows what its children let out, and cannot widen it', (t) => {
  const topology = chain([{ policy: { logs: 'none' } }, { policy: { audit: 'none' } }, {}])
  t.is(visibleTo(topology, path('/z1/z2/z3'), path('/z1/z2'), 'audit'), 'all')
  t.is(visibleTo(topology, path('/z1/z2/z3'), path('/z1'), 'audit'), 'none')
  t.is(visibleTo(topology, path('/z1/z2/z3'), path('/z1'), 'logs'), 'all')
  t.is(visibleTo(topology, path('/z1/z2/z3'), path('/'), 'logs'), 'none')
  t.is(visibleTo(topology, path('/z1/z2/z3'), path('/'), 'audit'), 'none')
})

test('a site is seen as its zone is, and only from above', (t) => {
  const topology = chain([{ privacy: true }])
  t.is(visibleTo(topology, path('/z1/shop'), path('/z1'), 'logs'), 'all')
  t.is(visibleTo(topology, path('/z1/shop'), path('/'), 'logs'), 'none')
  t.is(visibleTo(topology, path('/z1/shop'), path('/'), 'reports'), 'summary')
})

test('whoever is not above sees nothing, nor is anything seen of what does not exist', (t) => {
  const topology = chain([{}, {}])
  for (const [scope, other] of [
    ['/z1', '/z1/z2'],
    ['/', '/z1'],
    ['/z1/z2', '/z'],
    ['/nowhere', '/'],
    ['/z1/nowhere', '/z1'],
    ['/z1/z2/shop/x', '/'],
    ['/z1/z2/shop', '/z1/z2/shop'],
  ] as const)
    t.is(visibleTo(topology, path(scope), path(other), 'reports'), 'none', `${other} of ${scope}`)
})

const written = fc
  .tuple(...policyKinds.map((kind) => fc.option(fc.constantFrom(...levelsOf(kind)), { nil: undefined })))
  .map((levels) => Object.fromEntries(policyKinds.flatMap((kind, at) => (levels[at] ? [[kind, levels[at]]] : []))))
const zone = fc
  .record({ privacy: fc.boolean(), policy: written })
  .filter(({ privacy, policy }) => resolvePolicy(policy, privacy).clashes.length === 0)

test('going up never widens, and no kind leaves in full without what it carries', (t) => {
  fc.assert(
    fc.property(fc.array(zone, { minLength: 1, maxLength: 5 }), (zones) => {
      const topology = chain(zones)
      const paths = [
        '/',
        ...zones.map(
          (_, at) =>
            `/${zones
              .slice(0, at + 1)
              .map((_, n) => `z${n + 1}`)
              .join('/')}`,
        ),
      ].map(path)
      for (const [from, scope] of paths.entries())
        for (const kind of policyKinds) {
          const levels = paths.slice(0, from + 1).map((ancestor) => visibleTo(topology, scope, ancestor, kind))
          t.deepEqual(
            levels.map(depth),
            levels.map(depth).toSorted((a, b) => a - b),
          )
          const { needs } = kindRules[kind]
          for (const [at, level] of levels.entries())
            if (level === 'all' && needs) t.is(visibleTo(topology, scope, paths[at]!, needs), 'all')
          if (from > 0) t.true(depth(levels[from - 1]!) <= depth(zones[from - 1]!.policy[kind] ?? 'all'))
        }
    }),
    { numRuns: 60 },
  )
})

test('keeping names back lowers what was not written, and says so of what was', (t) => {
  const { policy, clashes } = resolvePolicy({ names: 'none', audit: 'all' }, false)
  t.is(policy.reports, 'summary')
  t.is(policy.intents, 'none')
  t.is(policy.events, 'all')
  t.deepEqual(clashes, [{ kind: 'audit', needs: 'names', instead: 'none' }])
})

test('explain says in words what each ancestor sees and who narrowed it', (t) => {
  const topology = chain([{ privacy: true }, { policy: { operations: 'none' } }])
  const { lines, ancestors } = explainPolicy(topology, '/z1/z2')
  t.is(lines[0], '/z1/z2 is an open zone. What those above can see of it:')
  t.is(
    ancestors[1]?.sentence,
    '/ (tower) sees counts of wanted, running, ready, failing, unknown and conflicting applications, by version, ' +
      'with their ages; no names, intents, authors of changes, operations, events, logs, metrics, audit records or blobs.',
  )
  t.true(lines.includes('  logs            none     no logs (narrowed by /z1)'))
  t.true(lines.includes('  operations      none     no operations'))
  t.is(lines.at(-1), 'What /z1/z2 decided itself and what those above decided otherwise: /z1/z2 alone settles that.')
  t.deepEqual(explainPolicy(topology, '/').lines, [
    '/ is the root zone: nobody is above it, so nothing is kept from anyone.',
  ])
  t.throws(() => explainPolicy(topology, '/z9'), { code: 'unknown-zone' })
})
