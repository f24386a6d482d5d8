import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { describeTree, nodesOf, parseTopology, siteNamed, sites, zoneAt, zones } from './index.ts'

const examples = new URL('examples/', import.meta.url)
const example = (name: string) => parseTopology(readFileSync(new URL(`${name}.yaml`, examples), 'utf8'), `${name}.yaml`)

test('every example is valid and is called as its file', (t) => {
  const names = readdirSync(examples).map((file) => file.replace(/\.yaml$/, ''))
  t.deepEqual(names.toSorted(), ['federal', 'retail-10k', 'single-site', 'two-zones'])
  for (const name of names) t.is(example(name).network as string, name)
})

test('single-site is a tower and one edge that calls it', (t) => {
  t.deepEqual(nodesOf(example('single-site')) as unknown, [
    {
      name: 'tower',
      role: 'tower',
      scope: '/',
      site: 'headquarters',
      host: 'tower',
      parents: [],
      labels: { 'system/name': 'tower' },
    },
    {
      name: 'shop-1-a',
      role: 'edge',
      scope: '/shop-1',
      site: 'shop-1',
      host: 'shop-1-a',
      parents: ['tower'],
      labels: { 'system/name': 'shop-1-a' },
    },
  ])
})

test('two-zones is an open north with three hosts at two sites and a private south', (t) => {
  t.deepEqual(describeTree(example('two-zones')), [
    '/  two-zones  tower tower',
    '├─ /north  aggregator north-aggregator',
    '│  ├─ n1  n1-a, n1-b',
    '│  └─ n2  n2-a',
    '└─ /south  aggregator south-aggregator  privacy',
    '   ├─ s1  s1-a',
    '   └─ s2  s2-a',
  ])
})

test('federal comes up on one machine, with three states and a policy of its own in every zone', (t) => {
  const federal = example('federal')
  t.is(nodesOf(federal).length, 28)
  t.deepEqual(
    zoneAt(federal, '/de')?.zones.map(({ path, privacy }) => [path as string, privacy]),
    [
      ['/de/bavaria', true],
      ['/de/hesse', false],
      ['/de/saxony', false],
    ],
  )
  t.is(siteNamed(federal, 'munich-2')?.path as string, '/de/bavaria/munich/munich-2')
  const below = zones(federal).filter((zone) => zone.path.startsWith('/de/'))
  const differing = new Set(below.map((zone) => JSON.stringify(zone.policy)))
  t.true(differing.size >= 7, `${differing.size} policies in ${below.length} zones`)
})

test('retail-10k is ten thousand sites, and its tree fits a screen or two', (t) => {
  const retail = example('retail-10k')
  t.is(sites(retail).filter((site) => site.type === 'edge').length, 10_000)
  t.is(nodesOf(retail).length, 10_000 + 3 + 20 * 2)
  const lines = describeTree(retail, { maxSites: 1 })
  t.is(lines.length, 1 + 20 * 3)
  t.is(lines[3], '│  └─ and 499 more sites')
})
