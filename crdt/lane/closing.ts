import * as z from 'zod'
import {
  type AuthorityPowers,
  isSignedBy,
  type Owner,
  type OwnerId,
  type RecordKind,
  type Refusal,
  readRecord,
  type SignedRecord,
} from '../authority/index.ts'
import { count, documentId, hash, heads, ownerId, shape } from './epoch-record.ts'
import type { Epoch } from './genesis.ts'

/**
 * The last record of a lane whose owner has no entitled key left: the owner's parent signs the cut, and nobody writes
 * the lane again (DESIGN.md section 3, rule 1; docs/adr/0015-epochs.md).
 */
export interface Closing {
  readonly kind: 'closing'
  readonly network: string
  readonly document: string
  /** The epoch that ends. */
  readonly epoch: number
  /** The id of its genesis. */
  readonly genesis: string
  /** Who closes: the owner of the parent scope. */
  readonly closer: OwnerId
  readonly generation: number
  /** The id of the closer's key list. */
  readonly list: string
  /** Hashes of the envelopes that are the last heads, sorted; empty when nothing of the epoch counts. */
  readonly heads: readonly string[]
  /** `stateHash` at the cut. */
  readonly state: string
}

export const closingKind: RecordKind<Closing> = {
  kind: 'closing',
  schema: shape({
    kind: z.literal('closing'),
    network: hash,
    document: documentId,
    epoch: count,
    genesis: hash,
    closer: ownerId,
    generation: count,
    list: hash,
    heads,
    state: hash,
  }),
}

export type OpenedClosing =
  | { readonly ok: true; readonly record: SignedRecord<Closing> }
  | {
      readonly ok: false
      readonly refusal: Refusal | { readonly code: 'wrong-owner' | 'wrong-document'; readonly message: string }
    }

/**
 * Reads a closing record and judges it. Never an error.
 * @param closer the generation of the owner of the parent scope; that it is the parent is the caller's to know
 */
export const openClosing = (
  bytes: Uint8Array,
  { epoch, closer }: { readonly epoch: Epoch; readonly closer: Owner },
  powers: AuthorityPowers,
): OpenedClosing => {
  const read = readRecord(closingKind, bytes, powers)
  if (!read.ok) return read
  const { record } = read
  const { body } = record
  if (body.network !== epoch.networkId || body.document !== epoch.documentId || body.genesis !== epoch.id)
    return { ok: false, refusal: { code: 'wrong-document', message: 'the closing record is of another epoch' } }
  if (body.epoch !== epoch.epoch)
    return { ok: false, refusal: { code: 'wrong-document', message: 'the closing record miscounts the epoch' } }
  if (body.closer !== closer.id || body.generation !== closer.generation || body.list !== closer.list)
    return { ok: false, refusal: { code: 'wrong-owner', message: 'the closing record names another closer' } }
  return isSignedBy(closingKind, record, { keys: closer.keys, threshold: 1 }, powers)
    ? { ok: true, record }
    : { ok: false, refusal: { code: 'not-enough-signatures', message: 'no key of the closer signed the record' } }
}
