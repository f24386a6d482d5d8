import { type Name, nearestName, type ScopePath, SkerryError } from '../base/index.ts'
import type { Host, Labels, Site, Topology, Zone } from './topology.ts'

/** The scope directly above; undefined for the root. */
export const parentOf = (scope: ScopePath): ScopePath | undefined => {
  if (scope === '/') return undefined
  return (scope.slice(0, scope.lastIndexOf('/')) || '/') as ScopePath
}

/** All scopes above, nearest first, the root last. */
export const ancestorsOf = (scope: ScopePath): readonly ScopePath[] => {
  const parent = parentOf(scope)
  return parent === undefined ? [] : [parent, ...ancestorsOf(parent)]
}

interface Index {
  readonly zones: ReadonlyMap<string, Zone>
  readonly sites: ReadonlyMap<string, Site>
}

// A topology never changes, so what is worked out of it once stays true as long as it lives.
const indexes = new WeakMap<Topology, Index>()

const zonesBelow = (zone: Zone): readonly Zone[] => [zone, ...zone.zones.flatMap(zonesBelow)]

const indexOf = (topology: Topology): Index => {
  const known = indexes.get(topology)
  if (known !== undefined) return known
  const zones = zonesBelow(topology.root)
  const index = {
    zones: new Map(zones.map((zone) => [zone.path as string, zone])),
    sites: new Map(zones.flatMap((zone) => zone.sites.map((site) => [site.name as string, site]))),
  }
  indexes.set(topology, index)
  return index
}

/** Every zone, the root first, a parent before its children, in the order of the file. */
export const zones = (topology: Topology): readonly Zone[] => [...indexOf(topology).zones.values()]

/** Every site, the towers' own first; ask `type` before placing anything. */
export const sites = (topology: Topology): readonly Site[] => [...indexOf(topology).sites.values()]

/** Every host of every site, each with its site; hosts of aggregators belong to no site. */
export const hosts = (topology: Topology): readonly { readonly site: Site; readonly host: Host }[] =>
  sites(topology).flatMap((site) => site.hosts.map((host) => ({ site, host })))

export const zoneAt = (topology: Topology, path: string): Zone | undefined => indexOf(topology).zones.get(path)

/**
 * The zone at `path`.
 * @throws {SkerryError} `unknown-zone` when there is none, with the nearest path that exists.
 */
export const requireZone = (topology: Topology, path: string): Zone => {
  const zone = zoneAt(topology, path)
  if (zone !== undefined) return zone
  const near = nearestName(path, [...indexOf(topology).zones.keys()])
  const hint = near === undefined ? 'skerry zones lists them' : `did you mean ${near}?`
  throw new SkerryError('unknown-zone', `${topology.network} has no zone ${path}; ${hint}`, { details: { path } })
}

export const siteNamed = (topology: Topology, name: string): Site | undefined => indexOf(topology).sites.get(name)

/** Where a site stands in the tree, like `/de/bavaria/munich-7`; undefined when there is no such site. */
export const scopeOfSite = (topology: Topology, name: string): ScopePath | undefined => siteNamed(topology, name)?.path

/** A site's labels: those of the zones around it, the nearer first to count, its own, and the system's. */
export const siteLabels = (topology: Topology, site: Site): Labels => {
  const around = ancestorsOf(site.path).toReversed()
  const inherited = around.map((path) => zoneAt(topology, path)?.labels ?? {})
  return Object.assign({}, ...inherited, site.labels, { 'system/name': site.name, 'system/type': site.type })
}

/** A host's labels: its own, and the system's. A site's labels are not its hosts'. */
export const hostLabels = (host: Host): Labels => ({ ...host.labels, 'system/name': host.name })

export type NodeRole = 'tower' | 'aggregator' | 'edge'

/** One node to run. */
export interface TopologyNode {
  /** Unique in the topology: the name of its host. */
  readonly name: Name
  readonly role: NodeRole
  /** The zone a tower or aggregator runs, the site an edge is at. */
  readonly scope: ScopePath
  /** The site of an edge or a tower. */
  readonly site?: Name
  readonly host: Name
  readonly hostId?: string
  /** Names of the nodes it calls, in the order to try; empty for a tower. */
  readonly parents: readonly Name[]
  /** Labels of the host, the system's included. */
  readonly labels: Labels
}

const nodeOf = (host: Host, place: Pick<TopologyNode, 'role' | 'scope' | 'site' | 'parents'>): TopologyNode => ({
  name: host.name,
  host: host.name,
  ...(host.hostId === undefined ? {} : { hostId: host.hostId }),
  labels: hostLabels(host),
  ...place,
})

/** Every node of the topology, parents before their children. */
export const nodesOf = (topology: Topology): readonly TopologyNode[] => nodesOfZone(topology.root, [])

const nodesOfZone = (zone: Zone, parents: readonly Name[]): readonly TopologyNode[] => {
  const own = zone.hosts.map((host) => host.name)
  const top = zone.sites.find((site) => site.type === 'top')
  const place = { role: zone.path === '/' ? 'tower' : 'aggregator', scope: zone.path, parents } as const
  return [
    ...zone.hosts.map((host) => nodeOf(host, top === undefined ? place : { ...place, site: top.name })),
    ...zone.sites
      .filter((site) => site.type === 'edge')
      .flatMap((site) =>
        site.hosts.map((host) => nodeOf(host, { role: 'edge', scope: site.path, site: site.name, parents: own })),
      ),
    ...zone.zones.flatMap((child) => nodesOfZone(child, own)),
  ]
}
