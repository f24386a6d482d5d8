import type { Clock } from '../base/index.ts'
import type { Book, Documents, LanePolicy } from '../crdt/index.ts'
import { type Topology, visibleTo, zones } from '../topologies/index.ts'
import type { NodeConfig } from './config.ts'
import { type Conflicts, createConflicts } from './conflicts.ts'
import { createEntryAuthors } from './entry-authors.ts'
import type { Knowledge } from './knowledge.ts'
import type { LocalDesk } from './local-desk.ts'
import type { ReportDesk } from './report-desk.ts'
import type { ScopeLanes } from './scope-lanes.ts'
import { lanePolicyOf, type SettleCall } from './settle-call.ts'
import type { Specifications } from './specifications.ts'
import type { TowerDesk } from './tower-desk.ts'
import { isWithin, type TreeNode } from './tree-node.ts'
import type { ZoneDesk } from './zone-desk.ts'

export interface NodeConflictsOptions {
  readonly config: NodeConfig
  readonly topology: Topology | undefined
  readonly lanes: ScopeLanes
  readonly policy: () => LanePolicy
  readonly documents: Documents
  readonly book: Book
  readonly specifications: Specifications
  readonly clock: Clock
  readonly local: LocalDesk | undefined
  readonly tower: TowerDesk | undefined
  readonly zoneDesk: ZoneDesk | undefined
  readonly nodes: readonly TreeNode[]
  readonly reports: Pick<ReportDesk, 'hosts' | 'outcomes' | 'wishes'>
  /** The zones this node knows, with what may leave them now. */
  readonly tree: () => Topology | undefined
  readonly knowledge: () => Promise<Knowledge>
  readonly ask: (node: string, call: SettleCall, signal: AbortSignal) => Promise<unknown>
}

/** Conflicts as one node knows them, from what it holds and what those below said. */
export const createNodeConflicts = (options: NodeConflictsOptions): Conflicts => {
  const { config, topology, documents, book, specifications, clock, zoneDesk, nodes, tower } = options
  const scope = config.scope
  const tree = () => options.tree() ?? topology
  const zonesBelow = (of: Topology | undefined) =>
    of === undefined || config.role === 'edge'
      ? []
      : zones(of).filter(({ path }) => path !== scope && isWithin(path, scope))
  const sitesBelow = nodes.filter(({ role, scope: of }) => role === 'edge' && of !== scope)
  return createConflicts({
    scope,
    lanes: options.lanes,
    policy: options.policy,
    documents,
    book,
    authors: createEntryAuthors(documents),
    specifications,
    clock,
    local: options.local,
    below: () => {
      const known = tree()
      return zonesBelow(known).map(({ path, settle }) => ({
        scope: path,
        policy: lanePolicyOf(settle),
        letsIn: known !== undefined && visibleTo(known, path, scope, 'operations') === 'all',
        outcomes: options.reports.outcomes(path),
        wishes: options.reports.wishes(path),
      }))
    },
    reports: options.reports.hosts,
    scopeOfSite: (site) => nodes.find((one) => one.site === site)?.scope,
    nameOf: async (application) => {
      const own = tower?.names()(application, null)?.application
      if (own !== undefined) return own
      const { signed } = await options.knowledge()
      return signed.find(({ version = '' }) => book.version(version)?.body.application === application)?.application
    },
    told: async (application) => {
      const found = new Set<string>()
      for (const child of new Set(sitesBelow.map((one) => one.scope)))
        for (const { id } of book.tenants())
          for (const { decision } of (await zoneDesk?.told(child, id))?.entries.get(application) ?? [])
            found.add(decision)
      return found
    },
    ask: (zone, call, signal) => {
      const node = nodes.find((one) => one.role !== 'edge' && one.scope === zone)
      return options.ask(node?.name ?? zone, call, signal)
    },
    decideAnew: tower && ((application, seen) => tower.decideAnew(application, seen)),
  })
}
