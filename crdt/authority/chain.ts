import { type Blocked, type BlockList, blockedBy, blockListKind, withoutBlocked } from './block-list.ts'
import { type Certificate, certificateKind, type Standing } from './certificate.ts'
import { acceptKeyList, type KeyList, type Owner, type OwnerId, ownerOf } from './key-list.ts'
import { isSignedBy, type Quorum, type SignedRecord, signersOf } from './record.ts'
import { type Refusal, type Refused, refuse } from './refusal.ts'
import type { RootState } from './root.ts'
import { isWithin, parentScope } from './scope.ts'
import { type AuthorityPowers, fromHex, type KeyId, keyIdOf } from './signatures.ts'

/**
 * Zones this node lies in that renew themselves, by their scope: inside one, authority comes from that owner alone and
 * never from above. A node learns its anchors when it is enrolled.
 */
export type Anchors = ReadonlyMap<string, OwnerId>

/** Whom a node believes: the root, the owners it accepted, and its anchors. */
export interface Trust {
  readonly root: RootState
  readonly owners: ReadonlyMap<OwnerId, Owner>
  readonly anchors: Anchors
  /** Owners a parent retired, by id. */
  readonly retired: ReadonlySet<OwnerId>
  /** The lists that count, each accepted by `isBlockListSigned` and `takeBlockList`. */
  readonly blockLists: readonly SignedRecord<BlockList>[]
}

const zonesAt = ({ owners, anchors, retired }: Trust, scope: string): readonly Owner[] => {
  const anchor = anchors.get(scope)
  return [...owners.values()].filter(
    (owner) =>
      owner.role === 'zone' &&
      owner.scope === scope &&
      !retired.has(owner.id) &&
      (anchor === undefined || owner.id === anchor),
  )
}

/** What is blocked at a scope: by the root, and by owners of that scope and those above. A list acts nowhere else. */
export const blockedAt = ({ owners, blockLists }: Trust, scope: string): Blocked => {
  const reaches = (issuer: OwnerId | null) => {
    const from = issuer === null ? '/' : owners.get(issuer)?.scope
    return from !== undefined && isWithin(scope, from)
  }
  return blockedBy(blockLists.filter(({ body }) => reaches(body.issuer)))
}

/** Whether its issuer signed a block list: a zone with one key it has now, the root with a threshold. */
export const isBlockListSigned = (
  list: SignedRecord<BlockList>,
  { root, owners, retired }: Trust,
  powers: AuthorityPowers,
): boolean => {
  const { issuer, network } = list.body
  if (network !== root.networkId) return false
  if (issuer === null) return isSignedBy(blockListKind, list, root, powers)
  const owner = owners.get(issuer)
  if (owner?.role !== 'zone' || retired.has(issuer)) return false
  return isSignedBy(blockListKind, list, { keys: owner.keys, threshold: 1 }, powers)
}

/** Who may grant generations to an owner: for the tower's zone the root, for a tenant its home scope, else the parent. */
const grantorsOf = ({ role, scope }: KeyList, trust: Trust): readonly Quorum[] => {
  const from = role === 'tenant' ? scope : parentScope(scope)
  if (from === undefined) return [trust.root]
  // A blocked key grants nothing. An owner's own succession a block does not touch, or blocking would be replacing.
  const blocked = blockedAt(trust, from)
  return zonesAt(trust, from).map(({ keys, threshold }) => ({ keys: withoutBlocked(keys, blocked), threshold }))
}

const acceptOne = (list: SignedRecord<KeyList>, trust: Trust, powers: AuthorityPowers) => {
  const id = ownerOf(list)
  const anchor = trust.anchors.get(list.body.scope)
  const held = trust.owners.get(id)
  if (list.body.role === 'zone' && anchor !== undefined && anchor !== id)
    return refuse('unknown-issuer', `the zone at ${list.body.scope} is another one here`)
  const context = { networkId: trust.root.networkId, held, ...(anchor === undefined ? {} : { anchor }) }
  // Where no grantor accepts it, the list is judged once without one: a zone's own succession needs none.
  const [first, ...others] = grantorsOf(list.body, trust).map((grantor) => ({ ...context, grantor }))
  const judged = [first ?? { ...context, grantor: undefined }, ...others].map((one) => acceptKeyList(list, one, powers))
  return judged.find((one) => one.ok && one.owner.isCountersigned) ?? judged.find((one) => one.ok) ?? judged[0]!
}

/** Outer scopes before inner, zones before the tenants at home in them, older generations before newer. */
const byDependence = (a: SignedRecord<KeyList>, b: SignedRecord<KeyList>): number =>
  a.body.scope.length - b.body.scope.length ||
  Number(a.body.role === 'tenant') - Number(b.body.role === 'tenant') ||
  a.body.generation - b.body.generation ||
  (a.id < b.id ? -1 : 1)

/**
 * Takes in key lists in any order and answers whom to believe now, and what was refused. Keep the answer: it holds the
 * highest generation seen of each owner.
 */
export const takeKeyLists = (
  trust: Trust,
  lists: readonly SignedRecord<KeyList>[],
  powers: AuthorityPowers,
): { readonly trust: Trust; readonly refused: readonly { readonly list: string; readonly refusal: Refusal }[] } => {
  const owners = new Map(trust.owners)
  const refused: { list: string; refusal: Refusal }[] = []
  for (const list of lists.toSorted(byDependence)) {
    const judged = acceptOne(list, { ...trust, owners }, powers)
    if (judged.ok) owners.set(judged.owner.id, judged.owner)
    else refused.push({ list: list.id, refusal: judged.refusal })
  }
  return { trust: { ...trust, owners }, refused }
}

/** The innermost anchored zone a scope lies in; what acts there must come from an owner in it. */
const anchorAround = (anchors: Anchors, scope: string): string | undefined =>
  [...anchors.keys()].filter((zone) => isWithin(scope, zone)).toSorted((a, b) => b.length - a.length)[0]

/** A parent admits the nodes that run a zone, so it certifies them; inside it counts for keys on the zone's own list alone. */
const isAtBorder = (scope: string, zone: string, key: KeyId, { anchors, owners }: Trust): boolean =>
  scope === zone && (owners.get(anchors.get(zone) ?? '')?.keys.has(key) ?? false)

export type JudgedCertificate = { readonly ok: true; readonly standing: Standing } | Refused

/**
 * Judges a certificate down from the root, or from the zone's own authority inside one that renews itself. Reads no clock:
 * `mayDo` says what the key may do.
 *
 * @param highestNumbers the highest number seen of certificates, by key
 */
export const judgeCertificate = (
  record: SignedRecord<Certificate>,
  trust: Trust,
  highestNumbers: ReadonlyMap<KeyId, number>,
  powers: AuthorityPowers,
): JudgedCertificate => {
  const certificate = record.body
  const { issuer: issuerId, scope, generation } = certificate
  if (certificate.network !== trust.root.networkId)
    return refuse('wrong-network', 'the certificate belongs to another network')
  const issuer = trust.owners.get(issuerId)
  if (issuer === undefined || issuer.role !== 'zone' || trust.retired.has(issuerId))
    return refuse('unknown-issuer', `the certificate for ${scope} was issued by nobody known here`)
  if (issuer.scope !== scope && issuer.scope !== parentScope(scope))
    return refuse('out-of-scope', `the owner of ${issuer.scope} cannot issue a certificate for ${scope}`)
  const zone = anchorAround(trust.anchors, scope)
  const keyId = keyIdOf(fromHex(certificate.key), powers.hash)
  if (zone !== undefined && !isWithin(issuer.scope, zone) && !isAtBorder(scope, zone, keyId, trust))
    return refuse('out-of-scope', `inside ${zone} only its own authority issues certificates`)
  if (generation > issuer.generation)
    return refuse(
      'unknown-generation',
      `the certificate names generation ${generation} of ${issuer.scope}: fetch its list`,
    )
  // Judged by the keys the issuer has now, whatever the generation: a key that was taken off the list, perhaps because it
  // was stolen, must not vouch for anyone any more, not even for a renewal.
  if (
    signersOf(certificateKind, record, withoutBlocked(issuer.keys, blockedAt(trust, issuer.scope)), powers).size === 0
  )
    return generation < issuer.generation
      ? refuse('superseded', `the certificate is not signed by a key that the owner of ${issuer.scope} still has`)
      : refuse('not-enough-signatures', `the certificate is not signed by the owner of ${issuer.scope}`)
  const isSuperseded = (highestNumbers.get(keyId) ?? 0) > certificate.number
  const { keys, sites } = blockedAt(trust, scope)
  const isBlocked = keys.has(keyId) || (certificate.site !== null && sites.has(certificate.site))
  return { ok: true, standing: { certificate, keyId, isBlocked, isSuperseded } }
}
