import { randomHex, SkerryError } from '../../../base/index.ts'
import {
  countersign,
  type KeyList,
  keyListKind,
  type SignedRecord,
  sealRecord,
  toHex,
  verdictKind,
} from '../../../crdt/index.ts'
import type { ZonePolicy } from '../../../topologies/index.ts'
import { laneOf } from './member-lanes.ts'
import type { ZoneAuthority } from './membership.ts'
import { narrowingKey, narrowingText } from './own-lane.ts'
import { judgeFirstList } from './own-zone.ts'
import { enrolledHere } from './renew-own-zone.ts'
import type { Authority, ZoneDesk } from './zone-desk.ts'

/** A first list that waits for an operator to retire the authority its zone has. */
export interface RivalAuthority {
  readonly id: string
  /** Raw public keys. */
  readonly keys: readonly string[]
}

const sign = async (
  { options: { book, self, log } }: ZoneDesk,
  scope: string,
  record: SignedRecord<KeyList>,
): Promise<boolean> => {
  const [result] = await book.take([countersign(keyListKind, record, [self.signer]).bytes])
  if (result?.kind !== 'refused') return true
  log.warn('a list of a zone does not count', { scope, code: result.refusal.code, why: result.refusal.message })
  return false
}

/**
 * As the parent of a zone whose aggregator was just admitted and shows the first list of that zone: countersigns it, and
 * keeps the zone's id, where it is the first of a privacy zone.
 */
export const enrolAuthority = async (
  desk: ZoneDesk,
  { networkId, owner, trust }: Authority,
  { scope, key, shown }: { readonly scope: string; readonly key: string; readonly shown: string | undefined },
): Promise<void> => {
  const { register, options } = desk
  const zone = register.scope(scope)
  if (zone?.kind !== 'zone') return
  const isPrivacy = desk.expectedScope(scope)?.isPrivacy === true
  const held = options.book.owner(zone.id)
  const decision = judgeFirstList(
    { networkId, scope, isPrivacy, zoneId: zone.id, owner: held, retired: trust.retired, key, shown },
    options.powers,
  )
  switch (decision.kind) {
    case 'known':
      if (isPrivacy && shown === undefined && held === undefined)
        options.log.warn('a privacy zone shows no authority of its own: update its aggregator', { scope })
      return
    case 'refuse':
      options.log.warn('the authority of a zone is refused', { scope, code: decision.code, why: decision.message })
      return
    case 'rival':
      desk.rivals.set(scope, { id: decision.id, keys: decision.record.body.keys })
      options.log.warn('a zone shows another authority than it was enrolled with: an operator may retire that', {
        scope,
        held: zone.id,
        shown: decision.id,
      })
      return
    case 'countersign': {
      if (owner.threshold > 1) {
        options.log.warn('a zone waits: its first list has to be signed by more owners', { scope })
        return
      }
      if (!(await sign(desk, scope, decision.record))) return
      desk.rivals.delete(scope)
      await register.save({
        scopes: [{ ...zone, id: decision.id, written: null, grantedBy: options.self.signer.keyId }],
      })
    }
  }
}

/**
 * As the parent: signs beside a zone what it renewed itself, and its first list again where the key that signed it has left,
 * because who comes new judges by the keys of now.
 */
export const acknowledge = async (desk: ZoneDesk, { owner }: Authority, scope: string): Promise<void> => {
  const { register, options } = desk
  const { book, self } = options
  const zone = register.scope(scope)
  const held = zone === undefined ? undefined : book.owner(zone.id)
  if (zone === undefined || held?.succession !== 'own' || owner.threshold > 1) return
  const isOrphaned = zone.grantedBy === null || !owner.keys.has(zone.grantedBy)
  const lists = book.listsOf(held.id)
  const due = isOrphaned ? lists : held.isCountersigned ? [] : lists.slice(-1)
  for (const record of due) await sign(desk, scope, record)
  if (isOrphaned) await register.save({ scopes: [{ ...zone, grantedBy: self.signer.keyId }] }, { sync: false })
}

/**
 * An operator's yes that the authority of a zone is gone: closes its id for ever, so that the zone may come back under
 * another one.
 * @param given its id, at least the first 16 digits
 * @throws {SkerryError} `unknown-zone`, `granted`, `conflict`, and as the book refuses
 */
export const retireAuthority = async (
  desk: ZoneDesk,
  { networkId, owner }: Authority,
  scope: string,
  given: string,
): Promise<void> => {
  const { register, options } = desk
  const { book, self, powers, random } = options
  const zone = register.scope(scope)
  if (zone?.kind !== 'zone') throw new SkerryError('unknown-zone', `${self.name} has no zone ${scope} right below it`)
  const held = book.owner(zone.id)
  if (held === undefined) throw new SkerryError('unknown-zone', `${scope} has no authority yet`)
  if (held.succession !== 'own' && desk.expectedScope(scope)?.isPrivacy !== true)
    throw new SkerryError('granted', `${scope} has no authority of its own: ${self.name} grants its keys`)
  if (given.length < 16 || !held.id.startsWith(given))
    throw new SkerryError('conflict', `the authority of ${scope} is ${held.id}: name it by its first 16 digits or more`)
  const { generation, list } = held
  const verdict = { network: networkId, owner: held.id, generation, list, verdict: 'retired' as const }
  const [result] = await book.take([sealRecord(verdictKind, verdict, [self.signer], powers).bytes])
  if (result?.kind === 'refused') throw new SkerryError(result.refusal.code, result.refusal.message)
  const id = randomHex(random, 16)
  await register.save({ scopes: [{ ...zone, id, written: null, grantedBy: null }] })
  desk.rivals.delete(scope)
  options.log.info('the authority of a zone is retired', { scope, owner: held.id, parent: owner.id })
}

/** @see Membership.narrow */
export const narrowZone = async (
  desk: ZoneDesk,
  { owner }: Authority,
  scope: string,
  levels: Readonly<Partial<ZonePolicy>>,
): Promise<void> => {
  const { documents, self } = desk.options
  const zone = desk.register.scope(scope)
  if (zone?.kind !== 'zone') throw new SkerryError('unknown-zone', `${self.name} has no zone ${scope} right below it`)
  const documentId = await documents.create(laneOf(zone), owner, self.signer)
  const edit = () => new Map([[narrowingKey, narrowingText(levels)]])
  const [result] = await documents.write([{ documentId, edit }], self.signer)
  if (result?.ok === false && result.refusal.code !== 'no-change')
    throw new SkerryError('conflict', `${scope} was not narrowed: ${result.refusal.message}`)
}

/** @see Membership.zoneAuthority */
export const viewAuthority = async (desk: ZoneDesk, scope: string): Promise<ZoneAuthority | undefined> => {
  const { register, options } = desk
  const { book, self } = options
  const owner = book.trust() === undefined ? undefined : book.ownerAt(scope, 'zone')
  if (owner === undefined) return undefined
  const { id, succession, generation, threshold, isCountersigned, keys } = owner
  const enrolled =
    scope === self.scope
      ? await enrolledHere(desk)
      : register
          .membersOf(scope)
          .flatMap((one) => (one.scope === scope && one.key !== null ? [{ host: one.host, key: one.key }] : []))
  const hostOf = (key: string) =>
    enrolled.find((one) => one.key === key)?.host ??
    (key === toHex(self.signer.publicKey) ? self.name : book.certificateOf(desk.keyIdOf(key))?.body.host)
  return {
    id,
    succession,
    generation,
    threshold,
    isCountersigned,
    keys: [...keys.values()].map(toHex).map((key) => ({ key, host: hostOf(key) })),
    waiting: enrolled.filter(({ key }) => !keys.has(desk.keyIdOf(key))),
    rival: desk.rivals.get(scope),
  }
}
