import type { Delegation, KeyId, KeyList, Owner, OwnerId, SignedRecord } from '../../../crdt/index.ts'

/**
 * The next generation of a zone whose keys its parent grants; undefined when its list holds just these keys and still
 * counts.
 * @param held what is believed of the owner now
 * @param isOrphaned whether the key that granted the held list has left: who comes new would not believe it
 * @param keys raw public keys of its aggregators, at least one
 */
export const nextZoneList = (
  { network, zone, scope }: { readonly network: string; readonly zone: OwnerId; readonly scope: string },
  held: Owner | undefined,
  keys: readonly string[],
  idOf: (key: string) => KeyId,
  isOrphaned = false,
): Omit<KeyList, 'kind'> | undefined => {
  const wanted = [...new Set(keys)].toSorted()
  const isSame = held?.keys.size === wanted.length && wanted.every((key) => held.keys.has(idOf(key)))
  if (wanted.length === 0 || (isSame && !isOrphaned)) return undefined
  return {
    network,
    owner: zone,
    role: 'zone',
    scope,
    succession: 'granted',
    generation: (held?.generation ?? 0) + 1,
    previous: held?.list ?? null,
    keys: wanted,
    threshold: 1,
  }
}

/**
 * Delegations a tenant has to sign so that just these keys may sign deployment versions for a zone: given to those that have
 * none, taken back from others it gave one for this very scope.
 */
export const dueDelegations = (
  { network, tenant, scope }: { readonly network: string; readonly tenant: Owner; readonly scope: string },
  held: readonly SignedRecord<Delegation>[],
  keys: readonly string[],
): readonly Omit<Delegation, 'kind'>[] => {
  const newest = new Map<string, Delegation>()
  for (const { body } of held) {
    const before = newest.get(body.key)
    if (before === undefined || body.number > before.number || (body.number === before.number && !body.isGranted))
      newest.set(body.key, body)
  }
  const next = (key: string, isGranted: boolean): Omit<Delegation, 'kind'> => ({
    network,
    tenant: tenant.id,
    generation: tenant.generation,
    key,
    scope,
    number: (newest.get(key)?.number ?? 0) + 1,
    isGranted,
  })
  const wanted = [...new Set(keys)].toSorted()
  const missing = wanted.filter((key) => {
    const has = newest.get(key)
    return has === undefined || !has.isGranted || has.scope !== scope
  })
  const surplus = [...newest.values()].filter(
    (body) => body.isGranted && body.scope === scope && !wanted.includes(body.key),
  )
  return [
    ...missing.map((key) => next(key, true)),
    ...surplus.map(({ key }) => next(key, false)).toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  ]
}
