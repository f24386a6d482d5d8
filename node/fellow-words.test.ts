import test from 'ava'
import fc from 'fast-check'
import { createManualClock } from '../base/index.ts'
import { createFellowWords, wordThatCounts } from './fellow-words.ts'
import type { CarriedHost, CarriedZone, ReadReports } from './reports.ts'
import { type HostReport, staleAfterMs } from './services/deployments/index.ts'

const expected = ['h0', 'h1', 'h2'].map((node) => ({ site: `s-${node}`, host: node, node }))
const never = expected.map((one): HostReport => ({ ...one, link: 'never', linkForMs: 0 }))
const word = (node: string, change: Partial<HostReport> = {}): CarriedHost => ({
  snapshot: new Uint8Array(),
  certificate: new Uint8Array(),
  hash: node,
  report: { site: `s-${node}`, host: node, node, link: 'up', linkForMs: 0, receivedAgeMs: 0, ...change },
})
const zone = (scope: string, heardAtMs: number, ready: number): CarriedZone => ({
  scope,
  bytes: new Uint8Array([ready]),
  rollUp: {} as CarriedZone['rollUp'],
  wishes: [],
  heardAtMs,
})
const said = (given: Partial<ReadReports>): ReadReports => ({ hosts: [], still: [], zones: [], ...given })

const createScene = () => {
  const clock = createManualClock()
  const links = new Map([
    ['f1', true],
    ['f2', true],
  ])
  const orders = new Map<string, number>()
  const words = createFellowWords({
    clock,
    scope: '/north',
    expected,
    intendedOrder: (site) => orders.get(site),
    seen: () => [...links].map(([peer, up]) => ({ peer, up, forMs: 7, heardAgeMs: 0 })),
    // What was judged already: that a reader believes nobody without a signature is its own matter.
    createReader: () => ({ read: (_child, _key, value) => value as ReadReports }),
  })
  const linksNow = (own: readonly HostReport[] = never) => words.reports(own).map(({ link }) => link)
  return { clock, links, orders, words, linksNow }
}

test('what was never heard here counts as another aggregator tells it, as long as that one is linked', (t) => {
  const { words, links, clock, linksNow } = createScene()
  t.is(words.reports(never), never, 'nobody told anything')
  t.true(words.take('f1', said({ hosts: [word('h1')] })))
  t.deepEqual(linksNow(), ['never', 'up', 'never'])
  t.deepEqual(words.reports(never.slice(1, 2), 's-h1')[0]?.link, 'up')
  clock.advance(5_000)
  t.false(words.take('f1', said({ still: [{ node: 'h1', ageMs: 2_000 }] })), 'no news')
  t.is(words.reports(never)[1]?.receivedAgeMs, 2_000)
  links.set('f1', false)
  t.deepEqual(linksNow(), ['never', 'down', 'never'])
  t.is(words.reports(never)[1]?.linkForMs, 7)
})

test('the own word counts while it is fresh, whatever others tell; one that is older does not take its place', (t) => {
  const { words, clock } = createScene()
  words.take(
    'f1',
    said({ hosts: [word('h0', { acceptedOrder: 9 }), word('h1', { link: 'down', receivedAgeMs: 60_000 })] }),
  )
  clock.advance(1_000)
  const own = [word('h0').report, word('h1', { link: 'down', receivedAgeMs: 50_000 }).report, ...never.slice(2)]
  t.deepEqual(words.reports(own), own)
  // A host that went over: its link here may seem up for a while.
  t.is(words.reports([word('h0', { receivedAgeMs: staleAfterMs + 1 }).report, ...own.slice(1)])[0]?.acceptedOrder, 9)
  t.is(words.reports([word('h0', { link: 'down' }).report, ...own.slice(1)])[0]?.acceptedOrder, 9)
})

test('of two others one cannot put an older word in the place of what the other tells', (t) => {
  const { words, linksNow } = createScene()
  words.take('f1', said({ hosts: [word('h2')] }))
  words.take('f2', said({ hosts: [word('h2', { link: 'down', receivedAgeMs: 9_000 })] }))
  words.take('f2', said({ still: [{ node: 'h2', ageMs: 0 }] }))
  t.deepEqual(linksNow(), ['never', 'never', 'up'])
})

test('hosts that belong to no site of the zone, and zones outside it, are not taken', (t) => {
  const { words } = createScene()
  const zones = ['/', '/north', '/south', '/north/inner'].map((scope) => zone(scope, 0, 1))
  words.take('f1', said({ hosts: [word('other'), word('h0', { site: 's-h1' })], zones }))
  t.deepEqual(words.reports(never), never)
  t.deepEqual(words.carried([]), [])
  t.deepEqual([...words.zones(new Map()).keys()], ['/north/inner'])
})

test('counts of a zone further down are those heard here while they are fresh, else those heard last', (t) => {
  const { words, clock } = createScene()
  clock.advance(100_000)
  const shown = (own: number | undefined) =>
    words.zones(new Map(own === undefined ? [] : [['/north/inner', zone('/north/inner', own, 1)]])).get('/north/inner')
      ?.bytes[0]
  t.is(shown(1_000), 1)
  words.take('f1', said({ zones: [zone('/north/inner', 100_000, 2)] }))
  t.is(shown(undefined), 2)
  t.is(shown(100_000 - staleAfterMs), 1)
  t.is(shown(1_000), 2)
})

test('a site below both has to come to the newest order that either knows of', (t) => {
  const { words, orders } = createScene()
  words.take('f1', said({ hosts: [word('h0', { intendedOrder: 4 }), word('h1', { intendedOrder: 4 }), word('h2')] }))
  orders.set('s-h0', 5).set('s-h1', 3)
  t.deepEqual(
    words.reports(never).map(({ intendedOrder }) => intendedOrder),
    [5, 4, undefined],
  )
})

test('for a root over all hosts each stands once, with the word that counts', (t) => {
  const { words } = createScene()
  words.take('f1', said({ hosts: [{ ...word('h0'), hash: 'told' }, word('h1')] }))
  t.deepEqual(
    words.carried([word('h0'), word('h2')]).map(({ hash }) => hash),
    ['h0', 'h2', 'h1'],
  )
  t.deepEqual(
    words.carried([word('h0', { link: 'down' })]).map(({ hash }) => hash),
    ['told', 'h1'],
  )
})

test('the word that counts is one of those given, in whatever order others come, and never one that is worse', (t) => {
  const words = fc.record({
    link: fc.constantFrom('up' as const, 'down' as const, 'never' as const),
    receivedAgeMs: fc.integer({ min: 0, max: 60_000 }),
  })
  fc.assert(
    fc.property(words, fc.array(words, { maxLength: 4 }), (own, told) => {
      const all = [own, ...told].map((one): HostReport => ({ ...word('h0').report, ...one }))
      const [mine, ...others] = all as [HostReport, ...HostReport[]]
      const counts = wordThatCounts(mine, others)
      t.true(all.includes(counts))
      const again = wordThatCounts(mine, others.toReversed())
      t.deepEqual([again.link, again.receivedAgeMs], [counts.link, counts.receivedAgeMs])
      if (counts.link !== 'up') t.false(all.some(({ link }) => link === 'up'))
      if (mine.link === 'up' && (mine.receivedAgeMs ?? 0) <= staleAfterMs) t.is(counts, mine)
    }),
  )
})
