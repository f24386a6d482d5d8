import { parseScopePath } from '../../../base/index.ts'
import { hostLabels, type Labels, siteLabels, type Topology, zoneAt } from '../../../topologies/index.ts'

/** A host the topology names. */
export interface ExpectedHost {
  readonly name: string
  /** Undefined when any machine may take the name. */
  readonly hostId: string | undefined
  readonly labels: Labels
}

/** A site or a zone directly below, with the hosts that run it. */
export interface ExpectedScope {
  readonly kind: 'site' | 'zone'
  /** Like `/north/n1`. */
  readonly scope: string
  readonly name: string
  /** Those it inherits and the system's included, for a site. */
  readonly labels: Labels
  readonly hosts: readonly ExpectedHost[]
  /** Of a zone that has an authority of its own. @default false */
  readonly isPrivacy?: true
  /** Of a zone that keeps its names back: its hosts are known to whoever enrols them and nobody above. @default false */
  readonly isWithheld?: true
  /** Where sites of the same zone reach its hosts, in the order of the hosts. @default nowhere */
  readonly siblings?: readonly string[]
}

const hostOf = (host: Topology['root']['hosts'][number]): ExpectedHost => ({
  name: host.name,
  hostId: host.hostId,
  labels: hostLabels(host),
})

/** What a node of the zone at `scope` enrols, in the order of the file; nothing where the topology knows no such zone. */
export const expectedBelow = (topology: Topology, scope: string): readonly ExpectedScope[] => {
  const zone = zoneAt(topology, parseScopePath(scope))
  if (zone === undefined) return []
  return [
    ...zone.sites
      .filter(({ type }) => type === 'edge')
      .map((site) => ({
        kind: 'site' as const,
        scope: site.path,
        name: site.name,
        labels: siteLabels(topology, site),
        hosts: site.hosts.map(hostOf),
        ...(site.siblings && { siblings: site.siblings }),
      })),
    ...zone.zones.map(({ path, labels, hosts, privacy, withheld }) => ({
      kind: 'zone' as const,
      scope: path,
      name: path.slice(path.lastIndexOf('/') + 1),
      labels,
      hosts: hosts.map(hostOf),
      ...(privacy && { isPrivacy: true as const }),
      ...(withheld && { isWithheld: true as const }),
    })),
  ]
}
