import { stringify } from 'yaml'
import { policyKinds, resolvePolicy } from './policy.ts'
import type { Host, Labels, Site, Topology, Zone } from './topology.ts'

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const written = <Value extends object>(key: string, value: Value): Record<string, Value> =>
  Object.keys(value).length === 0 ? {} : { [key]: value }

const hostDraft = ({ name, hostId, labels }: Host) => ({
  name,
  ...(hostId !== undefined && { 'host-id': hostId }),
  ...written<Labels>('labels', labels),
})

const hostsDraft = ({ hosts, addresses }: Pick<Zone, 'hosts' | 'addresses'>) => ({
  ...written('addresses', addresses),
  hosts: hosts.map(hostDraft),
})

const siteDraft = ({ name, labels, hosts, siblings = [] }: Site) => ({
  name,
  ...written<Labels>('labels', labels),
  ...written('siblings', siblings),
  hosts: hosts.map(hostDraft),
})

/** Levels that differ from what the zone has by default: a kind that follows another is written too, as it is. */
const policyDraft = ({ policy, privacy }: Zone) => {
  const usual = resolvePolicy({}, privacy).policy
  return Object.fromEntries(
    policyKinds.filter((kind) => policy[kind] !== usual[kind]).map((kind) => [kind, policy[kind]]),
  )
}

const insideDraft = ({ zones, sites }: Zone) => ({
  ...written('sites', sites.filter(({ type }) => type === 'edge').map(siteDraft)),
  ...written('zones', zones.map(zoneDraft)),
})

const zoneDraft = (zone: Zone): object => ({
  name: lastPart(zone.path),
  ...(zone.withheld && { withheld: true }),
  ...(zone.privacy && { privacy: true }),
  ...written<Labels>('labels', zone.labels),
  ...written('policy', policyDraft(zone)),
  ...(zone.settle !== 'zone' && { settle: zone.settle }),
  ...(zone.hosts.length > 0 && { aggregators: hostsDraft(zone) }),
  ...insideDraft(zone),
})

const towersDraft = ({ hosts, addresses, sites }: Zone) => {
  const top = sites.find(({ type }) => type === 'top')
  return {
    site: top?.name ?? '',
    ...written<Labels>('labels', top?.labels ?? {}),
    ...hostsDraft({ hosts, addresses }),
  }
}

/**
 * A topology as a file, with every pattern written out; `parseTopology` reads an equal value back. One of ten thousand
 * sites may be larger than `topologyLimits.fileBytes`: its slices for zones and sites are what is handed over.
 */
export const formatTopology = ({ network, root }: Topology): string =>
  stringify({ version: 1, network, towers: towersDraft(root), ...insideDraft(root) }, { lineWidth: 0 })
