import { formatDuration } from '../../base/index.ts'
import type { HostStatus } from '../../runtime/index.ts'
import type { HostView, NodeView, SiteView, TreeView } from '../api/index.ts'
import type { Knowledge } from '../knowledge.ts'
import { type HostReport, staleAfterMs, unsureOf } from '../services/deployments/index.ts'
import type { TreeNode } from '../tree-node.ts'
import { borderText } from './zone-views.ts'

type State = 'up' | 'unknown'

/** A host is `up` while its word is fresh. Else it is unknown and never down: it may well carry on. */
const hostState = (report: HostReport | undefined): { readonly state: State; readonly note?: string } => {
  const unsure = unsureOf(report, staleAfterMs)
  return unsure === undefined || unsure.reason === 'engine-unavailable'
    ? { state: 'up' }
    : { state: 'unknown', note: unsure.text }
}

/** Like `parent tower: link down for 5m`, and what siblings did about it. */
export const parentText = ({ node, link, 'age-ms': ageMs, siblings }: NonNullable<NodeView['parent']>): string =>
  `parent ${node}: link ${link} for ${formatDuration(ageMs)}${siblings === undefined ? '' : `; ${siblings}`}`

export const runtimeView = (status: HostStatus): NonNullable<NodeView['runtime']> => ({
  driver: status.facts?.driver ?? 'unknown',
  state: status.engine.state,
  ...(status.engine.error !== undefined && { error: status.engine.error }),
  ...(status.facts && {
    version: status.facts.version,
    'enforces-limits': status.facts.enforcesLimits,
    network: status.facts.network,
    cgroup: status.facts.cgroup,
    ...(status.facts.bridge !== undefined && { bridge: status.facts.bridge }),
    ...(status.facts.subnet !== undefined && { subnet: status.facts.subnet }),
  }),
  'port-range': status.portRange,
})

/** Hosts known here, by site and name. */
export const hostViews = (known: Knowledge): readonly HostView[] =>
  known.places.flatMap(({ site, scope, hosts }) =>
    hosts.map(({ name, labels }) => {
      const report = known.reports.find((one) => one.site === site && one.host === name)
      const { state, note } = hostState(report)
      return {
        name,
        site,
        scope,
        node: report?.node ?? name,
        'oper-status': state,
        ...(note !== undefined && { note }),
        ...(report?.receivedAgeMs !== undefined && { 'age-ms': report.receivedAgeMs }),
        labels,
        ...(report?.status && { runtime: runtimeView(report.status) }),
      }
    }),
  )

const together = (states: readonly State[]): State => (states.includes('up') ? 'up' : 'unknown')

/** Sites known here; a site is up when any of its hosts is. */
export const siteViews = (known: Knowledge): readonly SiteView[] =>
  known.places.map(({ site, scope, labels }) => {
    const hosts = hostViews(known).filter((host) => host.site === site)
    const ages = hosts.flatMap((host) => host['age-ms'] ?? [])
    return {
      name: site,
      scope,
      type: labels['system/type'] === 'top' ? ('top' as const) : ('edge' as const),
      labels,
      hosts,
      'oper-status': together(hosts.map((host) => host['oper-status'])),
      ...(ages.length > 0 && { 'age-ms': Math.min(...ages) }),
    }
  })

const depth = (scope: string) => scope.split('/').filter((part) => part !== '').length
const isBelow = (scope: string, above: string) =>
  scope !== above && (above === '/' || scope.startsWith(`${above}/`)) && depth(scope) > depth(above)

/**
 * The tree from `nodes`: zones with their nodes, sites with their hosts, each as this node last heard of it. The root
 * carries `note`.
 * @param borders zones that keep their names back: the tree ends there
 */
export const treeView = (
  root: { readonly scope: string; readonly name: string; readonly note?: string | undefined },
  nodes: readonly TreeNode[],
  known: Knowledge,
  borders: readonly string[] = [],
): TreeView => {
  const sites = siteViews(known)
  const zoneScopes = new Set([...nodes.filter(({ role }) => role !== 'edge').map(({ scope }) => scope), ...borders])
  for (const { scope } of sites) {
    const parts = scope.split('/').slice(1, -1)
    for (let size = 1; size <= parts.length; size++) zoneScopes.add(`/${parts.slice(0, size).join('/')}`)
  }
  const hostLeaf = (host: HostView): TreeView => ({
    scope: host.scope,
    name: host.name,
    kind: 'host',
    'oper-status': host['oper-status'],
    ...(host['age-ms'] !== undefined && { 'age-ms': host['age-ms'] }),
    ...(host.note !== undefined && { note: host.note }),
    children: [],
  })
  const siteBranch = (site: SiteView): TreeView => ({
    scope: site.scope,
    name: site.name,
    kind: 'site',
    'oper-status': site['oper-status'],
    ...(site['age-ms'] !== undefined && { 'age-ms': site['age-ms'] }),
    children: site.hosts.map(hostLeaf),
  })
  const zoneBranch = (scope: string, name: string): TreeView => {
    const direct = (other: string) =>
      isBelow(other, scope) && ![...zoneScopes].some((between) => isBelow(between, scope) && isBelow(other, between))
    const own = nodes.filter((node) => node.role !== 'edge' && node.scope === scope)
    const remarks = own.map((node) => `${node.role} ${node.name}`)
    if (borders.includes(scope))
      return { scope, name, kind: 'border', note: [...remarks, borderText(scope)].join(', '), children: [] }
    return {
      scope,
      name,
      kind: 'zone',
      ...(remarks.length > 0 && { note: remarks.join(', ') }),
      children: [
        ...[...zoneScopes]
          .filter(direct)
          .toSorted()
          .map((other) => zoneBranch(other, other.split('/').at(-1) ?? other)),
        ...sites.filter((site) => direct(site.scope)).map(siteBranch),
      ],
    }
  }
  const site = sites.find((one) => one.scope === root.scope)
  const tree = site ? siteBranch(site) : zoneBranch(root.scope, root.name)
  const note = [tree.note, root.note].filter((text) => text !== undefined).join(', ')
  return { ...tree, ...(note !== '' && { note }) }
}
