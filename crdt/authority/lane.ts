import type { ScopePath } from '../../base/index.ts'
import { parentOf } from '../../topologies/index.ts'

/** What authority needs to know of a lane: the parts of its name. */
export type Lane =
  | { readonly kind: 'tenant'; readonly tenant: string }
  | { readonly kind: 'intent'; readonly scope: ScopePath; readonly tenant: string; readonly owner: ScopePath }
  | { readonly kind: 'local'; readonly scope: ScopePath; readonly tenant: string }
  | { readonly kind: 'zone'; readonly scope: ScopePath; readonly side: 'parent' | 'own' }
  | { readonly kind: 'member'; readonly scope: ScopePath }
  | { readonly kind: 'access'; readonly scope: ScopePath; readonly tenant: string }
  | { readonly kind: 'report'; readonly scope: ScopePath }

/** Who writes a lane: a tenant's authority, or the owner of a scope. */
export type LaneOwner =
  | { readonly tenant: string }
  | { readonly scope: ScopePath; readonly roles: readonly ('zone' | 'site')[] }

/** Undefined where nobody does: nothing is above `/`, and an intent has no owner but the direct parent. */
export const laneOwner = (lane: Lane): LaneOwner | undefined => {
  const parent = lane.kind === 'tenant' ? undefined : parentOf(lane.scope)
  const byParent = parent === undefined ? undefined : { scope: parent, roles: ['zone'] as const }
  switch (lane.kind) {
    case 'tenant':
    case 'access':
      return { tenant: lane.tenant }
    case 'intent':
      return lane.owner === parent ? byParent : undefined
    case 'member':
      return byParent
    case 'zone':
      return lane.side === 'parent' ? byParent : { scope: lane.scope, roles: ['zone'] }
    case 'local':
    case 'report':
      return { scope: lane.scope, roles: ['zone', 'site'] }
  }
}
