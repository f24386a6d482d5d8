import {
  fromHex,
  type Hash,
  type KeyId,
  type Signer,
  signatureBytes,
  signedMessage,
  toHex,
} from '../authority/index.ts'

/** One signed change as it is kept and relayed: these exact bytes (docs/adr/0010-envelopes.md). */
export interface Envelope {
  readonly bytes: Uint8Array
  /** 64 hexadecimal digits: SHA-256 of `bytes`. What replication compares. */
  readonly hash: string
  /** 64 hexadecimal digits: the network's id. */
  readonly networkId: string
  /** 32 hexadecimal digits. */
  readonly documentId: string
  /** 1 and up. */
  readonly epoch: number
  /** 32 hexadecimal digits: `actorOf` the document, epoch, key and incarnation. */
  readonly actor: string
  /** The key that signed. */
  readonly author: KeyId
  /** 32 hexadecimal digits: 128 random bits drawn at every start that writes. */
  readonly incarnation: string
  /** The actor's count of changes in this epoch: 1 and up. */
  readonly seq: number
  /** A change of Automerge, never decoded here. */
  readonly change: Uint8Array
}

export const envelopeVersion = 1
/** The largest change, as sent and as inflated: as much as a whole epoch holds before it is sealed (DESIGN.md rule 7). */
export const maxChangeBytes = 256 * 1024

/** Where each field of format 1 starts, in bytes; numbers are unsigned and big-endian. */
export const envelopeLayout = {
  version: 0,
  networkId: 1,
  documentId: 33,
  epoch: 49,
  author: 53,
  incarnation: 85,
  actor: 101,
  seq: 117,
  changeLength: 121,
  change: 125,
} as const
export const maxEnvelopeBytes = envelopeLayout.change + maxChangeBytes + signatureBytes
const maxCount = 0xffffffff

/** Who signed an opened envelope, and under which actor; nothing else of it is read. */
export const envelopeAuthor = (bytes: Uint8Array): Pick<Envelope, 'author' | 'actor'> => ({
  author: toHex(bytes.subarray(envelopeLayout.author, envelopeLayout.incarnation)),
  actor: toHex(bytes.subarray(envelopeLayout.actor, envelopeLayout.seq)),
})

/** The epoch an envelope says it is of; undefined for what is too short to say one. Nothing of it is judged. */
export const envelopeEpoch = (bytes: Uint8Array): number | undefined =>
  bytes.length < envelopeLayout.author
    ? undefined
    : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(envelopeLayout.epoch)

/** What an author fills in; the key, the actor and the signature come from the signer. */
export type EnvelopeFields = Pick<Envelope, 'networkId' | 'documentId' | 'epoch' | 'incarnation' | 'seq' | 'change'>

/**
 * 32 hexadecimal digits: the actor of one key in one incarnation, document and epoch. So a change of another key,
 * document or epoch can never carry it.
 */
export const actorOf = (
  { documentId, epoch, author, incarnation }: Pick<Envelope, 'documentId' | 'epoch' | 'author' | 'incarnation'>,
  hash: Hash,
): string => {
  const epochBytes = Buffer.alloc(4)
  epochBytes.writeUInt32BE(epoch)
  const parts = [fromHex(documentId), epochBytes, fromHex(author), fromHex(incarnation)]
  return toHex(hash.sha256(signedMessage('actor', Buffer.concat(parts))).subarray(0, 16))
}

const fixed = (name: string, text: string, bytes: number): Uint8Array => {
  const found = fromHex(text)
  if (found.length !== bytes) throw new RangeError(`cannot seal an envelope: ${name} has ${bytes} bytes`)
  return found
}

const count = (name: string, value: number): number => {
  if (!Number.isInteger(value) || value < 1 || value > maxCount)
    throw new RangeError(`cannot seal an envelope: ${name} counts from 1 to ${maxCount}, got ${value}`)
  return value
}

/**
 * Signs a change. The caller persists the envelope before a byte of it leaves the node (DESIGN.md rule 2).
 * @throws {RangeError} when a field has the wrong length or the change is empty or over 256 KiB
 */
export const sealEnvelope = (fields: EnvelopeFields, signer: Signer, powers: { readonly hash: Hash }): Envelope => {
  const { networkId, documentId, epoch, incarnation, seq } = fields
  if (fields.change.length === 0 || fields.change.length > maxChangeBytes)
    throw new RangeError(
      `cannot seal an envelope: a change has 1 to ${maxChangeBytes} bytes, got ${fields.change.length}`,
    )
  const network = fixed('networkId', networkId, 32)
  const document = fixed('documentId', documentId, 16)
  const life = fixed('incarnation', incarnation, 16)
  const author = signer.keyId
  const actor = actorOf({ documentId, epoch: count('epoch', epoch), author, incarnation }, powers.hash)
  const bytes = new Uint8Array(envelopeLayout.change + fields.change.length + signatureBytes)
  const view = new DataView(bytes.buffer)
  view.setUint8(envelopeLayout.version, envelopeVersion)
  bytes.set(network, envelopeLayout.networkId)
  bytes.set(document, envelopeLayout.documentId)
  view.setUint32(envelopeLayout.epoch, epoch)
  bytes.set(fromHex(author), envelopeLayout.author)
  bytes.set(life, envelopeLayout.incarnation)
  bytes.set(fromHex(actor), envelopeLayout.actor)
  view.setUint32(envelopeLayout.seq, count('seq', seq))
  view.setUint32(envelopeLayout.changeLength, fields.change.length)
  bytes.set(fields.change, envelopeLayout.change)
  const signed = bytes.subarray(0, bytes.length - signatureBytes)
  bytes.set(signer.sign(signedMessage('envelope', signed)), signed.length)
  const change = bytes.subarray(envelopeLayout.change, signed.length)
  const hash = toHex(powers.hash.sha256(bytes))
  return { bytes, hash, networkId, documentId, epoch, actor, author, incarnation, seq, change }
}
