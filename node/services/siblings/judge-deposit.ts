import {
  type AuthorityPowers,
  type Blocked,
  type Deposit,
  depositKind,
  fromHex,
  type KeyId,
  keyIdOf,
  type Owner,
  readRecord,
  type SignedRecord,
  sealingLimits,
  signersOf,
  toHex,
} from '../../../crdt/index.ts'
import { contentLimits } from './deposit-content.ts'

/** What a host knows when it is offered a deposit, its own or another site's. */
export interface DepositDesk {
  readonly networkId: string
  /** The owner of the zone around this host's site, as believed now; undefined while none is. */
  readonly zone: Owner | undefined
  /** `blockedAt` that zone. */
  readonly blocked: Blocked
}

export type JudgedDeposit =
  | { readonly ok: true; readonly record: SignedRecord<Deposit>; readonly depositor: KeyId }
  | { readonly ok: false; readonly code: string; readonly message: string }

/** What is asked of every deposit. Tests leave one out to see what it stops. */
export const depositGuards = ['size', 'network', 'zone', 'signed', 'blocked', 'hash'] as const
export type DepositGuard = (typeof depositGuards)[number]

export const sealedBytes: number = contentLimits.bytes + sealingLimits.overheadBytes

const refuse = (code: string, message: string): JudgedDeposit => ({ ok: false, code, message })

/**
 * Judges sealed bytes by what is signed of them, before anybody opens or keeps them: one key of the zone's owner vouches for
 * them, and neither that key nor the reader is blocked.
 */
export const judgeDeposit = (
  bytes: { readonly record: Uint8Array; readonly sealed: Uint8Array },
  { networkId, zone, blocked }: DepositDesk,
  powers: AuthorityPowers,
  guards: ReadonlySet<DepositGuard> = new Set(depositGuards),
): JudgedDeposit => {
  const asks = (guard: DepositGuard) => guards.has(guard)
  const { sealed } = bytes
  if (asks('size') && sealed.length > sealedBytes)
    return refuse('too-large', `a deposit has ${sealed.length} bytes, at most ${sealedBytes}`)
  const read = readRecord(depositKind, bytes.record, powers)
  if (!read.ok) return refuse(read.refusal.code, `a deposit: ${read.refusal.message}`)
  const { record } = read
  const { body } = record
  if (asks('network') && body.network !== networkId)
    return refuse('wrong-network', 'a deposit belongs to another network')
  if (zone === undefined || (asks('zone') && body.zone !== zone.id))
    return refuse('wrong-zone', 'a deposit is of another zone than this host')
  const signers = [...signersOf(depositKind, record, zone.keys, powers)].filter(
    (key) => !asks('blocked') || !blocked.keys.has(key),
  )
  const [depositor = asks('signed') ? undefined : (record.signatures[0]?.keyId ?? '')] = signers.toSorted()
  if (depositor === undefined)
    return refuse('not-enough-signatures', `no key of the owner of ${zone.scope} vouches for a deposit`)
  const reader = keyIdOf(fromHex(body.reader), powers.hash)
  if (asks('blocked') && (blocked.keys.has(reader) || blocked.sites.has(body.site)))
    return refuse('blocked', 'the host or site a deposit is for is blocked')
  if (asks('hash') && toHex(powers.hash.sha256(sealed)) !== body.sealed)
    return refuse('other-bytes', 'the bytes of a deposit are not those that were signed')
  return { ok: true, record, depositor }
}
