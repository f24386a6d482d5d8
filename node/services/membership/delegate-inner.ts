import { type Delegation, delegationKind, type Owner, sealRecord, toHex } from '../../../crdt/index.ts'
import { takeOwn } from './enrol.ts'
import { dueDelegations } from './grants.ts'
import type { ZoneDesk } from './zone-desk.ts'

/**
 * Zones whose keys this node did not grant itself: those further down, and those that renew themselves. Only zones that the
 * topology names here: what one further up makes up gets nothing.
 */
const innerZones = ({ options: { book, self, isKnownZone }, register }: ZoneDesk): readonly Owner[] =>
  [...new Set([...(book.trust()?.owners.values() ?? [])].flatMap(({ role, scope }) => (role === 'zone' ? scope : [])))]
    .filter((scope) => scope !== self.scope && isKnownZone?.(scope) === true)
    .flatMap((scope) => book.ownerAt(scope, 'zone') ?? [])
    .filter(({ scope, succession }) => succession === 'own' || register.scope(scope) === undefined)
    .toSorted((a, b) => (a.scope < b.scope ? -1 : 1))

/**
 * Lets the keys of zones further down sign versions for their own sites, as far as their key lists are known here: a zone
 * inside one that keeps its names back hands none up, and gets none (docs/adr/0032). Keys that left lose theirs.
 */
export const delegateInner = async (desk: ZoneDesk): Promise<void> => {
  const { book, tenants = [], powers } = desk.options
  const network = book.networkId()
  if (tenants.length === 0 || network === undefined) return
  const zones = innerZones(desk)
  for (const { tenant: id, signer } of tenants) {
    const tenant = book.owner(id)
    if (tenant === undefined || !tenant.keys.has(signer.keyId) || tenant.threshold > 1) continue
    const held = book.delegationsOf(id)
    const due = zones.flatMap(({ scope, keys }): readonly Omit<Delegation, 'kind'>[] =>
      dueDelegations({ network, tenant, scope }, held, [...keys.values()].map(toHex)),
    )
    await takeOwn(
      desk,
      due.map((delegation) => sealRecord(delegationKind, delegation, [signer], powers).bytes),
    )
  }
}
