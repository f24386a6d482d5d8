import type { Name, ScopePath } from '../../../base/index.ts'
import {
  formatTopology,
  type Host,
  type Labels,
  parseTopology,
  type Site,
  type Topology,
  type Zone,
  zones,
} from '../../../topologies/index.ts'
import type { Canary, CanaryRegister } from './canary-register.ts'

/** Labels of a site so long that the change which carries them is over a KiB, and so is sent deflated. */
const fillers = 24
const fillerLabels: Labels = Object.fromEntries(
  Array.from({ length: fillers }, (_, at) => [`filler.example/part-${at}`, `as long as a label is ${'x'.repeat(30)}`]),
)

interface Draft {
  /** The canary's scope is a path of the new names. */
  readonly plan: (canary: Omit<Canary, 'kind'>) => string
  /** An address at which a host listens for siblings; undefined where none does. */
  readonly nextAddress: () => string | undefined
}

const labelled = (labels: Labels, scope: ScopePath, what: string, { plan }: Draft): Labels => ({
  ...labels,
  [`canary.example/${plan({ scope, what: `key of a label of a ${what}` })}`]: plan({
    scope,
    what: `label of a ${what}`,
  }),
})

const join = (above: ScopePath, name: string): ScopePath => `${above === '/' ? '' : above}/${name}` as ScopePath

const renameSite = (site: Site, above: ScopePath, draft: Draft): Site => {
  const name = draft.plan({ scope: above, what: 'name of a site' }) as Name
  const path = join(above, name)
  const siblings = site.hosts.flatMap(() => draft.nextAddress() ?? [])
  return {
    ...site,
    name,
    path,
    ...(siblings.length > 0 && { siblings }),
    labels: labelled({ ...site.labels, ...fillerLabels }, path, 'site', draft),
    hosts: site.hosts.map((host) => ({
      ...host,
      // Siblings, hosts of other sites of the zone, show each other their certificates.
      name: draft.plan({ scope: above, what: 'name of a host' }) as Name,
      labels: labelled(host.labels, path, 'host', draft),
    })),
  }
}

const renameZone = (zone: Zone, above: ScopePath, draft: Draft): Zone => {
  // A zone's own name is its parent's to know: that is how its border is called.
  const path = join(above, draft.plan({ scope: above, what: 'name of a zone' }))
  const rename = (host: Host): Host => ({
    ...host,
    name: draft.plan({ scope: path, what: 'name of an aggregator', knownToParent: true }) as Name,
    labels: labelled(host.labels, path, 'host of an aggregator', draft),
  })
  return {
    ...zone,
    path,
    labels: labelled(zone.labels, path, 'zone', draft),
    hosts: zone.hosts.map(rename),
    addresses: [],
    zones: zone.zones.map((inner) => renameZone(inner, path, draft)),
    sites: zone.sites.map((site) => renameSite(site, path, draft)),
  }
}

/** A topology of the same shape and policies in which every name and label below the towers is a canary. */
export interface NamedTopology {
  readonly topology: Topology
  /** Scopes of the new names by those of the old, for a person to read. */
  readonly oldNames: ReadonlyMap<string, string>
}

/** @param addresses where hosts of sites listen for siblings, one for each */
export const nameByCanaries = (
  topology: Topology,
  register: CanaryRegister,
  addresses: readonly string[],
): NamedTopology => {
  const left = addresses.values()
  const draft: Draft = {
    plan: (canary) => register.plant({ ...canary, kind: 'names' }),
    nextAddress: () => left.next().value,
  }
  const root: Zone = {
    ...topology.root,
    addresses: [],
    zones: topology.root.zones.map((zone) => renameZone(zone, '/' as ScopePath, draft)),
    sites: topology.root.sites.map((site) => (site.type === 'top' ? site : renameSite(site, '/' as ScopePath, draft))),
  }
  const renamed = parseTopology(formatTopology({ ...topology, root }), 'named by canaries')
  const scopesOf = (one: Topology) =>
    zones(one).flatMap(({ path, sites }) => [path, ...sites.map((site) => site.path)] as string[])
  const [before, after] = [scopesOf(topology), scopesOf(renamed)]
  return { topology: renamed, oldNames: new Map(after.map((path, at) => [path, before[at] ?? path])) }
}
