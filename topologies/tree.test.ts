import test from 'ava'
import { parseScopePath } from '../base/index.ts'
import {
  ancestorsOf,
  hosts,
  nodesOf,
  parentOf,
  parseTopology,
  requireZone,
  scopeOfSite,
  siteLabels,
  siteNamed,
  sites,
  zoneAt,
} from './index.ts'

const topology = parseTopology(
  `version: 1
network: n
towers: { site: top, hosts: [{ name: t1 }, { name: t2 }] }
zones:
  - name: de
    labels: { a: de, b: de, c: de }
    aggregators: { hosts: [{ name: de-1 }, { name: de-2 }] }
    zones:
      - name: bavaria
        labels: { b: bavaria, c: bavaria }
        aggregators: { hosts: [{ name: bavaria-1 }] }
        sites:
          - name: munich-7
            labels: { c: munich }
            hosts: [{ name: m-1, host-id: SN-1, labels: { disk: ssd } }]
sites:
  - name: lone
    hosts: [{ name: lone-1 }]
`,
  'topology.yaml',
)

test('paths know their parents', (t) => {
  t.is(parentOf(parseScopePath('/')), undefined)
  t.is(parentOf(parseScopePath('/de')) as string, '/')
  t.deepEqual(ancestorsOf(parseScopePath('/de/bavaria/munich-7')) as readonly string[], ['/de/bavaria', '/de', '/'])
  t.deepEqual(ancestorsOf(parseScopePath('/')), [])
})

test('sites are found by name, zones by path, and what is not there is undefined', (t) => {
  t.is(scopeOfSite(topology, 'munich-7') as string, '/de/bavaria/munich-7')
  t.is(scopeOfSite(topology, 'lone') as string, '/lone')
  t.is(scopeOfSite(topology, 'bavaria'), undefined)
  t.is(zoneAt(topology, '/de/bavaria/munich-7'), undefined)
  t.deepEqual(
    sites(topology).map(({ name, type }) => `${name} ${type}`),
    ['top top', 'lone edge', 'munich-7 edge'],
  )
  t.deepEqual(
    hosts(topology).map(({ site, host }) => `${site.name}/${host.name}`),
    ['top/t1', 'top/t2', 'lone/lone-1', 'munich-7/m-1'],
  )
})

test('a zone that is not there is refused with the nearest path', (t) => {
  t.throws(() => requireZone(topology, '/de/bavria'), {
    code: 'unknown-zone',
    message: 'n has no zone /de/bavria; did you mean /de/bavaria?',
  })
})

test('the nearer label counts, and the system adds its own', (t) => {
  const labels = siteLabels(topology, siteNamed(topology, 'munich-7')!)
  t.deepEqual(labels, { a: 'de', b: 'bavaria', c: 'munich', 'system/name': 'munich-7', 'system/type': 'edge' })
  t.is(siteLabels(topology, siteNamed(topology, 'top')!)['system/type'], 'top')
})

test('each node calls every host of the zone above it', (t) => {
  t.deepEqual(
    nodesOf(topology).map(({ name, role, scope, parents }) => `${role} ${name} at ${scope} calls ${parents.join(' ')}`),
    [
      'tower t1 at / calls ',
      'tower t2 at / calls ',
      'edge lone-1 at /lone calls t1 t2',
      'aggregator de-1 at /de calls t1 t2',
      'aggregator de-2 at /de calls t1 t2',
      'aggregator bavaria-1 at /de/bavaria calls de-1 de-2',
      'edge m-1 at /de/bavaria/munich-7 calls bavaria-1',
    ],
  )
  const edge = nodesOf(topology).at(-1)
  t.is(edge?.hostId, 'SN-1')
  t.deepEqual(edge?.labels, { disk: 'ssd', 'system/name': 'm-1' })
})
