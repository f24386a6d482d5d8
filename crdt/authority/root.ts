import * as z from 'zod'
import { count, hash, publicKey, record, sorted } from './fields.ts'
import { isSignedBy, keysOf, type Quorum, type RecordKind, type SignedRecord } from './record.ts'
import { type Refused, refuse } from './refusal.ts'
import { type AuthorityPowers, fromHex } from './signatures.ts'

/** One version of the root document: the keys all authority of a network comes from. */
export interface Root {
  readonly kind: 'root'
  /** Null in version 1, whose id it is. */
  readonly network: string | null
  readonly number: number
  /** The id of the version before; null in version 1. */
  readonly previous: string | null
  readonly keys: readonly string[]
  readonly threshold: number
  /** The public key of the online beacon; null when there is none. */
  readonly beacon: string | null
}

export const rootKind: RecordKind<Root> = {
  kind: 'root',
  schema: record({
    kind: z.literal('root'),
    network: hash.nullable(),
    number: count,
    previous: hash.nullable(),
    keys: sorted(publicKey, 16).min(1),
    threshold: count,
    beacon: publicKey.nullable(),
  }).refine(
    (root) => Number(root.threshold) <= (root.keys as readonly string[]).length,
    'a threshold above the number of keys',
  ),
}

/** The newest version accepted. */
export interface RootState extends Quorum {
  readonly networkId: string
  readonly number: number
  /** Of the record. */
  readonly id: string
  readonly beacon: Uint8Array | null
}
export type AcceptedRoot = { readonly ok: true; readonly root: RootState } | Refused

const stateOf = ({ id, body }: SignedRecord<Root>, networkId: string, powers: AuthorityPowers): RootState => ({
  networkId,
  number: body.number,
  id,
  keys: keysOf(body.keys, powers.hash),
  threshold: body.threshold,
  beacon: body.beacon === null ? null : fromHex(body.beacon),
})

/**
 * Version 1, which names the network by its own hash.
 * @param networkId the id this node was set up with; without one the network is taken as it comes
 */
export const acceptFirstRoot = (
  first: SignedRecord<Root>,
  networkId: string | undefined,
  powers: AuthorityPowers,
): AcceptedRoot => {
  const { number, previous, network } = first.body
  if (number !== 1 || previous !== null || network !== null)
    return refuse('broken-succession', 'the root document is not a first version')
  if (networkId !== undefined && networkId !== first.id)
    return refuse('wrong-network', 'the root document belongs to another network')
  const root = stateOf(first, first.id, powers)
  if (!isSignedBy(rootKind, first, root, powers))
    return refuse('not-enough-signatures', 'version 1 of the root document lacks signatures of its own keys')
  return { ok: true, root }
}

/** The next version, signed by a threshold of the old keys and of its own. */
export const acceptNextRoot = (held: RootState, next: SignedRecord<Root>, powers: AuthorityPowers): AcceptedRoot => {
  const { number, previous, network } = next.body
  const name = `version ${number} of the root document`
  if (number === held.number && next.id === held.id) return { ok: true, root: held }
  if (network !== held.networkId) return refuse('wrong-network', `${name} belongs to another network`)
  if (number === held.number) return refuse('rival', `there are two different versions ${number} of the root document`)
  if (number < held.number) return refuse('stale', `${name} is older than version ${held.number}`)
  if (number !== held.number + 1 || previous !== held.id)
    return refuse('broken-succession', `${name} does not follow version ${held.number}: fetch those in between`)
  const root = stateOf(next, held.networkId, powers)
  if (!isSignedBy(rootKind, next, held, powers))
    return refuse('not-enough-signatures', `${name} lacks signatures of the keys of version ${held.number}`)
  if (!isSignedBy(rootKind, next, root, powers))
    return refuse('not-enough-signatures', `${name} lacks signatures of its own keys`)
  return { ok: true, root }
}
