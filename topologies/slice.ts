import { type ScopePath, SkerryError } from '../base/index.ts'
import type { Host, Site, Topology, Zone } from './topology.ts'
import { requireZone, siteNamed, zoneAt } from './tree.ts'
import { visibleTo } from './visibility.ts'

/** Nobody below enrols a host above: its name is enough to call it. */
const byName = ({ name }: Host): Host => ({ name, labels: {} })

/** Labels are the zone's own; the host-id is what its parent enrols it by. */
const toEnrol = ({ labels: _, ...host }: Host): Host => ({ ...host, labels: {} })

/** What stays of a zone that keeps its names back. */
const border = ({ path, privacy, policy, settle, hosts }: Zone, enrolled: boolean): Zone => ({
  path,
  labels: {},
  privacy,
  policy,
  settle,
  withheld: true,
  hosts: enrolled ? hosts.map(toEnrol) : [],
  addresses: [],
  zones: [],
  sites: [],
})

/** A zone with all of its own; of those inside it what they let `reader` see. */
const whole = (topology: Topology, zone: Zone, reader: ScopePath): Zone => ({
  ...zone,
  zones: zone.zones.map((inner) =>
    visibleTo(topology, inner.path, reader, 'names') === 'all'
      ? whole(topology, inner, reader)
      : border(inner, zone.path === reader),
  ),
})

const holds = (scope: ScopePath, zone: ScopePath): boolean =>
  scope === zone || scope.startsWith(zone === '/' ? '/' : `${zone}/`)

const towersSite = (site: Site): Site => ({ ...site, labels: {}, hosts: site.hosts.map(byName) })

/** A zone around `scope`: how to call it, and the labels that sites inside inherit. */
const onTheWay = (topology: Topology, zone: Zone, scope: ScopePath): Zone => ({
  ...zone,
  hosts: zone.hosts.map(byName),
  zones: zone.zones.filter(({ path }) => holds(scope, path)).map((inner) => towards(topology, inner, scope)),
  sites: zone.sites.flatMap((site) => (site.path === scope ? [site] : site.type === 'top' ? [towersSite(site)] : [])),
})

const towards = (topology: Topology, zone: Zone, scope: ScopePath): Zone =>
  zone.path === scope ? whole(topology, zone, scope) : onTheWay(topology, zone, scope)

/**
 * What a node of `scope` may read of a topology. Of the zones around it the way up: paths, labels that are inherited,
 * policies, and the names and addresses of their hosts. A zone has all of its own; a zone inside it that keeps its names
 * back is `withheld`, with its hosts only where it is a direct child, because its parent enrols them. A site has itself
 * alone. The towers' own site is read as the towers' zone.
 *
 * A slice is a topology, and the slice of a slice at its own scope is itself.
 *
 * @throws {SkerryError} `unknown-zone` when there is no such scope
 * @throws {SkerryError} `withheld` when this topology is a slice itself, and the scope's names are kept from it
 */
export const sliceFor = (topology: Topology, scope: ScopePath): Topology => {
  const site = siteNamed(topology, scope.slice(scope.lastIndexOf('/') + 1))
  if (site?.path !== scope && requireZone(topology, scope).withheld)
    throw new SkerryError('withheld', `${scope} keeps its names back: only a node of ${scope} can say what is in it`)
  const reader = site?.path === scope && site.type === 'top' ? ('/' as ScopePath) : scope
  return { network: topology.network, root: towards(topology, topology.root, reader) }
}

/** The zone whose nodes may read of `scope` where this topology ends: the outermost withheld one around it, or it. */
export const borderAround = (topology: Topology, scope: ScopePath): ScopePath | undefined => {
  const parts = scope.split('/').slice(1)
  const paths = parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}` as ScopePath)
  return paths.find((path) => zoneAt(topology, path)?.withheld)
}
