import * as z from 'zod'
import { count, hash, ownerId, publicKey, record, scopePath, sorted } from './fields.ts'
import { isSignedBy, keysOf, type Quorum, type RecordKind, type SignedRecord } from './record.ts'
import { type Refused, refuse } from './refusal.ts'
import type { AuthorityPowers } from './signatures.ts'

/**
 * 32 random hexadecimal digits for an owner whose generations are granted; for one that renews itself the first 48 of the
 * id of its first list, so its id says whose keys it began with and that nobody else grants it others.
 */
export type OwnerId = string
const ownDigits = 48

/** One generation of an owner: an immutable signed list of its keys (DESIGN.md section 3, rules 1 and 6). */
export interface KeyList {
  readonly kind: 'key-list'
  readonly network: string
  /** Null in the first list of an owner that renews itself: its id follows from that list. */
  readonly owner: OwnerId | null
  readonly role: 'zone' | 'site' | 'tenant'
  /** Of a tenant: its home scope. */
  readonly scope: string
  /** Who makes the next generation: the owner of the parent scope, or the keys of this one (a privacy zone). For good. */
  readonly succession: 'granted' | 'own'
  readonly generation: number
  /** The id of the list before; null where there is none or its grantor knows none. */
  readonly previous: string | null
  readonly keys: readonly string[]
  /** How many keys of this list it takes to grant, to delegate and, with `own`, to make the next. */
  readonly threshold: number
}

/** An id of its own says which kind of owner it is, so nobody can grant keys to one that renews itself. */
const isOwnerOfItsKind = ({ owner, succession, generation, previous }: KeyList): boolean => {
  if (succession === 'granted') return owner !== null && owner.length === 32
  return generation === 1 ? owner === null && previous === null : owner?.length === ownDigits && previous !== null
}

export const keyListKind: RecordKind<KeyList> = {
  kind: 'key-list',
  schema: record({
    kind: z.literal('key-list'),
    network: hash,
    owner: ownerId.nullable(),
    role: z.enum(['zone', 'site', 'tenant']),
    scope: scopePath,
    succession: z.enum(['granted', 'own']),
    generation: count,
    previous: hash.nullable(),
    keys: sorted(publicKey, 64).min(1),
    threshold: count,
  }).refine((body) => {
    const list = body as unknown as KeyList
    return list.threshold <= list.keys.length && isOwnerOfItsKind(list)
  }, 'a threshold above the number of keys, or an owner of the other kind'),
}

/** The newest generation accepted of one owner. */
export interface Owner extends Quorum {
  readonly id: OwnerId
  readonly role: KeyList['role']
  readonly scope: string
  readonly succession: KeyList['succession']
  readonly generation: number
  /** The id of its key list. */
  readonly list: string
  /** Whether the owner of the parent scope signed this list too. */
  readonly isCountersigned: boolean
}
export type AcceptedOwner = { readonly ok: true; readonly owner: Owner } | Refused

export interface KeyListContext {
  readonly networkId: string
  /** The generation held of the same owner, if any. */
  readonly held: Owner | undefined
  /** Who may grant here: the owner of the parent scope, for the tower's zone the root, for a tenant its home scope's. */
  readonly grantor: Quorum | undefined
  /** The id this node was set up to trust as the zone's; only for owners that renew themselves. */
  readonly anchor?: OwnerId
}

/** The owner a list is of. */
export const ownerOf = ({ id, body }: SignedRecord<KeyList>): OwnerId => body.owner ?? id.slice(0, ownDigits)

const acceptGranted = (owner: Owner, { held }: KeyListContext, name: string): AcceptedOwner => {
  if (!owner.isCountersigned)
    return refuse('not-enough-signatures', `${name} is not signed by the owner of the parent scope`)
  // Gaps are fine: each is whole by the grantor's signature, and a node away for long sees the newest only.
  return held !== undefined && owner.generation < held.generation
    ? refuse('stale', `${name} is older than generation ${held.generation}`)
    : { ok: true, owner }
}

const acceptOwn = (
  owner: Owner,
  next: SignedRecord<KeyList>,
  { held, anchor }: KeyListContext,
  powers: AuthorityPowers,
  name: string,
): AcceptedOwner => {
  if (held === undefined) {
    if (owner.generation !== 1) return refuse('broken-succession', `${name} came without those before it: fetch them`)
    if (!isSignedBy(keyListKind, next, owner, powers))
      return refuse('not-enough-signatures', `${name} lacks signatures of its own keys`)
    return owner.isCountersigned || anchor === owner.id
      ? { ok: true, owner }
      : refuse('not-enough-signatures', `${name} is of a zone its parent scope has not enrolled`)
  }
  if (owner.generation < held.generation) return refuse('stale', `${name} is older than generation ${held.generation}`)
  if (owner.generation !== held.generation + 1 || next.body.previous !== held.list)
    return refuse('broken-succession', `${name} does not follow generation ${held.generation}: fetch those in between`)
  return isSignedBy(keyListKind, next, held, powers)
    ? { ok: true, owner }
    : refuse('not-enough-signatures', `${name} lacks signatures of the keys of generation ${held.generation}`)
}

/**
 * Judges a generation. Granted ones need a threshold of the grantor; those of an owner that renews itself a threshold of
 * the generation before, whatever the parent says: it may countersign, refuse or retire (`Verdict`), never replace.
 */
export const acceptKeyList = (
  next: SignedRecord<KeyList>,
  context: KeyListContext,
  powers: AuthorityPowers,
): AcceptedOwner => {
  const { body } = next
  const { held, grantor } = context
  const name = `generation ${body.generation} of the ${body.role} at ${body.scope}`
  if (body.network !== context.networkId) return refuse('wrong-network', `${name} belongs to another network`)
  const id = ownerOf(next)
  if (held !== undefined && (held.id !== id || held.role !== body.role || held.scope !== body.scope))
    return refuse('broken-succession', `${name} is of another owner, role or scope than the generation before`)
  if (held?.generation === body.generation && held.list !== next.id)
    return refuse('rival', `there are two different lists of ${name}`)
  const owner: Owner = {
    id,
    role: body.role,
    scope: body.scope,
    succession: body.succession,
    generation: body.generation,
    list: next.id,
    keys: keysOf(body.keys, powers.hash),
    threshold: body.threshold,
    isCountersigned: grantor !== undefined && isSignedBy(keyListKind, next, grantor, powers),
  }
  // The same list with more signatures: a parent may countersign later.
  if (held?.list === next.id)
    return { ok: true, owner: { ...held, isCountersigned: held.isCountersigned || owner.isCountersigned } }
  return body.succession === 'granted'
    ? acceptGranted(owner, context, name)
    : acceptOwn(owner, next, context, powers, name)
}
