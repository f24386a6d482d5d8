import * as z from 'zod'
import { count, hash, ownerId, record, shortId, sorted } from './fields.ts'
import type { OwnerId } from './key-list.ts'
import type { Keys, RecordKind, SignedRecord } from './record.ts'
import { type Refused, refuse } from './refusal.ts'
import type { KeyId } from './signatures.ts'

/** What one owner cuts off inside its scope: the whole list each time, numbered. */
export interface BlockList {
  readonly kind: 'block-list'
  readonly network: string
  /** Null when the root signs it. */
  readonly issuer: OwnerId | null
  readonly number: number
  readonly keys: readonly KeyId[]
  /** Ids of sites. */
  readonly sites: readonly string[]
  /** Ids of tenants. */
  readonly tenants: readonly OwnerId[]
}

export const blockListKind: RecordKind<BlockList> = {
  kind: 'block-list',
  schema: record({
    kind: z.literal('block-list'),
    network: hash,
    issuer: ownerId.nullable(),
    number: count,
    keys: sorted(hash, 800),
    sites: sorted(shortId, 800),
    tenants: sorted(ownerId, 800),
  }),
}

/** What is blocked, folded from the lists that count. */
export interface Blocked {
  readonly keys: ReadonlySet<string>
  readonly sites: ReadonlySet<string>
  readonly tenants: ReadonlySet<string>
}

export const nothingBlocked: Blocked = { keys: new Set(), sites: new Set(), tenants: new Set() }

/** The lists held of one issuer: one, or several when it signed different ones under one number. */
export type HeldBlocks = readonly SignedRecord<BlockList>[]

/**
 * The lists that count after one more of the same issuer, whose signature the caller judged. The highest number does;
 * of two different ones with one number both do, until a higher one: what either blocks stays blocked.
 */
export const takeBlockList = (
  held: HeldBlocks,
  next: SignedRecord<BlockList>,
): { readonly ok: true; readonly held: HeldBlocks; readonly isRival: boolean } | Refused => {
  const number = held[0]?.body.number ?? 0
  if (held[0] !== undefined && held[0].body.issuer !== next.body.issuer)
    return refuse('unknown-issuer', 'the block list is of another issuer than those held')
  if (next.body.number < number)
    return refuse('stale', `block list ${next.body.number} is older than block list ${number}`)
  if (next.body.number > number) return { ok: true, held: [next], isRival: false }
  if (held.some(({ id }) => id === next.id)) return { ok: true, held, isRival: held.length > 1 }
  return { ok: true, held: [...held, next].toSorted((a, b) => (a.id < b.id ? -1 : 1)), isRival: true }
}

export const blockedBy = (lists: readonly SignedRecord<BlockList>[]): Blocked => ({
  keys: new Set(lists.flatMap(({ body }) => body.keys)),
  sites: new Set(lists.flatMap(({ body }) => body.sites)),
  tenants: new Set(lists.flatMap(({ body }) => body.tenants)),
})

/** The keys that are left of some. */
export const withoutBlocked = (keys: Keys, blocked: Blocked): Keys =>
  new Map([...keys].filter(([keyId]) => !blocked.keys.has(keyId)))
