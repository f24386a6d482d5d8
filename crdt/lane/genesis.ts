import * as z from 'zod'
import { canonicalJson } from '../../base/index.ts'
import {
  type AuthorityPowers,
  type Blocked,
  type Hash,
  isSignedBy,
  keysOf,
  mayWrite,
  type Owner,
  type OwnerId,
  type RecordKind,
  type Refusal,
  readRecord,
  type SignedRecord,
  type Signer,
  sealRecord,
  signedMessage,
  toHex,
} from '../authority/index.ts'
import type { EnvelopePlace } from '../envelope/index.ts'
import { count, documentId, hash, heads, ownerId, shape, writers } from './epoch-record.ts'
import { formatLaneName, isLaneName, type LaneName, parseLaneName } from './lane-name.ts'

/** Where an epoch begins: the end of the one before. */
export interface EpochBase {
  /** The id of the previous epoch's genesis. */
  readonly genesis: string
  /** Hashes of the envelopes that were its heads, sorted: the cut. What they do not stand on is late. */
  readonly heads: readonly string[]
  /** `stateHash` of the previous epoch at the cut. */
  readonly state: string
}

/** The first record of one epoch of one lane: fixes who writes (docs/adr/0015-epochs.md). */
export interface Genesis {
  readonly kind: 'genesis'
  readonly network: string
  /** 32 hexadecimal digits, the same in every epoch of the lane: `documentIdOf`, or 16 random bytes of an earlier release. */
  readonly document: string
  /** `formatLaneName` of the lane. */
  readonly lane: string
  readonly epoch: number
  readonly owner: OwnerId
  /** The owner's generation whose keys write. */
  readonly generation: number
  /** The id of the key list of that generation. */
  readonly list: string
  /** Raw public keys, sorted: who may write in this epoch. */
  readonly writers: readonly string[]
  /** Null in the first epoch alone. */
  readonly base: EpochBase | null
}

export const genesisKind: RecordKind<Genesis> = {
  kind: 'genesis',
  schema: shape({
    kind: z.literal('genesis'),
    network: hash,
    document: documentId,
    lane: z.string().max(2_048).refine(isLaneName, 'not the name of a lane'),
    epoch: count,
    owner: ownerId,
    generation: count,
    list: hash,
    writers,
    base: shape({ genesis: hash, heads, state: hash }).nullable(),
  }).refine((body) => {
    const { epoch, base } = body as unknown as Genesis
    return (epoch === 1) === (base === null)
  }, 'the first epoch alone has no base'),
}

/**
 * The document an owner begins a lane as: the same whoever of the owner's nodes begins it, and whenever, so that what is
 * written apart meets in one document (docs/adr/0037-lanes-begun-apart.md). 32 hexadecimal digits.
 */
export const documentIdOf = (
  { networkId, lane, owner }: { readonly networkId: string; readonly lane: LaneName; readonly owner: OwnerId },
  { sha256 }: Hash,
): string => {
  const named = canonicalJson({ lane: formatLaneName(lane), network: networkId, owner })
  return toHex(sha256(signedMessage('document-id', Buffer.from(named)))).slice(0, 32)
}

/** A genesis as the code uses it. */
export interface Epoch {
  /** 64 hexadecimal digits: the id of the genesis. */
  readonly id: string
  readonly networkId: string
  readonly documentId: string
  readonly lane: LaneName
  readonly epoch: number
  readonly generation: number
  readonly base: EpochBase | null
  /** What `openEnvelope` asks of an envelope. */
  readonly place: EnvelopePlace
}

const epochOf = ({ id, body }: SignedRecord<Genesis>, hash: Hash): Epoch => {
  const { network: networkId, document: documentId, epoch, generation, base } = body
  const place = { networkId, documentId, epoch, writers: keysOf(body.writers, hash) }
  return { id, networkId, documentId, lane: parseLaneName(body.lane), epoch, generation, base, place }
}

/** What a genesis is written from; the rest follows from the owner and the epoch before. */
export interface GenesisFields {
  readonly networkId: string
  readonly documentId: string
  readonly lane: LaneName
  readonly owner: Owner
  /** Public keys of the owner that are to write. @default all of them */
  readonly writers?: readonly Uint8Array[]
  /** The number of the epoch and its base. @default the first, with none */
  readonly after?: { readonly epoch: number; readonly base: EpochBase }
}

/**
 * Writes the genesis of an epoch. Equal fields give equal bytes but for the signatures, and an equal id.
 * @throws {RangeError} when a field does not fit the format
 */
export const sealGenesis = (
  { networkId, documentId, lane, owner, writers = [...owner.keys.values()], after }: GenesisFields,
  signers: readonly Signer[],
  powers: { readonly hash: Hash },
): SignedRecord<Genesis> => {
  const body = {
    network: networkId,
    document: documentId,
    lane: formatLaneName(lane),
    epoch: after === undefined ? 1 : after.epoch + 1,
    owner: owner.id,
    generation: owner.generation,
    list: owner.list,
    writers: [...new Set(writers.map((key) => Buffer.from(key).toString('hex')))].toSorted(),
    base: after === undefined ? null : { ...after.base, heads: [...new Set(after.base.heads)].toSorted() },
  }
  return sealRecord(genesisKind, body, signers, powers)
}

export type OpenedGenesis =
  | { readonly ok: true; readonly epoch: Epoch; readonly record: SignedRecord<Genesis> }
  | {
      readonly ok: false
      readonly refusal: Refusal | { readonly code: 'wrong-owner' | 'wrong-document'; readonly message: string }
    }

export interface GenesisContext {
  readonly networkId: string
  /** The generation of the owner that the genesis is held against. */
  readonly owner: Owner
  readonly blocked: Blocked
  /** Keys of which one has to have signed. @default all of the owner */
  readonly sealers?: ReadonlyMap<string, Uint8Array>
  /** The epoch held of the same document, if any: the new one has the next number and stands on it. */
  readonly previous?: Epoch
}

const refuse = (code: 'wrong-owner' | 'wrong-document', message: string): OpenedGenesis => ({
  ok: false,
  refusal: { code, message },
})

const isNext = ({ document, lane, epoch, base }: Genesis, previous: Epoch): boolean =>
  document === previous.documentId &&
  lane === formatLaneName(previous.lane) &&
  epoch === previous.epoch + 1 &&
  base?.genesis === previous.id

/**
 * Reads a genesis and judges it: a key of the owner signed it, the owner is the lane's, and all writers are keys of the
 * generation it names. Never an error.
 */
export const openGenesis = (bytes: Uint8Array, context: GenesisContext, powers: AuthorityPowers): OpenedGenesis => {
  const { owner, blocked, previous } = context
  const read = readRecord(genesisKind, bytes, powers)
  if (!read.ok) return read
  const { record } = read
  const { body } = record
  if (body.network !== context.networkId)
    return { ok: false, refusal: { code: 'wrong-network', message: 'the genesis belongs to another network' } }
  if (body.owner !== owner.id || body.generation !== owner.generation || body.list !== owner.list)
    return refuse('wrong-owner', 'the genesis names another owner or generation')
  const epoch = epochOf(record, powers.hash)
  for (const key of epoch.place.writers.keys()) {
    const may = mayWrite(key, epoch.lane, { owner, blocked, isClosed: false })
    if (!may.ok) return may
  }
  if (!isSignedBy(genesisKind, record, { keys: context.sealers ?? owner.keys, threshold: 1 }, powers))
    return { ok: false, refusal: { code: 'not-enough-signatures', message: 'no key of the owner signed the genesis' } }
  if (previous !== undefined && !isNext(body, previous))
    return refuse('wrong-document', 'the genesis does not follow the epoch held of its document')
  return { ok: true, epoch, record }
}
