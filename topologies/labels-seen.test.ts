import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { parseLabelExpression, parseTopology, type Topology } from './index.ts'
import { matchesLabels } from './label-expression.ts'
import { keysOfExpression, labelsSeenFrom } from './labels-seen.ts'
import { canaryTopology } from './random-topology.contract.ts'
import { sliceFor } from './slice.ts'
import { ancestorsOf, siteLabels, siteNamed, sites } from './tree.ts'
import { visibleTo } from './visibility.ts'

const example = (name: string) =>
  parseTopology(readFileSync(new URL(`examples/${name}.yaml`, import.meta.url), 'utf8'), `${name}.yaml`)
const seen = (topology: Topology, site: string, author: string) => {
  const found = siteNamed(topology, site)
  if (found === undefined) throw new RangeError(site)
  return labelsSeenFrom(topology, found, author)
}
const matches = (topology: Topology, text: string, author: string) =>
  sites(topology)
    .filter((site) => matchesLabels(parseLabelExpression(text), labelsSeenFrom(topology, site, author).labels))
    .map(({ name }) => name as string)

const twoZones = example('two-zones')
const federal = example('federal')

test('an expression of the tower sees what is written around a privacy zone and on it, and nothing inside', (t) => {
  t.deepEqual(matches(twoZones, 'shop.example/size = large', '/'), ['n1'])
  t.deepEqual(matches(twoZones, 'region.example/name = south', '/'), ['s1', 's2'])
  t.deepEqual(matches(twoZones, 'system/type = edge', '/'), ['n1', 'n2', 's1', 's2'])
  t.deepEqual(matches(twoZones, 'system/name = s1', '/'), [])
  t.deepEqual(matches(twoZones, 'shop.example/size != large', '/'), ['n2'])
  t.deepEqual(matches(twoZones, 'system/type = edge and not shop.example/size', '/'), ['s1', 's2'])
  t.deepEqual(matches(twoZones, 'shop.example/size = large', '/south'), ['n1', 's1'])
  t.deepEqual(seen(twoZones, 's1', '/'), {
    labels: { 'region.example/name': 'south', 'system/type': 'edge' },
    border: '/south',
  })
})

test('the outermost zone that keeps its names back is the border, and each author sees from where it stands', (t) => {
  t.is(seen(federal, 'nuremberg-1', '/').border, '/de/bavaria')
  t.is(seen(federal, 'nuremberg-1', '/de/bavaria').border, '/de/bavaria/nuremberg')
  t.is(seen(federal, 'nuremberg-1', '/de/bavaria/nuremberg').border, undefined)
  t.is(seen(federal, 'munich-1', '/de/bavaria').border, undefined)
  t.deepEqual(matches(federal, 'city.example/kind = office and federal.example/state = bavaria', '/'), [])
  t.deepEqual(matches(federal, 'federal.example/state = bavaria', '/'), [
    'munich-1',
    'munich-2',
    'nuremberg-1',
    'nuremberg-2',
  ])
})

test('the keys of an expression are listed once', (t) => {
  t.deepEqual(keysOfExpression(parseLabelExpression('b and (a = 1 or not a = 2) and c != x')), ['a', 'b', 'c'])
})

test('who may see the names of all zones around a site sees all its labels, alike in a slice; others see fewer', (t) => {
  fc.assert(
    fc.property(canaryTopology, (topology) => {
      for (const site of sites(topology)) {
        const all: Record<string, string> = siteLabels(topology, site)
        for (const author of ancestorsOf(site.path)) {
          const zone = ancestorsOf(site.path)[0]
          const isOpen = zone === undefined || visibleTo(topology, zone, author, 'names') === 'all'
          const found = labelsSeenFrom(topology, site, author)
          t.is(found.border === undefined, isOpen)
          if (isOpen) t.deepEqual(found.labels, all)
          else t.false(Object.hasOwn(found.labels, 'system/name'))
          for (const own of zone === undefined ? [] : [zone]) {
            const slice = sliceFor(topology, own)
            const there = siteNamed(slice, site.name)
            if (there !== undefined) t.deepEqual(labelsSeenFrom(slice, there, author), found)
          }
        }
      }
      t.pass()
    }),
    { numRuns: 40 },
  )
})
