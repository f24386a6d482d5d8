import test from 'ava'
import fc from 'fast-check'
import { createReportHearer, createReportTeller, withoutAges } from './report-stream.ts'
import type { HostReport } from './services/deployments/index.ts'

const host = (node: string, hash: string, given: Partial<HostReport> = {}) => ({
  hash,
  report: { site: 's', host: node, node, link: 'up' as const, linkForMs: 0, receivedAgeMs: 1_000, ...given },
})
const said = ({ changed, ages }: ReturnType<ReturnType<typeof createReportTeller>['next']>) => [
  changed.map(({ n, host: { report } }) => `${n} ${report.node}`),
  [...ages],
]

test('a host is told of once, and then only that it was heard', (t) => {
  const teller = createReportTeller()
  const all = [host('a', '1'), host('b', '1', { receivedAgeMs: 7_400 })]
  t.deepEqual(said(teller.next(all, 0)), [['0 a', '1 b'], []])
  t.deepEqual(said(teller.next(all, 10)), [[], [1, 7]])
  t.deepEqual(said(teller.next([host('a', '2'), host('b', '1')], 20)), [['0 a'], [255, 1]])
  t.deepEqual(said(teller.next([host('b', '1'), host('c', '1')], 30)), [['2 c'], [255, 1, 255]])
})

test('a link that changed, another intent, and an hour without are news; what is too old is none', (t) => {
  const teller = createReportTeller()
  teller.next([host('a', '1')], 0)
  t.deepEqual(said(teller.next([host('a', '1', { link: 'down' })], 1)), [['0 a'], []])
  t.deepEqual(said(teller.next([host('a', '1', { link: 'down' })], 2)), [[], []])
  t.deepEqual(said(teller.next([host('a', '1', { intendedOrder: 4 })], 3)), [['0 a'], []])
  t.deepEqual(said(teller.next([host('a', '1', { intendedOrder: 4, receivedAgeMs: 121_000 })], 4)), [[], []])
  t.deepEqual(said(teller.next([host('a', '1', { intendedOrder: 4 })], 3_600_004)), [['0 a'], []])
  teller.reset()
  t.deepEqual(said(teller.next([host('a', '1', { intendedOrder: 4 })], 5)), [['0 a'], []])
})

test('whatever changes, who listens knows of every host what it said last, and when it was heard', (t) => {
  const change = fc.record({
    node: fc.constantFrom('a', 'b', 'c', 'd'),
    hash: fc.constantFrom('1', '2', '3'),
    resets: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const [teller, hearer] = [createReportTeller(), createReportHearer()]
      const truth = new Map<string, string>()
      let known = new Map<string, string>()
      let nowMs = 0
      for (const { node, hash, resets } of changes) {
        truth.set(node, hash)
        if (resets) {
          teller.reset()
          hearer.reset()
          known = new Map()
        }
        nowMs += 10
        const { changed, ages } = teller.next(
          [...truth].map(([name, of]) => host(name, of)),
          nowMs,
        )
        const heard = new Set<string>()
        for (const { n, host: one } of changed) {
          hearer.named(n, one.report.node)
          known.set(one.report.node, one.hash)
          heard.add(one.report.node)
        }
        for (const { node: name } of hearer.still(ages)) heard.add(name)
        if (heard.size !== truth.size) return false
        for (const [name, of] of truth) if (known.get(name) !== of) return false
      }
      return true
    }),
  )
  t.pass()
})

test('bytes of any shape name nobody who was not named', (t) => {
  const hearer = createReportHearer()
  hearer.named(1, 'b')
  fc.assert(fc.property(fc.uint8Array(), (bytes) => hearer.still(bytes).every(({ node }) => node === 'b')))
  t.deepEqual(hearer.still(Uint8Array.of(3, 5, 255)), [{ node: 'b', ageMs: 5_000 }])
})

test('a status that differs in ages alone is the same', (t) => {
  const status = (forMs: number) => ({
    engine: { state: 'up', forMs },
    observedAgeMs: forMs,
    applications: [{ waiting: [{ reason: 'starting', forMs, retryInMs: forMs }] }],
  })
  t.is(withoutAges(status(1)), withoutAges(status(9)))
  t.not(withoutAges(status(1)), withoutAges({ ...status(1), engine: { state: 'unavailable', forMs: 1 } }))
})
