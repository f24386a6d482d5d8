import { nameHint } from '../../base/index.ts'
import { nodesOf, siteNamed, sites, type Topology, zoneAt, zones } from '../../topologies/index.ts'
import type { Target } from './plan.ts'

const isWithin = (scope: string, zone: string): boolean =>
  zone === '/' || scope === zone || scope.startsWith(`${zone}/`)

const edgeSites = (topology: Topology) => sites(topology).filter(({ type }) => type === 'edge')

/** What a name in a scenario stands for: a zone by its path, a site or a host by its name; undefined when nothing has it. */
export const findTarget = (topology: Topology, name: string): Target | undefined => {
  const nodes = nodesOf(topology)
  if (zoneAt(topology, name))
    return {
      name,
      kind: 'zone',
      machines: nodes.filter(({ scope }) => isWithin(scope, name)).map((node) => node.name),
      sites: edgeSites(topology)
        .filter(({ path }) => isWithin(path, name))
        .map((site) => site.name),
    }
  const site = siteNamed(topology, name)
  if (site?.type === 'edge')
    return { name, kind: 'site', machines: site.hosts.map((host) => host.name), sites: [site.name] }
  const host = nodes.find((node) => node.name === name)
  if (!host) return undefined
  // Whatever has no other way than through it.
  const isAlone = nodes.filter(({ scope }) => scope === host.scope).length === 1
  const below = isAlone ? edgeSites(topology).filter(({ path }) => isWithin(path, host.scope)) : []
  return { name, kind: 'host', machines: [host.name], sites: below.map((one) => one.name) }
}

/** How to go on from a name that stands for nothing. */
export const targetHint = (topology: Topology, name: string): string => {
  const paths = zones(topology).map(({ path }) => path as string)
  if (name.startsWith('/')) return nameHint(name, paths)
  const names = [...edgeSites(topology).map((site) => site.name), ...nodesOf(topology).map((node) => node.name)]
  // Who writes a zone's name without its path means the zone.
  const zone = paths.find((path) => path.endsWith(`/${name}`))
  return zone === undefined ? nameHint(name, [...new Set(names)]) : `a zone is written with its path: ${zone}`
}
