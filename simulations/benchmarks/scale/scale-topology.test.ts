import test from 'ava'
import { nodesOf, parseTopology } from '../../../topologies/index.ts'
import { topologyOf, zonesOf } from './scale-topology.ts'

for (const [sites, zones] of [
  [1, 1],
  [100, 1],
  [1_000, 2],
  [10_000, 20],
  [1_001, 3],
] as const)
  test(`the topology of ${sites} sites has ${zones} zones, and every name it is used by`, (t) => {
    const laid = zonesOf(sites)
    t.is(laid.length, zones)
    const nodes = nodesOf(parseTopology(topologyOf(laid), 'scale.yaml'))
    const found = nodes.filter(({ role }) => role === 'edge').map(({ name, site, scope }) => `${name} ${site} ${scope}`)
    t.deepEqual(
      found.toSorted(),
      laid.flatMap((zone) => zone.sites.map(({ host, site, scope }) => `${host} ${site} ${scope}`)).toSorted(),
    )
    t.is(found.length, sites)
    t.deepEqual(
      nodes.filter(({ role }) => role === 'aggregator').map(({ name, scope }) => `${name} ${scope}`),
      laid.map(({ aggregator, scope }) => `${aggregator} ${scope}`),
    )
  })
