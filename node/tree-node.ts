import { nodesOf, type Topology } from '../topologies/index.ts'
import type { NodeConfig, Role } from './config.ts'

/** One node of a tree, as its neighbours need to know it. */
export interface TreeNode {
  readonly name: string
  readonly role: Role
  readonly scope: string
  /** The site of an edge; empty for other roles. */
  readonly site: string
  /** Nodes it calls, in the order to try. */
  readonly parents: readonly string[]
}

/** True when `scope` is `above` or lies below it. */
export const isWithin = (scope: string, above: string): boolean =>
  scope === above || scope.startsWith(`${above === '/' ? '' : above}/`)

/** The nodes a node knows of: those of its topology, else itself. */
export const treeNodes = (topology: Topology | undefined, config: NodeConfig): readonly TreeNode[] =>
  topology === undefined
    ? [{ name: config.name, role: config.role, scope: config.scope, site: config.site, parents: [] }]
    : nodesOf(topology).map(({ name, role, scope, site, parents }) => ({
        name,
        role,
        scope,
        site: role === 'edge' ? (site ?? '') : '',
        parents,
      }))
