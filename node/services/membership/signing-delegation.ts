import {
  type Book,
  blockedAt,
  type Delegation,
  type KeyId,
  type OwnerId,
  type SignedRecord,
  toHex,
} from '../../../crdt/index.ts'

/** The delegation that lets a key sign versions for a scope, or why it may not. */
export type SigningDelegation =
  | { readonly ok: true; readonly delegation: SignedRecord<Delegation> }
  | {
      readonly ok: false
      /**
       * Stable. `unknown-tenant`, `not-enrolled`: the key is on no list of the scope. `blocked`. `delegated-above`: a zone
       * around was given it. `taken-back`. `not-delegated`: nothing came yet.
       */
      readonly code: 'unknown-tenant' | 'not-enrolled' | 'blocked' | 'delegated-above' | 'taken-back' | 'not-delegated'
      /** For a person, with what to do. */
      readonly why: string
    }

const isWithin = (scope: string, outer: string): boolean =>
  scope === outer || scope.startsWith(outer === '/' ? '/' : `${outer}/`)

const refuse = (code: Extract<SigningDelegation, { ok: false }>['code'], why: string): SigningDelegation => ({
  ok: false,
  code,
  why,
})

/**
 * Whether a key of a zone's aggregators may sign deployment versions of a tenant for sites of that zone, as every edge
 * judges it (`mayStart`). A zone inside one that keeps its names back gets no delegation of its own, because the tenant's
 * authority does not know its keys: then the zone that was given one is named.
 * @param scope a zone
 */
export const signingDelegation = (book: Book, scope: string, keyId: KeyId, tenant: OwnerId): SigningDelegation => {
  const [trust, authority] = [book.trust(), book.owner(tenant)]
  if (trust === undefined || authority?.role !== 'tenant')
    return refuse('unknown-tenant', `the tenant is not known at ${scope}: its records come from the parent of ${scope}`)
  const publicKey = book.ownerAt(scope, 'zone')?.keys.get(keyId)
  if (publicKey === undefined)
    return refuse(
      'not-enrolled',
      `this node's key is not on the list of ${scope}: the zone above has to enrol it first`,
    )
  const { keys, tenants } = blockedAt(trust, scope)
  if (keys.has(keyId) || tenants.has(tenant))
    return refuse('blocked', `this node's key or the tenant is blocked at ${scope}`)
  // Of one key the book holds the delegation with the highest number alone.
  const held = book.delegationsOf(tenant)
  const own = held.find(({ body }) => body.key === toHex(publicKey))
  if (own?.body.isGranted === true && isWithin(scope, own.body.scope)) return { ok: true, delegation: own }
  const [above] = held
    .filter(({ body }) => body.isGranted && body.scope !== '/' && body.scope !== scope && isWithin(scope, body.scope))
    .map(({ body }) => body.scope)
    .toSorted((a, b) => b.length - a.length)
  if (above !== undefined)
    return refuse('delegated-above', `the tenant's authority has delegated signing to ${above}: ask its operators`)
  return own?.body.isGranted === false
    ? refuse('taken-back', `the tenant's authority has taken back what it let ${scope} sign: ask at the tower`)
    : refuse(
        'not-delegated',
        `the tenant's authority has not let ${scope} sign yet: it does once the tower hears of it`,
      )
}
