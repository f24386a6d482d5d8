import {
  type Certificate,
  certificateKind,
  delegationKind,
  keyListKind,
  type SignedRecord,
  sealRecord,
  toHex,
} from '../../../crdt/index.ts'
import { writeHosts } from './bring-lanes-up.ts'
import { defaultValidityMs } from './found-network.ts'
import { dueDelegations, nextZoneList } from './grants.ts'
import type { ExpectedPlace } from './judge-join.ts'
import { acknowledge, enrolAuthority } from './lead-own-zone.ts'
import { type CertificateContent, contentOf, renewalOf } from './member-certificate.ts'
import type { MemberRecord } from './member-records.ts'
import type { RegisterChange } from './member-register.ts'
import { rulesItself } from './own-zone.ts'
import type { Authority, ZoneDesk } from './zone-desk.ts'

/** Takes records this node signed itself; one that its own book refuses is a bug or a threshold it cannot reach alone. */
export const takeOwn = async ({ options: { book, log } }: ZoneDesk, records: readonly Uint8Array[]): Promise<void> => {
  if (records.length === 0) return
  for (const result of await book.take(records))
    if (result.kind === 'refused')
      log.warn('a record signed here does not count', { code: result.refusal.code, why: result.refusal.message })
}

/** Sees to it that a zone's list and its delegations name just the keys of its aggregators. */
export const grantZone = async (desk: ZoneDesk, authority: Authority, scope: string): Promise<void> => {
  const { networkId, owner } = authority
  const { options, register } = desk
  const { book, self, tenants = [], powers, log } = options
  const zone = register.scope(scope)
  if (zone?.kind !== 'zone') return
  const zoneOwner = book.owner(zone.id)
  // One that renews itself nobody grants keys to; `delegateInner` follows its list.
  if (rulesItself(zone, desk.expectedScope(scope), zoneOwner)) return acknowledge(desk, authority, scope)
  const keys = register
    .membersOf(scope)
    .flatMap((member) => (member.scope === scope && desk.place(member.host) !== undefined ? (member.key ?? []) : []))
  const isOrphaned = zone.grantedBy !== null && !owner.keys.has(zone.grantedBy)
  const at = { network: networkId, zone: zone.id, scope }
  const list = nextZoneList(at, zoneOwner, keys, desk.keyIdOf, isOrphaned)
  if (list !== undefined && owner.threshold > 1) {
    log.warn('a zone waits for a list of its keys that more owners have to sign', { scope, threshold: owner.threshold })
    return
  }
  if (list !== undefined) {
    await takeOwn(desk, [sealRecord(keyListKind, list, [self.signer], powers).bytes])
    await register.save({ scopes: [{ ...zone, grantedBy: self.signer.keyId }] }, { sync: false })
  }
  if (keys.length === 0) return
  // Zones further down get theirs from `delegateInner`, where a tenant's key is held.
  for (const { tenant: id, signer } of tenants) {
    const tenant = book.owner(id)
    if (tenant === undefined || !tenant.keys.has(signer.keyId) || tenant.threshold > 1) continue
    const due = dueDelegations({ network: networkId, tenant, scope }, book.delegationsOf(id), keys)
    await takeOwn(
      desk,
      due.map((delegation) => sealRecord(delegationKind, delegation, [signer], powers).bytes),
    )
  }
}

export interface Enrolment {
  readonly host: string
  readonly place: ExpectedPlace
  readonly key: string
  readonly hostId: string
  /** The session the caller says it was given last; undefined where it is not on the line: no session is given then. */
  readonly session: number | undefined
  /** The hash of the token it used. */
  readonly tokenHash: string | undefined
  /** The key others seal to, as it says; undefined where it does not say, or is not on the line. */
  readonly sealing: string | undefined
  /** The first key list of its zone that it shows, in hexadecimal; undefined where it shows none. */
  readonly firstList: string | undefined
  /** The highest number it showed of its certificates that this zone signed. */
  readonly shownNumber: number
}

export interface Enrolled {
  readonly member: MemberRecord
  readonly certificate: SignedRecord<Certificate>
  /** Whether another key was the host's before. */
  readonly replaced: string | undefined
}

/** A certificate begins so long before it is signed, in milliseconds: by as much may the time of who judges it go back. */
export const backdatedMs = 24 * 60 * 60 * 1_000

/** Signs a certificate in the name of this zone. */
const issue = (desk: ZoneDesk, content: CertificateContent, number: number): SignedRecord<Certificate> => {
  const { self, powers, book, trustedNowMs, validityMs = defaultValidityMs } = desk.options
  // Without trusted time it counts from the newest time a beacon told: never later than now.
  const nowMs = trustedNowMs() ?? book.beacon()?.timeMs ?? 0
  const dates = { fromMs: Math.max(0, nowMs - backdatedMs), untilMs: nowMs + validityMs }
  return sealRecord(certificateKind, { ...content, number, ...dates }, [self.signer], powers)
}

/** A tower has no parent: it renews its own certificate, in the name of `/`. */
export const renewOwn = async (desk: ZoneDesk, { networkId, owner }: Authority): Promise<void> => {
  const { book, self, trustedNowMs } = desk.options
  const { signer, name, role, scope, sealing = null } = self
  if (role !== 'tower') return
  const held = book.certificateOf(signer.keyId)
  const key = toHex(signer.publicKey)
  const wanted = contentOf({ network: networkId, issuer: owner, key, host: name, role, scope, site: null, sealing })
  const highest = held?.body.number ?? 0
  if (renewalOf(held, wanted, highest, trustedNowMs()) === undefined) return
  await takeOwn(desk, [issue(desk, wanted, highest + 1).bytes])
}

/**
 * Makes a key the one of a host, or lets it go on as that: gives it a session, a client where it had none, and the same
 * certificate or a new one. All is on disk when it resolves, the register first: what a crash leaves out is made up for at
 * the next call or start.
 */
export const enrol = async (desk: ZoneDesk, authority: Authority, call: Enrolment): Promise<Enrolled> => {
  const { register, options } = desk
  const { book, trustedNowMs } = options
  const { host, place, key, hostId, session, tokenHash, sealing, firstList, shownNumber } = call
  const before = register.member(host)
  const scope = register.scope(place.scope)
  if (before === undefined || scope === undefined) throw new RangeError(`cannot enrol ${host}: it has no record`)
  const isNew = before.key !== key
  const replaced = isNew ? (before.key ?? undefined) : undefined
  // A view's client goes with what its host remembers: another machine begins with another one.
  const client = replaced === undefined ? before.client : scope.nextClient
  const member: MemberRecord = {
    ...before,
    key,
    hostId: isNew ? hostId : before.hostId,
    client,
    sealing: sealing ?? (isNew ? null : (before.sealing ?? null)),
    certificate: isNew ? 0 : before.certificate,
    session: session === undefined ? before.session : Math.max(before.session, session) + 1,
  }
  const held = book.certificateOf(desk.keyIdOf(key))
  const highest = Math.max(member.certificate, shownNumber, held?.body.number ?? 0)
  const site = place.role === 'edge' ? place.id : null
  const wanted = contentOf({
    network: authority.networkId,
    issuer: authority.owner,
    key,
    host,
    role: place.role,
    scope: place.scope,
    site,
    sealing: member.sealing ?? null,
  })
  const reason = renewalOf(held, wanted, highest, trustedNowMs())
  const number = reason === undefined ? (held?.body.number ?? highest) : highest + 1
  const kept: MemberRecord = { ...member, certificate: number }

  const otherHost = register.hostOfKey(key)
  const other = otherHost === undefined || otherHost === host ? undefined : register.member(otherHost)
  const left: readonly MemberRecord[] =
    other === undefined ? [] : [{ ...other, key: null, hostId: null, sealing: null, certificate: 0 }]
  const change: RegisterChange = {
    // What the host lets go of first, so that the key is found under its new name.
    members: [...left, kept],
    ...(client !== before.client && { scopes: [{ ...scope, nextClient: scope.nextClient + 1 }] }),
    ...(tokenHash !== undefined && { tokens: [{ host, hash: tokenHash, usedBy: key }] }),
    // After an operator's yes to one key, a token that is still out must not let in another.
    ...(session === undefined && register.token(host)?.usedBy === null && { tokens: [{ host, hash: null }] }),
  }
  await register.save(change)
  const certificate = reason === undefined && held !== undefined ? held : issue(desk, wanted, number)
  if (reason !== undefined) await takeOwn(desk, [certificate.bytes])
  if (place.role === 'aggregator') {
    await enrolAuthority(desk, authority, { scope: place.scope, key, shown: firstList })
    await grantZone(desk, authority, place.scope)
  }
  // An admission that changes nothing but the session leaves the lane alone.
  if (
    isNew ||
    left.length > 0 ||
    kept.certificate !== before.certificate ||
    register.scope(place.scope)?.written === null
  )
    await writeHosts(desk, authority, [...left, kept])
  return { member: kept, certificate, replaced }
}
