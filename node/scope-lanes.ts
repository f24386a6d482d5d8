import type { ScopePath } from '../base/index.ts'
import {
  type Book,
  type Documents,
  defaultLanePolicy,
  type Effective,
  effective,
  type LaneName,
  type LaneView,
  type Outcome,
  outcomes,
} from '../crdt/index.ts'
import { parentOf } from '../topologies/index.ts'

/** The lanes that say what is wanted at one scope: what its parent handed down, and its operators' own. */
export interface ScopeLanes {
  views(tenant: string): Promise<readonly LaneView[]>
  /** What they come to, per tenant. */
  effective(): Promise<ReadonlyMap<string, ReadonlyMap<string, Effective>>>
  /** What became of each decision from above. */
  outcomes(): Promise<readonly Outcome[]>
}

export const createScopeLanes = (scope: ScopePath, documents: Documents, book: Book): ScopeLanes => {
  const owner = parentOf(scope) ?? ('/' as ScopePath)
  const views = async (tenant: string): Promise<readonly LaneView[]> => {
    const lanes: readonly LaneName[] = [
      { kind: 'intent', scope, tenant, owner },
      { kind: 'local', scope, tenant },
    ]
    const found: LaneView[] = []
    for (const lane of lanes) {
      const id = documents.idOf(lane)
      const view = id === undefined ? undefined : await documents.view(id)
      if (view !== undefined) found.push(view)
    }
    return found
  }
  return {
    views,
    effective: async () => {
      const found = new Map<string, ReadonlyMap<string, Effective>>()
      for (const { id } of book.tenants()) found.set(id, effective(await views(id), defaultLanePolicy))
      return found
    },
    outcomes: async () => {
      const all: Outcome[] = []
      for (const { id } of book.tenants()) {
        const held = await views(id)
        // Nobody writes a local lane yet, so there is no local decision whose id would have to stay opaque.
        all.push(...outcomes(held, effective(held, defaultLanePolicy), (decision) => decision))
      }
      return all
    },
  }
}
