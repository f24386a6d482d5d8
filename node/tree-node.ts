import type { Role } from './config.ts'

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
