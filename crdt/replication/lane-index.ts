import type { Documents } from '../documents/index.ts'
import type { LaneName } from '../lane/index.ts'

/** Whether a scope lies in another, or is it. */
const isWithin = (scope: string, outer: string): boolean =>
  // Without a text made for it: a hub asks this for each of its links at each change.
  scope.startsWith(outer) && (scope.length === outer.length || outer === '/' || scope[outer.length] === '/')

const scopeOf = (lane: LaneName): string | undefined => (lane.kind === 'tenant' ? undefined : lane.scope)

/** A link of a scope is about lanes of that scope, of those inside it and on the way to it, and of tenants. */
export const concerns = (lane: LaneName, scope: string): boolean => {
  const of = scopeOf(lane)
  return of === undefined || isWithin(of, scope) || isWithin(scope, of)
}

/** Documents by the scope of their lane, so that a link looks at those it is about and not at all of a hub. */
export interface LaneIndex {
  /** Ids of the documents that concern a scope. */
  about(scope: string): readonly string[]
  /** Puts a document; harmless when it is there. */
  put(documentId: string): void
}

export const createLaneIndex = (documents: Documents): LaneIndex => {
  let byScope: Map<string, Set<string>> | undefined

  const putInto = (index: Map<string, Set<string>>, documentId: string) => {
    const lane = documents.epochOf(documentId)?.lane
    if (lane === undefined) return
    const scope = scopeOf(lane) ?? ''
    const ids = index.get(scope) ?? new Set()
    index.set(scope, ids.add(documentId))
  }

  const indexed = (): Map<string, Set<string>> => {
    if (byScope !== undefined) return byScope
    byScope = new Map()
    for (const documentId of documents.ids()) putInto(byScope, documentId)
    return byScope
  }

  return {
    about: (scope) =>
      [...indexed()].flatMap(([of, ids]) => (of === '' || isWithin(of, scope) || isWithin(scope, of) ? [...ids] : [])),
    put: (documentId) => {
      if (byScope !== undefined) putInto(byScope, documentId)
    },
  }
}
