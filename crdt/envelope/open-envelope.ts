import { type AuthorityPowers, type KeyId, signatureBytes, signedMessage, toHex } from '../authority/index.ts'
import {
  actorOf,
  type Envelope,
  envelopeLayout,
  envelopeVersion,
  maxChangeBytes,
  maxEnvelopeBytes,
} from './envelope.ts'

/** Why bytes are not an envelope for this place. `code` is stable; `message` is for a person. */
export interface EnvelopeRefusal {
  readonly code:
    | 'bad-length'
    | 'newer-format'
    | 'bad-format'
    | 'bad-number'
    | 'wrong-network'
    | 'wrong-document'
    | 'wrong-epoch'
    | 'not-a-writer'
    | 'forged-actor'
    | 'bad-signature'
  readonly message: string
}

/** Where the envelope is to belong, and who may write there: the genesis of the epoch says so. */
export interface EnvelopePlace {
  readonly networkId: string
  readonly documentId: string
  readonly epoch: number
  /** Raw public keys of the epoch's writers. */
  readonly writers: ReadonlyMap<KeyId, Uint8Array>
}

export type OpenedEnvelope =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly refusal: EnvelopeRefusal }

type Guard = (envelope: Envelope, place: EnvelopePlace, powers: AuthorityPowers) => EnvelopeRefusal['code'] | undefined

const words: Readonly<Record<EnvelopeRefusal['code'], string>> = {
  'bad-length': 'the envelope is cut short, too long or followed by other bytes',
  'newer-format': `the envelope has a newer format than ${envelopeVersion}: update this node to read it`,
  'bad-format': 'the envelope does not start with a format version',
  'bad-number': 'the epoch and the sequence number of an envelope count from 1',
  'wrong-network': 'the envelope belongs to another network',
  'wrong-document': 'the envelope belongs to another document',
  'wrong-epoch': 'the envelope belongs to another epoch',
  'not-a-writer': 'the author of the envelope is no writer of this epoch',
  'forged-actor': 'the actor of the envelope is not the one of its document, epoch, key and incarnation',
  'bad-signature': 'the signature of the envelope does not fit its bytes',
}

/** In this order, cheap before dear: each is the only one that stops its attack (open-envelope.test.ts takes it out). */
export const envelopeGuards = {
  'bad-number': ({ epoch, seq }) => (epoch >= 1 && seq >= 1 ? undefined : 'bad-number'),
  'wrong-network': ({ networkId }, place) => (networkId === place.networkId ? undefined : 'wrong-network'),
  'wrong-document': ({ documentId }, place) => (documentId === place.documentId ? undefined : 'wrong-document'),
  'wrong-epoch': ({ epoch }, place) => (epoch === place.epoch ? undefined : 'wrong-epoch'),
  'not-a-writer': ({ author }, place) => (place.writers.has(author) ? undefined : 'not-a-writer'),
  'forged-actor': (envelope, _place, { hash }) =>
    envelope.actor === actorOf(envelope, hash) ? undefined : 'forged-actor',
  'bad-signature': ({ bytes, author }, { writers }, { signatures, hash }) => {
    const key = writers.get(author)
    const end = bytes.length - signatureBytes
    const fits =
      key !== undefined &&
      toHex(hash.sha256(key)) === author &&
      signatures.verify(key, signedMessage('envelope', bytes.subarray(0, end)), bytes.subarray(end))
    return fits ? undefined : 'bad-signature'
  },
} as const satisfies Readonly<Partial<Record<EnvelopeRefusal['code'], Guard>>>

/** Reads the fields without judging them beyond their lengths; the change stays undecoded. */
const readFields = (bytes: Uint8Array, powers: AuthorityPowers): Envelope | EnvelopeRefusal['code'] => {
  if (bytes.length === 0) return 'bad-length'
  const version = bytes[0] ?? 0
  if (version > envelopeVersion) return 'newer-format'
  if (version < envelopeVersion) return 'bad-format'
  if (bytes.length <= envelopeLayout.change + signatureBytes || bytes.length > maxEnvelopeBytes) return 'bad-length'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const changeBytes = view.getUint32(envelopeLayout.changeLength)
  if (changeBytes > maxChangeBytes || bytes.length !== envelopeLayout.change + changeBytes + signatureBytes)
    return 'bad-length'
  const hexAt = (at: number, size: number) => toHex(bytes.subarray(at, at + size))
  return {
    bytes,
    hash: toHex(powers.hash.sha256(bytes)),
    networkId: hexAt(envelopeLayout.networkId, 32),
    documentId: hexAt(envelopeLayout.documentId, 16),
    epoch: view.getUint32(envelopeLayout.epoch),
    author: hexAt(envelopeLayout.author, 32),
    incarnation: hexAt(envelopeLayout.incarnation, 16),
    actor: hexAt(envelopeLayout.actor, 16),
    seq: view.getUint32(envelopeLayout.seq),
    change: bytes.subarray(envelopeLayout.change, envelopeLayout.change + changeBytes),
  }
}

const refuse = (code: EnvelopeRefusal['code']): OpenedEnvelope => ({
  ok: false,
  refusal: { code, message: words[code] },
})

/**
 * Whether received bytes are an envelope a writer of this epoch signed for this place. Decodes nothing of the change;
 * `scanChange` comes next. Keeps `bytes` without copying: the caller no longer writes to them.
 *
 * @param guards @default all; tests take one out to show what it stops
 */
export const openEnvelope = (
  bytes: Uint8Array,
  place: EnvelopePlace,
  powers: AuthorityPowers,
  guards: readonly Guard[] = Object.values(envelopeGuards),
): OpenedEnvelope => {
  const envelope = readFields(bytes, powers)
  if (typeof envelope === 'string') return refuse(envelope)
  for (const guard of guards) {
    const code = guard(envelope, place, powers)
    if (code !== undefined) return refuse(code)
  }
  return { ok: true, envelope }
}
