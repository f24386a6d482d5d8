import type { Blocked } from './block-list.ts'
import type { May } from './certificate.ts'
import type { Owner } from './key-list.ts'
import { type Lane, laneOwner } from './lane.ts'
import { refuse } from './refusal.ts'
import type { KeyId } from './signatures.ts'

/** What is known of a lane where somebody wants to write. */
export interface WriteContext {
  /** The newest generation of whoever the writer says owns the lane; undefined when none is known. */
  readonly owner: Owner | undefined
  /** `blockedAt` the scope of the owner. */
  readonly blocked: Blocked
  /** A closing record of the lane is known. */
  readonly isClosed: boolean
}

const owns = (owner: Owner, lane: Lane): boolean => {
  const wanted = laneOwner(lane)
  if (wanted === undefined) return false
  if ('tenant' in wanted) return owner.role === 'tenant' && owner.id === wanted.tenant
  return owner.scope === wanted.scope && wanted.roles.some((role) => role === owner.role)
}

/**
 * Whether a key may begin a change of a lane now. What an epoch already took in is another question: its genesis fixed its
 * writers, and a block acts there by a new epoch (DESIGN.md section 3, rule 1).
 */
export const mayWrite = (key: KeyId, lane: Lane, { owner, blocked, isClosed }: WriteContext): May => {
  if (owner === undefined || !owns(owner, lane) || !owner.keys.has(key))
    return refuse('not-entitled', 'the key is none of the owner of this lane')
  if (blocked.keys.has(key) || (owner.role === 'tenant' && blocked.tenants.has(owner.id)))
    return refuse('blocked', 'the key or its tenant is blocked')
  return isClosed ? refuse('closed', 'the lane is closed for good: a new one takes its place') : { ok: true }
}

/** Whether an owner has no key left that is not blocked: its parent then signs the closing record of its lanes. */
export const isWithoutKeys = (owner: Owner, blocked: Blocked): boolean =>
  [...owner.keys.keys()].every((key) => blocked.keys.has(key))
