import test from 'ava'
import type { Wanted } from './change-ledger.ts'
import { notYet, restarted, type SiteShape, strangers } from './tree-judge.ts'
import type { SeenContainer, SeenPlace, TreeReading } from './tree-reading.ts'

const container = (fields: Partial<SeenContainer> = {}): SeenContainer => ({
  name: 'n1/shop.web-1/httpd',
  application: 'shop',
  service: 'web',
  site: 'n1',
  version: '1',
  specHash: 'a',
  id: 'web-1',
  pid: 7,
  restarts: 0,
  ready: true,
  page: 'hello from shop version 1\n',
  ...fields,
})
const till = (fields: Partial<SeenContainer> = {}): SeenContainer => {
  const { page: _, ...one } = container({ name: 'n1/shop.till-1/till', service: 'till', id: 'till-1', pid: 8 })
  return { ...one, ...fields }
}
const place = (fields: Partial<SeenPlace> = {}): SeenPlace => ({
  where: 'n1',
  version: '1',
  isWanted: true,
  wanted: 2,
  ready: 2,
  failing: 0,
  ...fields,
})
const reading = (fields: Partial<TreeReading> = {}): TreeReading => ({
  nodes: [
    { name: 'tower', fingerprint: 't' },
    { name: 'n1-a', fingerprint: 'e', link: 'up' },
  ],
  containers: [container(), till()],
  deployed: { shop: '1' },
  told: { shop: [place()] },
  members: [{ at: 'tower', name: 'n1-a', status: 'enrolled' }],
  ...fields,
})
const sites: readonly SiteShape[] = [{ site: 'n1', hosts: 1 }]
const at = (version: Wanted) => new Map([['shop', version]])
const untouched = () => ({ changed: false, removed: false })

test('nothing is wrong with a tree that is as acknowledged', (t) => {
  t.deepEqual(notYet(reading(), sites, at('1')), [])
  t.deepEqual(notYet(reading({ containers: [], told: {} }), sites, at(undefined)), [])
  t.deepEqual(
    strangers(
      reading(),
      new Map([
        ['tower', 't'],
        ['n1-a', 'e'],
      ]),
    ),
    [],
  )
})

test('a node without a link is told, with why', (t) => {
  const nodes = [{ name: 'n1-a', fingerprint: 'e', link: 'down' as const, error: 'refused' }]
  t.deepEqual(notYet(reading({ nodes }), sites, at('1')), ['n1-a is not linked (refused)'])
})

test('another version, an idle container, another page, a missing one and one too many are each told', (t) => {
  const wrong = (containers: readonly SeenContainer[]) => notYet(reading({ containers }), sites, at('1'))
  t.deepEqual(wrong([container({ version: '2' }), till()]), ['n1/shop.web-1/httpd is of version 2, not 1'])
  t.deepEqual(wrong([container({ ready: false }), till()]), ['n1/shop.web-1/httpd is not ready'])
  t.deepEqual(wrong([container({ page: 'hello from shop version 2\n' }), till()]), [
    'n1/shop.web-1/httpd answers "hello from shop version 2\\n", not as version 1',
  ])
  t.deepEqual(wrong([container()]), ['n1 has 1 containers of shop, not 2'])
  t.deepEqual(wrong([container(), till(), till({ name: 'n1/shop.till-2/till' })]), [
    'n1 has 3 containers of shop, not 2',
  ])
  t.deepEqual(notYet(reading({ containers: [till()], told: {} }), sites, at(undefined)), [
    'n1/shop.till-1/till is still there',
  ])
})

test('a tower that hears of something else than what is wanted is told, of a zone of counts too', (t) => {
  const told = (...places: readonly SeenPlace[]) => reading({ told: { shop: places } })
  t.deepEqual(notYet(told(place({ version: '2' })), sites, at('1')), [
    'the tower hears of shop 2 in n1: 2 of 2 ready, 0 failing',
  ])
  t.deepEqual(notYet(told(place({ ready: 1 })), sites, at('1')), [
    'the tower hears of shop 1 in n1: 1 of 2 ready, 0 failing',
  ])
  t.deepEqual(notYet(told(), sites, at('1')), ['the tower hears of 0 versions of shop in n1, not of one'])
  const hidden = [{ site: 'n1', hosts: 1, hiddenIn: '/south' }]
  t.deepEqual(notYet(told(place({ where: '/south' })), hidden, at('1')), [])
  t.deepEqual(notYet(told(place({ where: '/south', wanted: 4, ready: 4 })), hidden, at('1')), [
    'the tower hears of shop 1 in /south: 4 of 4 ready, 0 failing',
  ])
  const removed = reading({ containers: [], told: { shop: [place()] } })
  t.deepEqual(notYet(removed, sites, at(undefined)), ['the tower hears that shop is wanted in n1'])
})

test('a node with another key and somebody who has to enrol again are told', (t) => {
  const first = new Map([
    ['tower', 't'],
    ['n1-a', 'before'],
  ])
  const members = [{ at: 'tower', name: 'n1-a', status: 'duplicate' }]
  t.deepEqual(strangers(reading({ members }), first), [
    'n1-a has the key e, not before',
    'tower lists n1-a as duplicate',
  ])
})

test('a container that stayed wanted keeps its process', (t) => {
  const before = [container(), till()]
  t.deepEqual(restarted(before, before, untouched), { compared: 2, broken: [] })
  t.deepEqual(restarted(before, [container(), till({ pid: 9 })], untouched).broken, [
    'n1/shop.till-1/till was process 8 (till-1), is 9 (till-1)',
  ])
  t.deepEqual(restarted(before, [container()], untouched).broken, ['n1/shop.till-1/till was process 8 and is gone'])
  t.deepEqual(restarted(before, [container({ specHash: 'b' }), till()], untouched).broken, [
    'n1/shop.web-1/httpd got another specification',
  ])
  t.is(restarted(before, [container(), till({ restarts: 1 })], untouched).broken.length, 1)
})

test('only what a change is about may be touched by it: of an upgrade the web, of a removal all', (t) => {
  const before = [container(), till()]
  const after = [container({ pid: 17, specHash: 'b' }), till({ pid: 18 })]
  const upgrade = restarted(before, after, () => ({ changed: true, removed: false }))
  t.deepEqual(upgrade, { compared: 1, broken: ['n1/shop.till-1/till was process 8 (till-1), is 18 (till-1)'] })
  t.deepEqual(
    restarted(before, after, () => ({ changed: true, removed: true })),
    { compared: 0, broken: [] },
  )
})

test('what was not healthy before is not compared', (t) => {
  t.deepEqual(restarted([container({ ready: false }), till({ pid: 0 })], [], untouched), { compared: 0, broken: [] })
})
