import { type Topology, type Zone, zones } from '../../topologies/index.ts'
import type { ZoneNodeView, ZoneView } from '../api/index.ts'
import { isWithin } from '../tree-node.ts'

/** What a node knows of zones beside its topology. */
export interface ZoneKnowledge {
  /** The key list that signs for a zone, and how old the newest sign of life of the root's authority is. */
  readonly authority: (scope: string) => ZoneView['authority']
  /** The link to a neighbour; undefined for any other node. */
  readonly link: (node: string) => { readonly state: 'up' | 'down'; readonly forMs: number } | undefined
}

/** Like `beyond here /de/bavaria answers`: said wherever a zone keeps its names back or is not operated from here. */
export const borderText = (scope: string): string => `beyond here ${scope} answers`

/** Zones that keep their names back from the reader of a slice. */
export const borders = (topology: Topology): readonly string[] =>
  zones(topology).flatMap(({ path, withheld }) => (withheld ? [path] : []))

/** Zones below of which `status` hears nothing: those that keep their names or their reports back, the outermost alone. */
export const silentZones = (topology: Topology, scope: string): readonly string[] => {
  const silent = zones(topology).filter(
    ({ path, withheld, policy }) =>
      path !== scope && isWithin(path, scope) && (withheld === true || policy.reports === 'none'),
  )
  return silent
    .filter(({ path }) => !silent.some((outer) => outer.path !== path && isWithin(path, outer.path)))
    .map(({ path }) => path)
}

/** The outermost zone on the way to a site further down that keeps reports of its hosts back; undefined where none does. */
export const reportBorder = (topology: Topology, scope: string, site: string): string | undefined =>
  zones(topology).find(
    ({ path, policy }) => path !== scope && isWithin(path, scope) && isWithin(site, path) && policy.reports !== 'all',
  )?.path

const nodeView = (node: string, known: ZoneKnowledge): ZoneNodeView => {
  const link = known.link(node)
  return { node, ...(link && { link: link.state, 'age-ms': link.forMs }) }
}

const countsOf = ({ withheld, zones: inner, sites }: Zone): Pick<ZoneView, 'zones' | 'sites'> =>
  withheld ? {} : { zones: inner.length, sites: sites.filter(({ type }) => type === 'edge').length }

/** The zones of a topology or slice, parents first. Of zones above `scope` a slice holds no sites, so none are counted. */
export const zoneViews = (topology: Topology, scope: string, known: ZoneKnowledge): readonly ZoneView[] =>
  zones(topology).map((zone) => {
    const { path, privacy, policy, hosts, withheld } = zone
    const authority = known.authority(path)
    const inside = scope === '/' || path === scope || path.startsWith(`${scope}/`)
    return {
      scope: path,
      name: path === '/' ? topology.network : (path.split('/').at(-1) ?? ''),
      privacy,
      policy: { ...policy },
      ...(inside && countsOf(zone)),
      aggregators: hosts.map(({ name }) => nodeView(name, known)),
      ...(authority && { authority }),
      ...(withheld && { note: borderText(path) }),
    }
  })
