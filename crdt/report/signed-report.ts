import {
  type AuthorityPowers,
  fromHex,
  publicKeyBytes,
  type Signer,
  signatureBytes,
  signedMessage,
  toHex,
} from '../authority/index.ts'

/** The kinds of reports: what a host says of itself, what a zone says of all below it, what it wants. Each signs under its own tag. */
export type ReportKind = 'snapshot' | 'roll-up' | 'zone-view'

/** What both kinds carry around their payload (docs/adr/0027-reports.md). */
export interface ReportHead {
  /** The network id, 64 hexadecimal digits. */
  readonly networkId: string
  /** The raw public key of who signed it, 64 hexadecimal digits. */
  readonly key: string
  /** Given by the parent at admission; counts from 1. */
  readonly session: number
  /** Counts the reports of one session from 1. */
  readonly seq: number
}

export interface SignedReport extends ReportHead {
  /** 64 hexadecimal digits: SHA-256 of what is signed. */
  readonly hash: string
  /** As it was received: nothing of it was decoded. */
  readonly payload: Uint8Array
}

/** Why bytes are no report of this place. `code` is stable; `message` is for a person. */
export interface ReportRefusal {
  readonly code:
    | 'bad-length'
    | 'newer-format'
    | 'bad-format'
    | 'bad-number'
    | 'wrong-network'
    | 'wrong-key'
    | 'bad-signature'
    | 'bad-report'
    | 'wrong-zone'
    | 'unknown-generation'
    | 'stale'
    | 'rival'
  readonly message: string
}

export type ReportRefused = { readonly ok: false; readonly refusal: ReportRefusal }

export const refuseReport = (code: ReportRefusal['code'], message: string): ReportRefused => ({
  ok: false,
  refusal: { code, message },
})

/** Where a report is to come from. */
export interface ReportPlace {
  readonly networkId: string
  /** Raw public keys that may have signed it, in hexadecimal. */
  readonly keys: ReadonlySet<string>
}

export const reportVersion = 1
/** One mebibyte: what a parent keeps of one host at most. */
export const maxPayloadBytes = 2 ** 20

export const reportLayout = {
  networkId: 1,
  key: 33,
  session: 65,
  seq: 73,
  payloadLength: 81,
  payload: 85,
} as const

const networkBytes = 32
const mostBytes = reportLayout.payload + maxPayloadBytes + signatureBytes

const words = (kind: ReportKind): Readonly<Partial<Record<ReportRefusal['code'], string>>> => ({
  'bad-length': `the ${kind} is cut short, too long or followed by other bytes`,
  'newer-format': `the ${kind} has a newer format than ${reportVersion}: update this node to read it`,
  'bad-format': `the ${kind} does not start with a format version`,
  'bad-number': `the session and the number of a ${kind} count from 1`,
  'wrong-network': `the ${kind} belongs to another network`,
  'wrong-key': `the ${kind} is of a key it may not be of`,
  'bad-signature': `the signature of the ${kind} does not fit its bytes`,
})

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1

/**
 * Writes and signs a report.
 * @throws {RangeError} when the payload is over 1 MiB or a number is no count from 1: nothing is signed that others refuse
 */
export const sealReport = (
  kind: ReportKind,
  { networkId, session, seq, payload }: Omit<ReportHead, 'key'> & { readonly payload: Uint8Array },
  signer: Signer,
): Uint8Array => {
  const network = fromHex(networkId)
  if (network.length !== networkBytes) throw new RangeError(`cannot seal the ${kind}: no network id`)
  if (!isCount(session) || !isCount(seq))
    throw new RangeError(`cannot seal the ${kind}: session ${session} and number ${seq} have to count from 1`)
  if (payload.length > maxPayloadBytes)
    throw new RangeError(`cannot seal the ${kind}: ${payload.length} bytes, at most ${maxPayloadBytes}`)
  const body = Buffer.alloc(reportLayout.payload + payload.length)
  body.writeUInt8(reportVersion)
  body.set(network, reportLayout.networkId)
  body.set(signer.publicKey, reportLayout.key)
  body.writeBigUInt64BE(BigInt(session), reportLayout.session)
  body.writeBigUInt64BE(BigInt(seq), reportLayout.seq)
  body.writeUInt32BE(payload.length, reportLayout.payloadLength)
  body.set(payload, reportLayout.payload)
  return Uint8Array.from(Buffer.concat([body, signer.sign(signedMessage(kind, body))]))
}

type Read = Omit<SignedReport, 'hash'> & { readonly bytes: Uint8Array }

/** Reads the fields without judging them beyond their lengths. */
const readFields = (bytes: Uint8Array): Read | ReportRefusal['code'] => {
  const [version] = bytes
  if (version === undefined) return 'bad-length'
  if (version > reportVersion) return 'newer-format'
  if (version < reportVersion) return 'bad-format'
  if (bytes.length < reportLayout.payload + signatureBytes || bytes.length > mostBytes) return 'bad-length'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const payloadBytes = view.getUint32(reportLayout.payloadLength)
  if (bytes.length !== reportLayout.payload + payloadBytes + signatureBytes) return 'bad-length'
  const hexAt = (at: number, size: number) => toHex(bytes.subarray(at, at + size))
  return {
    bytes,
    networkId: hexAt(reportLayout.networkId, networkBytes),
    key: hexAt(reportLayout.key, publicKeyBytes),
    session: Number(view.getBigUint64(reportLayout.session)),
    seq: Number(view.getBigUint64(reportLayout.seq)),
    payload: bytes.subarray(reportLayout.payload, reportLayout.payload + payloadBytes),
  }
}

const signedPart = (kind: ReportKind, bytes: Uint8Array): Uint8Array =>
  signedMessage(kind, bytes.subarray(0, bytes.length - signatureBytes))

type Guard = (
  read: Read,
  place: ReportPlace,
  powers: AuthorityPowers,
  kind: ReportKind,
) => ReportRefusal['code'] | undefined

/** In this order, cheap before dear: each is the only one that stops its attack (snapshot.test.ts takes it out). */
export const reportGuards = {
  'bad-number': ({ session, seq }) => (isCount(session) && isCount(seq) ? undefined : 'bad-number'),
  'wrong-network': ({ networkId }, place) => (networkId === place.networkId ? undefined : 'wrong-network'),
  'wrong-key': ({ key }, { keys }) => (keys.has(key) ? undefined : 'wrong-key'),
  'bad-signature': ({ bytes, key }, _place, { signatures }, kind) =>
    signatures.verify(fromHex(key), signedPart(kind, bytes), bytes.subarray(bytes.length - signatureBytes))
      ? undefined
      : 'bad-signature',
} as const satisfies Readonly<Partial<Record<ReportRefusal['code'], Guard>>>

/**
 * Whether received bytes are a report of this kind that one of these keys signed. Decodes nothing of the payload. Keeps
 * `bytes` without copying: the caller no longer writes to them. Never throws.
 *
 * @param guards @default all; tests take one out to show what it stops
 */
export const openReport = (
  kind: ReportKind,
  bytes: Uint8Array,
  place: ReportPlace,
  powers: AuthorityPowers,
  guards: readonly Guard[] = Object.values(reportGuards),
): { readonly ok: true; readonly report: SignedReport } | ReportRefused => {
  const read = readFields(bytes)
  if (typeof read === 'string') return refuseReport(read, words(kind)[read] ?? read)
  for (const guard of guards) {
    const found = guard(read, place, powers, kind)
    if (found !== undefined) return refuseReport(found, words(kind)[found] ?? found)
  }
  const { networkId, key, session, seq, payload } = read
  const hash = toHex(powers.hash.sha256(signedPart(kind, bytes)))
  return { ok: true, report: { networkId, key, session, seq, hash, payload } }
}

/** A report's turn among those of the same host or zone. */
export interface ReportTurn {
  /** Of the zone's owner; a host has none. @default 0 */
  readonly generation?: number
  readonly session: number
  readonly seq: number
  readonly hash: string
}

const compareTurns = (a: ReportTurn, b: ReportTurn): number =>
  (a.generation ?? 0) - (b.generation ?? 0) || a.session - b.session || a.seq - b.seq

/** Whether `next` comes after what is held: the last one wins by generation, session and number. */
export const isNewer = (held: ReportTurn | undefined, next: ReportTurn): boolean =>
  held === undefined || compareTurns(held, next) < 0

/**
 * Whether a report takes the place of the one held of the same host or zone.
 * @param given the session this node gave it when it was admitted; undefined where another node gave it: then only the
 *   order counts
 */
export const mayReplace = (
  held: ReportTurn | undefined,
  next: ReportTurn,
  given: number | undefined,
): { readonly ok: true } | ReportRefused => {
  if (given !== undefined && next.session !== given)
    return refuseReport('stale', `the report is of session ${next.session}, not of ${given} that this node gave`)
  if (held === undefined || isNewer(held, next)) return { ok: true }
  if (compareTurns(held, next) === 0 && held.hash !== next.hash)
    return refuseReport(
      'rival',
      `another report of session ${next.session} has the number ${next.seq}: the first stays`,
    )
  return refuseReport('stale', `the report ${next.session}/${next.seq} is not newer than ${held.session}/${held.seq}`)
}
