import { readFileSync } from 'node:fs'
import test from 'ava'
import { parseScopePath } from '../../base/index.ts'
import { nodesOf, parseTopology, sliceFor, type Topology } from '../../topologies/index.ts'
import { knowledgeOfIntents } from '../knowledge.ts'
import { treeView } from './place-views.ts'
import { borders, type ZoneKnowledge, zoneViews } from './zone-views.ts'

const federal = parseTopology(
  readFileSync(new URL('../../topologies/examples/federal.yaml', import.meta.url), 'utf8'),
  'federal.yaml',
)
const slice = (scope: string) => sliceFor(federal, parseScopePath(scope))
const nothing: ZoneKnowledge = { authority: () => undefined, link: () => undefined }
const zoneOf = (topology: Topology, scope: string, path: string, known = nothing) =>
  zoneViews(topology, scope, known).find((zone) => zone.scope === path)

test('a zone shows its nodes, the link to those that are neighbours, and whose keys sign for it', (t) => {
  const known: ZoneKnowledge = {
    authority: (scope) => (scope === '/de' ? { generation: 3, 'stale-for-ms': 90_000 } : undefined),
    link: (node) => (node === 'de-aggregator' ? { state: 'down', forMs: 5_000 } : undefined),
  }
  const country = zoneOf(slice('/'), '/', '/de', known)
  t.deepEqual(country?.aggregators, [{ node: 'de-aggregator', link: 'down', 'age-ms': 5_000 }])
  t.deepEqual(country?.authority, { generation: 3, 'stale-for-ms': 90_000 })
  t.deepEqual([country?.zones, country?.sites, country?.note], [3, 0, undefined])
  const hesse = zoneOf(slice('/'), '/', '/de/hesse', known)
  t.deepEqual(hesse?.aggregators, [{ node: 'hesse-aggregator' }])
  t.false(Object.hasOwn(hesse ?? {}, 'authority'))
})

test('a zone that keeps its names back has no counts and says who answers', (t) => {
  const bavaria = zoneOf(slice('/'), '/', '/de/bavaria')
  t.is(bavaria?.note, 'beyond here /de/bavaria answers')
  t.false(Object.hasOwn(bavaria ?? {}, 'sites'))
  t.deepEqual(bavaria?.aggregators, [])
})

test('of a zone above, what it holds is not counted: only the way up is known', (t) => {
  const views = zoneViews(slice('/de/bavaria'), '/de/bavaria', nothing)
  t.deepEqual(
    views.map(({ scope, zones, sites }) => [scope, zones, sites]),
    [
      ['/', undefined, undefined],
      ['/de', undefined, undefined],
      ['/de/bavaria', 2, 0],
      ['/de/bavaria/munich', 0, 2],
      ['/de/bavaria/nuremberg', undefined, undefined],
    ],
  )
})

test('the tree ends at the border of a zone that keeps its names back', (t) => {
  const tower = slice('/')
  t.deepEqual(borders(tower), ['/de/bavaria'])
  const nodes = nodesOf(tower).map(({ name, role, scope, parents, site = '' }) => ({
    name,
    role,
    scope,
    site,
    parents,
  }))
  const tree = treeView({ scope: '/', name: 'federal' }, nodes, knowledgeOfIntents([], [], []), borders(tower))
  const country = tree.children.find(({ name }) => name === 'de')
  t.deepEqual(
    country?.children.map(({ kind, name, note }) => [kind, name, note]),
    [
      ['border', 'bavaria', 'beyond here /de/bavaria answers'],
      ['zone', 'hesse', 'aggregator hesse-aggregator'],
      ['zone', 'saxony', 'aggregator saxony-aggregator'],
    ],
  )
  const bavaria = slice('/de')
  const below = nodesOf(bavaria).map(({ name, role, scope, parents, site = '' }) => ({
    name,
    role,
    scope,
    site,
    parents,
  }))
  const shown = treeView({ scope: '/de', name: 'de' }, below, knowledgeOfIntents([], [], []), borders(bavaria))
  t.is(shown.children[0]?.note, 'aggregator bavaria-aggregator, beyond here /de/bavaria answers')
})
