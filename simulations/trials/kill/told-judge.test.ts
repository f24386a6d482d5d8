import test from 'ava'
import { onItsWay, retired, type SketchedStore } from './told-judge.ts'

const intent = (scope: string, owner: string, told: Readonly<Record<string, string>>, heads = 'h') => ({
  lane: `intent/${scope}`,
  heads,
  scope,
  owner,
  told: new Map(Object.entries(told)),
})
const store = (node: string, scope: string, fields: Partial<SketchedStore> = {}): SketchedStore => ({
  node,
  scope,
  lanes: [],
  accepted: new Map(),
  ...fields,
})
const tree = (zone: Readonly<Record<string, string>>, site: Readonly<Record<string, string>>, edge = site) => {
  const [above, below] = [intent('/north', '/', zone), intent('/north/n1', '/north', site)]
  return [
    store('tower', '/', { lanes: [above] }),
    store('north-aggregator', '/north', { lanes: [above, below] }),
    store('n1-a', '/north/n1', { lanes: [below], accepted: new Map(Object.entries(edge)) }),
  ]
}

test('nothing is on its way once zone, site and edge have the same signed versions', (t) => {
  t.deepEqual(onItsWay(tree({ shop: 'v2', depot: retired }, { shop: 'v2', depot: retired })), [])
  t.deepEqual(onItsWay(tree({ shop: 'v2', depot: retired }, { shop: 'v2' })), [])
})

test('a zone that has not told its site yet is on its way', (t) => {
  t.deepEqual(onItsWay(tree({ shop: 'v2' }, { shop: 'v1' })), ['/north/n1 is behind with shop'])
  t.deepEqual(onItsWay(tree({ shop: 'v2' }, { shop: retired })), ['/north/n1 is behind with shop'])
})

test('an edge that works on another version than it was told is on its way', (t) => {
  t.deepEqual(onItsWay(tree({ shop: 'v2' }, { shop: 'v2' }, { shop: 'v1' })), ['n1-a is behind with shop'])
})

test('a lane with other heads in another store is on its way', (t) => {
  const stores = [
    store('tower', '/', { lanes: [intent('/north', '/', {}, 'new')] }),
    store('north-aggregator', '/north', { lanes: [intent('/north', '/', {}, 'old')] }),
  ]
  t.deepEqual(onItsWay(stores), ['intent//north is not the same at tower and north-aggregator'])
})
