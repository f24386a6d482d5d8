import type { Site, Topology, Zone } from './topology.ts'

interface Branch {
  readonly text: string
  readonly children: readonly Branch[]
}

const listed = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')

const hostNames = ({ hosts }: Pick<Site, 'hosts'>): string => listed(hosts.map((host) => host.name))

const siteBranches = (sites: readonly Site[], maxSites: number): Branch[] => {
  const shown = sites.length <= maxSites ? sites : sites.slice(0, maxSites)
  const rest = sites.length - shown.length
  return [
    ...shown.map((site) => ({ text: `${site.name}  ${hostNames(site)}`, children: [] })),
    ...(rest > 0 ? [{ text: `and ${rest} more sites`, children: [] }] : []),
  ]
}

const zoneBranch = (zone: Zone, maxSites: number): Branch => ({
  text: [
    zone.path,
    ...(zone.hosts.length > 0 ? [`aggregator ${hostNames(zone)}`] : []),
    ...(zone.privacy ? ['privacy'] : []),
    ...(zone.withheld ? ['withheld'] : []),
  ].join('  '),
  children: childrenOf(zone, maxSites),
})

const childrenOf = (zone: Zone, maxSites: number): Branch[] => [
  ...siteBranches(
    zone.sites.filter((site) => site.type === 'edge'),
    maxSites,
  ),
  ...zone.zones.map((child) => zoneBranch(child, maxSites)),
]

const draw = (branches: readonly Branch[], indent: string): string[] =>
  branches.flatMap(({ text, children }, at) => {
    const last = at === branches.length - 1
    return [`${indent}${last ? '└─ ' : '├─ '}${text}`, ...draw(children, `${indent}${last ? '   ' : '│  '}`)]
  })

/**
 * The tree as lines for a person.
 * @param options.maxSites sites shown of one zone, the rest is counted. @default 20, a number of sites
 */
export const describeTree = (topology: Topology, options: { readonly maxSites?: number } = {}): readonly string[] => [
  `/  ${topology.network}  tower ${hostNames(topology.root)}`,
  ...draw(childrenOf(topology.root, options.maxSites ?? 20), ''),
]
