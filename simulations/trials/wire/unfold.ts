import { deflateRawSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { errorText } from '../../../base/index.ts'

/** One way in which bytes were packed away, outermost first, like `base64`, `change`. */
export type Fold = 'base64' | 'hex' | 'change' | 'deflated change' | 'gzip' | 'zlib' | 'zstd'

/** Bytes as they came, or what was packed in them. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly folds: readonly Fold[]
}

export interface Unfolded {
  readonly pieces: readonly Piece[]
  /** What looked packed and could not be opened, in words. */
  readonly closed: readonly string[]
}

const maxDepth = 6
const maxInflatedBytes = 256 * 2 ** 20
/** Shorter runs cannot hold a packed canary. */
const shortestRun = 24

const automerge = Buffer.from('856f4a83', 'hex')
const plainChange = 1
const deflatedChange = 2

interface Inner {
  readonly fold: Fold
  readonly bytes: Uint8Array
}
type Opened = { readonly inner: readonly Inner[]; readonly closed: readonly string[] }

const lengthAt = (bytes: Buffer, from: number): { readonly value: number; readonly next: number } | undefined => {
  let value = 0
  for (let at = from, shift = 0; at < bytes.length && shift < 42; at++, shift += 7) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, next: at + 1 }
  }
  return undefined
}

/** A change as Automerge packs it. @param body its plain columns */
export const deflateChange = (body: Uint8Array): Uint8Array => {
  const packed = deflateRawSync(body)
  const size: number[] = []
  for (let rest = packed.length; ; rest = Math.floor(rest / 128)) {
    size.push(rest < 128 ? rest : (rest % 128) + 128)
    if (rest < 128) break
  }
  return Buffer.concat([automerge, Buffer.alloc(4), Uint8Array.of(deflatedChange, ...size), packed])
}

/** Every chunk of Automerge that stands anywhere in the bytes: a change's columns are packed as one. */
const changesIn = (bytes: Buffer): Opened => {
  const inner: Inner[] = []
  const closed: string[] = []
  for (let at = bytes.indexOf(automerge); at >= 0; at = bytes.indexOf(automerge, at + 1)) {
    const kind = bytes[at + 8]
    const size = lengthAt(bytes, at + 9)
    const body =
      size === undefined || size.next + size.value > bytes.length
        ? undefined
        : bytes.subarray(size.next, size.next + size.value)
    try {
      if (body === undefined) throw new RangeError('it is cut short')
      if (kind === plainChange) inner.push({ fold: 'change', bytes: body })
      else if (kind === deflatedChange)
        inner.push({ fold: 'deflated change', bytes: inflateRawSync(body, { maxOutputLength: maxInflatedBytes }) })
      else throw new RangeError('it is no change')
    } catch (error) {
      closed.push(`a chunk of Automerge of kind ${kind} at ${at}: ${errorText(error)}`)
    }
  }
  return { inner, closed }
}

/** Where the packed bytes of a gzip member begin (RFC 1952, section 2.3). */
const gzipBodyAt = (bytes: Buffer): number => {
  const flags = bytes[3] ?? 0
  let at = 10
  if (flags & 4) at += 2 + bytes.readUInt16LE(at)
  for (const text of [8, 16]) if (flags & text) at = bytes.indexOf(0, at) + 1
  return flags & 2 ? at + 2 : at
}

/** Three bytes stand in what is sealed by chance now and then: flags, speed and system have to be known ones as well. */
const isGzipHead = (bytes: Buffer): boolean => {
  const [flags = 0xff, speed = 0xff, system = 0xfe] = [bytes[3], bytes[8], bytes[9]]
  return flags < 32 && [0, 2, 4].includes(speed) && (system <= 13 || system === 255)
}

/** Unlike `gunzipSync` it does not mind what follows the end. */
const openGzip = (bytes: Buffer): Uint8Array =>
  inflateRawSync(bytes.subarray(gzipBodyAt(bytes)), { maxOutputLength: maxInflatedBytes })

const packers: readonly {
  readonly fold: Fold
  readonly magic: Buffer
  readonly open: (bytes: Buffer) => Uint8Array
  /** Whether what begins so is one: then it is said where it does not open. */
  readonly isSure: (bytes: Buffer) => boolean
}[] = [
  { fold: 'gzip', magic: Buffer.from('1f8b08', 'hex'), open: openGzip, isSure: isGzipHead },
  {
    fold: 'zstd',
    magic: Buffer.from('28b52ffd', 'hex'),
    open: (bytes) => zstdDecompressSync(bytes),
    isSure: () => true,
  },
  ...['7801', '785e', '789c', '78da'].map((magic) => ({
    fold: 'zlib' as const,
    magic: Buffer.from(magic, 'hex'),
    open: (bytes: Buffer) => inflateSync(bytes),
    isSure: () => false,
  })),
]

const packedIn = (bytes: Buffer): Opened => {
  const inner: Inner[] = []
  const closed: string[] = []
  for (const { fold, magic, open, isSure } of packers)
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1))
      try {
        inner.push({ fold, bytes: open(bytes.subarray(at)) })
      } catch {
        if (isSure(bytes.subarray(at))) closed.push(`${fold} at ${at}`)
      }
  return { inner, closed }
}

/** Runs of text that may stand for other bytes. */
const textIn = (bytes: Buffer): readonly Inner[] => {
  const text = bytes.toString('latin1')
  const base64 = text.match(new RegExp(`[A-Za-z0-9+/_-]{${shortestRun},}`, 'g')) ?? []
  const hex = text.match(new RegExp(`[0-9A-Fa-f]{${shortestRun},}`, 'g')) ?? []
  return [
    ...base64.map((run) => ({ fold: 'base64' as const, bytes: Buffer.from(run, 'base64') })),
    ...hex.map((run) => ({ fold: 'hex' as const, bytes: Buffer.from(run, 'hex') })),
  ]
}

const openAll = (piece: Piece): { readonly pieces: readonly Piece[]; readonly closed: readonly string[] } => {
  const bytes = Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.byteLength)
  // The text of a plain change stands in what it was cut out of as well.
  const text = piece.folds.at(-1) === 'change' ? [] : textIn(bytes)
  const opened = [changesIn(bytes), packedIn(bytes), { inner: text, closed: [] }]
  return {
    pieces: opened.flatMap(({ inner }) =>
      inner.map((one): Piece => ({ bytes: one.bytes, folds: [...piece.folds, one.fold] })),
    ),
    // What stands in text that was no base64 is chance.
    closed: piece.folds.some((fold) => fold === 'hex' || fold === 'base64') ? [] : opened.flatMap((one) => one.closed),
  }
}

/**
 * The bytes themselves and everything packed in them, at any depth: columns of changes, base64 and hexadecimal text, gzip,
 * zlib and zstd. Archives of images need nothing else: a tar file holds its files as they are, its layers are gzip.
 */
export const unfold = (bytes: Uint8Array): Unfolded => {
  const pieces: Piece[] = []
  const closed: string[] = []
  let layer: readonly Piece[] = [{ bytes, folds: [] }]
  for (let depth = 0; layer.length > 0 && depth <= maxDepth; depth++) {
    pieces.push(...layer)
    const opened = layer.map(openAll)
    closed.push(...opened.flatMap((one) => one.closed))
    layer = opened.flatMap((one) => one.pieces)
  }
  return { pieces, closed }
}
