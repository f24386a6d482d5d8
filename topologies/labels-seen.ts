import type { LabelExpression } from './label-expression.ts'
import type { Labels, Site, Topology, Zone } from './topology.ts'
import { ancestorsOf, siteLabels, zoneAt } from './tree.ts'

/** What an expression written at a scope sees of the labels of a site. */
export interface SeenLabels {
  readonly labels: Labels
  /** The outermost zone between the two that keeps its names back; absent where all is seen. */
  readonly border?: string
}

const isInside = (scope: string, zone: string): boolean =>
  scope !== zone && scope.startsWith(zone === '/' ? '/' : `${zone}/`)

/**
 * The labels of a site that an expression written at `author` sees (DESIGN.md section 3, rule 5). Where a zone between the
 * two keeps its names back: the labels of the zones around the site down to that one, which tell it from its neighbours
 * as its path does, and `system/type`; what is written inside it matches nothing, names included. All of them where none
 * does, or where the author is not above the site at all: then nothing of it may run there anyway.
 */
export const labelsSeenFrom = (topology: Topology, site: Site, author: string): SeenLabels => {
  const around = ancestorsOf(site.path)
    .toReversed()
    .flatMap((path): readonly Zone[] => {
      const zone = zoneAt(topology, path)
      return zone === undefined ? [] : [zone]
    })
  const at = around.findIndex(({ path, policy }) => isInside(path, author) && policy.names !== 'all')
  const border = around[at]?.path
  if (border === undefined) return { labels: siteLabels(topology, site) }
  const outside = around.slice(0, at + 1).map(({ labels }) => labels)
  return { labels: Object.assign({}, ...outside, { 'system/type': site.type }), border }
}

/** The keys an expression asks for, each once, sorted. */
export const keysOfExpression = (expression: LabelExpression): readonly string[] => {
  const keys = (one: LabelExpression): readonly string[] =>
    'key' in one ? [one.key] : (one.kind === 'not' ? [one.of] : one.of).flatMap(keys)
  return [...new Set(keys(expression))].toSorted()
}
