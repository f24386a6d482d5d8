import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { canonicalJson, parseScopePath } from '../base/index.ts'
import {
  borderAround,
  describeTree,
  formatTopology,
  nodesOf,
  parseTopology,
  siteLabels,
  siteNamed,
  sites,
  sliceFor,
  type Topology,
  visibleTo,
  type Zone,
  zoneAt,
  zones,
} from './index.ts'
import { canaryTopology, namesIn } from './random-topology.contract.ts'

const example = (name: string) =>
  parseTopology(readFileSync(new URL(`examples/${name}.yaml`, import.meta.url), 'utf8'), `${name}.yaml`)
const slice = (topology: Topology, scope: string) => sliceFor(topology, parseScopePath(scope))
const golden = new URL('golden/slices/', import.meta.url)

const goldenSlices: Readonly<Record<string, readonly string[]>> = {
  'two-zones': ['/', '/north', '/south', '/north/n1', '/south/s1'],
  federal: ['/', '/de', '/de/bavaria', '/de/bavaria/munich', '/de/bavaria/munich/munich-1', '/de/hesse'],
}

for (const [name, scopes] of Object.entries(goldenSlices))
  for (const scope of scopes)
    test(`what ${scope} of ${name} may read is as golden`, (t) => {
      const text = formatTopology(slice(example(name), scope))
      const file = new URL(`${name}${scope === '/' ? '' : scope.replaceAll('/', '-')}.yaml`, golden)
      if (process.env.GOLDEN === 'write') {
        mkdirSync(golden, { recursive: true })
        writeFileSync(file, text)
      }
      t.is(text, existsSync(file) ? readFileSync(file, 'utf8') : '')
    })

test('a parent knows by name which hosts to enrol for a privacy zone, and nothing else of it', (t) => {
  const tower = slice(example('two-zones'), '/')
  t.deepEqual(
    nodesOf(tower).map(({ name }) => name as string),
    ['tower', 'north-aggregator', 'n1-a', 'n1-b', 'n2-a', 'south-aggregator'],
  )
  t.is(zoneAt(tower, '/south')?.withheld, true)
  t.deepEqual(describeTree(tower).slice(-1), ['└─ /south  aggregator south-aggregator  privacy  withheld'])
})

test('further up, a privacy zone is a path and a policy, and what is behind it is gone', (t) => {
  const tower = slice(example('federal'), '/')
  t.deepEqual(zoneAt(tower, '/de/bavaria')?.hosts, [])
  t.is(zoneAt(tower, '/de/bavaria/munich'), undefined)
  t.is(zoneAt(tower, '/de/hesse')?.withheld, undefined)
  t.is(borderAround(tower, parseScopePath('/de/bavaria/munich/munich-1')) as string, '/de/bavaria')
  t.is(borderAround(tower, parseScopePath('/de/hesse/frankfurt')), undefined)
})

test('who lives in a privacy zone reads its own zone whole', (t) => {
  const bavaria = slice(example('federal'), '/de/bavaria')
  t.deepEqual(
    zoneAt(bavaria, '/de/bavaria/munich')?.sites.map(({ name }) => name as string),
    ['munich-1', 'munich-2'],
  )
  t.is(zoneAt(bavaria, '/de/bavaria/nuremberg')?.withheld, true)
  t.is(zoneAt(bavaria, '/de/hesse'), undefined)
  t.deepEqual(zoneAt(bavaria, '/')?.addresses, ['centre-1.federal.example:8443', 'centre-2.federal.example:8443'])
})

test('a scope that is not there, or whose names are kept from the slice itself, is refused in words', (t) => {
  const topology = example('two-zones')
  t.throws(() => slice(topology, '/east'), { code: 'unknown-zone' })
  t.throws(() => slice(topology, '/south/n1'), { code: 'unknown-zone' })
  t.throws(() => slice(slice(topology, '/'), '/south'), { code: 'withheld', message: /only a node of \/south can say/ })
})

test('the slice of the towers’ own site is that of the towers', (t) => {
  const topology = example('two-zones')
  t.deepEqual(slice(topology, '/headquarters'), slice(topology, '/'))
})

test('a slice is read back as it was, also one of ten thousand shops', (t) => {
  for (const name of ['single-site', 'two-zones', 'federal']) t.deepEqual(reread(example(name)), example(name))
  const retail = example('retail-10k')
  const region = slice(retail, '/region-07')
  t.is(sites(region).length, 501)
  t.deepEqual(reread(region), region)
})

const reread = (topology: Topology) => parseTopology(formatTopology(topology), 'slice.yaml')

/** What `reader` may read, said another way than by cutting: name by name. */
const readable = (topology: Topology, reader: string): ReadonlySet<string> => {
  const scope = parseScopePath(reader)
  const names = new Set<string>()
  const add = (value: object) => {
    for (const name of namesIn(value)) names.add(name)
  }
  const around = (path: string) => path === '/' || reader === path || reader.startsWith(`${path}/`)
  const site = sites(topology).find(({ path }) => path === reader)
  for (const zone of zones(topology)) {
    const { path, labels, hosts, addresses } = zone
    const sees = visibleTo(topology, path, scope, 'names') === 'all' && site === undefined
    const parent = path.slice(0, path.lastIndexOf('/')) || '/'
    const parentSeen = parent === reader || visibleTo(topology, parseScopePath(parent), scope, 'names') === 'all'
    if (sees) add({ labels, hosts, addresses, path, sites: zone.sites })
    else if (around(path)) add({ path, labels, addresses, hosts: hosts.map(({ name }) => name) })
    else if (site === undefined && parentSeen && parent.startsWith(reader === '/' ? '/' : reader))
      add({ path, hosts: parent === reader ? hosts.map(({ name, hostId }) => [name, hostId]) : [] })
  }
  const top = sites(topology).find(({ type }) => type === 'top')
  if (top) add([top.name, top.hosts.map(({ name }) => name)])
  if (site) add(site)
  return names
}

const scopesOf = (topology: Topology) => [
  ...zones(topology).map(({ path }) => path),
  ...sites(topology).flatMap(({ path, type }) => (type === 'edge' ? [path] : [])),
]

test('no name, label, host-id or address of a withheld place is in a slice, and no other is missing', (t) => {
  fc.assert(
    fc.property(canaryTopology, (topology) => {
      for (const scope of scopesOf(topology)) {
        const text = formatTopology(sliceFor(topology, scope))
        t.deepEqual(namesIn(text).toSorted(), [...readable(topology, scope)].toSorted(), `${scope}\n${text}`)
      }
    }),
    { numRuns: 60 },
  )
})

test('a slice of a slice at its own scope is itself, and it is read back equal', (t) => {
  fc.assert(
    fc.property(canaryTopology, (topology) => {
      t.deepEqual(reread(topology), topology)
      for (const scope of scopesOf(topology)) {
        const cut = sliceFor(topology, scope)
        t.is(canonicalJson(sliceFor(cut, scope) as never), canonicalJson(cut as never))
        t.deepEqual(reread(cut), cut)
      }
    }),
    { numRuns: 60 },
  )
})

test('a site has the same labels, parents and visibility in the slices of its zone and of itself as in the whole', (t) => {
  fc.assert(
    fc.property(canaryTopology, (topology) => {
      const edges = (zone: Zone) => zone.sites.filter(({ type }) => type === 'edge')
      for (const zone of zones(topology))
        for (const site of edges(zone))
          for (const scope of [zone.path, site.path]) {
            const cut = sliceFor(topology, scope)
            const held = siteNamed(cut, site.name)
            if (held === undefined) return t.fail(`${site.path} is not in the slice of ${scope}`)
            t.deepEqual(siteLabels(cut, held), siteLabels(topology, site))
            const parents = (of: Topology) => nodesOf(of).find((node) => node.scope === site.path)?.parents
            t.deepEqual(parents(cut), parents(topology))
            t.is(
              visibleTo(cut, site.path, parseScopePath('/'), 'names'),
              visibleTo(topology, site.path, parseScopePath('/'), 'names'),
            )
          }
    }),
    { numRuns: 40 },
  )
})
