import type * as z from 'zod'
import { canonicalJson } from '../../base/index.ts'
import { type Refused, refuse } from './refusal.ts'
import {
  type AuthorityPowers,
  fromHex,
  type Hash,
  type KeyId,
  type Signer,
  signatureBytes,
  signedMessage,
  toHex,
} from './signatures.ts'

/** One kind of signed record: its tag and the shape of its body. */
export interface RecordKind<Body> {
  readonly kind: string
  readonly schema: z.ZodType
  /** Never set: ties the type of the body to the kind. */
  readonly body?: Body
}

export interface RecordSignature {
  readonly keyId: KeyId
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** A signed statement with detached signatures (docs/adr/0012-signed-records.md). */
export interface SignedRecord<Body> {
  /** As stored and sent. */
  readonly bytes: Uint8Array
  /** 64 hexadecimal digits: SHA-256 of what is signed. The same whoever signed, and however many. */
  readonly id: string
  readonly body: Body
  /** In the order of their key ids, none twice. Present is not valid: ask `signersOf`. */
  readonly signatures: readonly RecordSignature[]
}

export type ReadRecord<Body> = { readonly ok: true; readonly record: SignedRecord<Body> } | Refused

export const recordVersion = 1
export const recordLimits = { bodyBytes: 64 * 1024, signatures: 32 } as const
const headBytes = 5
const keyIdBytes = 32
const slotBytes = keyIdBytes + signatureBytes

const toSign = (kind: string, body: Uint8Array): Uint8Array =>
  signedMessage(kind, Buffer.concat([Uint8Array.of(recordVersion), body]))

const idOf = (kind: string, body: Uint8Array, hash: Hash): string => toHex(hash.sha256(toSign(kind, body)))

const encode = (body: Uint8Array, signatures: readonly RecordSignature[]): Uint8Array => {
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(recordVersion)
  head.writeUInt32BE(body.length, 1)
  const slots = signatures.flatMap(({ keyId, signature }) => [fromHex(keyId), signature])
  return Uint8Array.from(Buffer.concat([head, body, Uint8Array.of(signatures.length), ...slots]))
}

const bodyOf = (bytes: Uint8Array): Uint8Array => {
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1)
  return bytes.subarray(headBytes, headBytes + size)
}

const byKeyId = (a: RecordSignature, b: RecordSignature) => (a.keyId < b.keyId ? -1 : 1)

/**
 * Adds signatures: a key that signed already is not there twice, and the order of signing leaves no trace.
 * @throws {RangeError} when there would be more than 32
 */
export const countersign = <Body>(
  kind: RecordKind<Body>,
  record: SignedRecord<Body>,
  signers: readonly Signer[],
): SignedRecord<Body> => {
  const body = bodyOf(record.bytes)
  const message = toSign(kind.kind, body)
  const added = signers.map((signer) => ({ keyId: signer.keyId, signature: signer.sign(message) }))
  const all = new Map([...record.signatures, ...added].map((one) => [one.keyId, one]))
  if (all.size > recordLimits.signatures)
    throw new RangeError(`cannot sign the ${kind.kind}: it would have more than ${recordLimits.signatures} signatures`)
  const signatures = [...all.values()].toSorted(byKeyId)
  return { ...record, bytes: encode(body, signatures), signatures }
}

/**
 * Writes and signs a record.
 * @throws {RangeError} when the body is not of its kind or over 64 KiB: nothing is signed that others would refuse
 */
export const sealRecord = <Body extends object>(
  kind: RecordKind<Body>,
  body: Omit<Body, 'kind'>,
  signers: readonly Signer[],
  { hash }: { readonly hash: Hash },
): SignedRecord<Body> => {
  const whole = { ...body, kind: kind.kind }
  const problem = kind.schema.safeParse(whole).error?.issues[0]
  if (problem) throw new RangeError(`cannot seal the ${kind.kind}: ${problem.path.join('.')} ${problem.message}`)
  const text = Buffer.from(canonicalJson(whole))
  if (text.length > recordLimits.bodyBytes)
    throw new RangeError(`cannot seal the ${kind.kind}: ${text.length} bytes, at most ${recordLimits.bodyBytes}`)
  const unsigned = { bytes: encode(text, []), id: idOf(kind.kind, text, hash), body: whole as unknown as Body }
  return countersign(kind, { ...unsigned, signatures: [] }, signers)
}

const parseBody = (kind: RecordKind<unknown>, bytes: Uint8Array): unknown => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const body: unknown = JSON.parse(text)
    // The shape first: what passes is shallow, so writing it again cannot run deep.
    return kind.schema.safeParse(body).success && canonicalJson(body) === text ? body : undefined
  } catch {
    return undefined
  }
}

const readSignatures = (bytes: Uint8Array): RecordSignature[] | undefined => {
  const count = bytes[0] ?? 0
  if (count > recordLimits.signatures || bytes.length !== 1 + count * slotBytes) return undefined
  const signatures = Array.from({ length: count }, (_, at) => {
    const slot = bytes.subarray(1 + at * slotBytes, 1 + (at + 1) * slotBytes)
    return { keyId: toHex(slot.subarray(0, keyIdBytes)), signature: slot.subarray(keyIdBytes) }
  })
  const isOrdered = signatures.every(({ keyId }, at) => at === 0 || (signatures[at - 1]?.keyId ?? '') < keyId)
  return isOrdered ? signatures : undefined
}

/** Reads a record of a kind; judges its form, not yet who signed it. One record has exactly one form. Never throws. */
export const readRecord = <Body>(
  kind: RecordKind<Body>,
  bytes: Uint8Array,
  { hash }: { readonly hash: Hash },
): ReadRecord<Body> => {
  const version = bytes[0] ?? 0
  if (version > recordVersion)
    return refuse(
      'newer-format',
      `the ${kind.kind} has a newer format than ${recordVersion}: update this node to read it`,
    )
  const isShort = bytes.length < headBytes + 1
  const mostBytes = headBytes + recordLimits.bodyBytes + 1 + recordLimits.signatures * slotBytes
  if (version < recordVersion || isShort || bytes.length > mostBytes)
    return refuse('bad-length', `the ${kind.kind} is cut short, too long or no record`)
  const body = bodyOf(bytes)
  const signatures = readSignatures(bytes.subarray(headBytes + body.length))
  if (body.length > recordLimits.bodyBytes || signatures === undefined)
    return refuse('bad-length', `the signatures of the ${kind.kind} are cut short, out of order or too many`)
  const parsed = parseBody(kind, body)
  if (parsed === undefined) return refuse('bad-record', `the ${kind.kind} is not in the one form of its kind`)
  return { ok: true, record: { bytes, id: idOf(kind.kind, body, hash), body: parsed as Body, signatures } }
}

/** Raw public keys by their ids. */
export type Keys = ReadonlyMap<KeyId, Uint8Array>

export const keysOf = (publicKeys: readonly string[], hash: Hash): Keys =>
  new Map(publicKeys.map((text) => [toHex(hash.sha256(fromHex(text))), fromHex(text)]))

/** Signatures that were found good: by whom, and of which bytes of which kind. A key id says which key. */
const good = new WeakMap<
  RecordSignature,
  { readonly by: AuthorityPowers['signatures']; readonly kind: string; readonly bytes: Uint8Array }
>()

/** Which of these keys signed the record. A signature that was good is not worked out again. */
export const signersOf = <Body>(
  kind: RecordKind<Body>,
  record: SignedRecord<Body>,
  keys: Keys,
  { signatures }: AuthorityPowers,
): ReadonlySet<KeyId> => {
  let message: Uint8Array | undefined
  const isGood = (one: RecordSignature): boolean => {
    const key = keys.get(one.keyId)
    if (key === undefined) return false
    const known = good.get(one)
    if (known?.by === signatures && known.kind === kind.kind && known.bytes === record.bytes) return true
    message ??= toSign(kind.kind, bodyOf(record.bytes))
    if (!signatures.verify(key, message, one.signature)) return false
    good.set(one, { by: signatures, kind: kind.kind, bytes: record.bytes })
    return true
  }
  return new Set(record.signatures.filter(isGood).map(({ keyId }) => keyId))
}

/** Some keys, and how many of them have to agree. */
export interface Quorum {
  readonly keys: Keys
  readonly threshold: number
}

/** Whether enough different keys of a quorum signed. */
export const isSignedBy = <Body>(
  kind: RecordKind<Body>,
  record: SignedRecord<Body>,
  { keys, threshold }: Quorum,
  powers: AuthorityPowers,
): boolean => threshold >= 1 && signersOf(kind, record, keys, powers).size >= threshold
