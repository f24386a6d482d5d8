import { fromHex, toHex } from '../authority/index.ts'
import { type Digest, type RangeEntry, rangeCount } from './digest.ts'

/**
 * What two ends say to each other, in bytes (docs/adr/0018-digests.md). `root` first; who finds it unequal answers with
 * `ranges`; who finds ranges unequal opens them. A message is a hint where to look: what is believed are envelopes.
 */
export type DigestMessage =
  | { readonly kind: 'root'; readonly root: string }
  | { readonly kind: 'ranges'; readonly ranges: ReadonlyMap<number, string> }
  | { readonly kind: 'open'; readonly range: number; readonly entries: readonly RangeEntry[] }

export const digestFormat = 1
export const digestLimits = {
  /** Documents in one opened range: 256 ranges of them are over a million. */
  entries: 4_096,
} as const

const kinds = { root: 0, ranges: 1, open: 2 } as const
const hashBytes = 32
const idBytes = 16

const maskBytes = rangeCount / 8

const rangesInOrder = (ranges: ReadonlyMap<number, string>) => [...ranges].toSorted(([a], [b]) => a - b)

/** A bit for each range, the first in the highest bit of the first byte. */
const maskOf = (present: readonly number[]): Uint8Array => {
  const mask = new Uint8Array(maskBytes)
  for (const range of present) mask[range >> 3] = (mask[range >> 3] ?? 0) | (0x80 >> (range & 7))
  return mask
}

const presentIn = (mask: Uint8Array): readonly number[] =>
  Array.from({ length: rangeCount }, (_, range) => range).filter(
    (range) => ((mask[range >> 3] ?? 0) & (0x80 >> (range & 7))) !== 0,
  )

const bodyOf = (message: DigestMessage): readonly Uint8Array[] => {
  switch (message.kind) {
    case 'root':
      return [fromHex(message.root)]
    case 'ranges':
      return [maskOf([...message.ranges.keys()]), ...rangesInOrder(message.ranges).map(([, hash]) => fromHex(hash))]
    case 'open':
      return [
        Uint8Array.of(message.range),
        ...message.entries.flatMap(({ documentId, leaf }) => [fromHex(documentId), fromHex(leaf)]),
      ]
  }
}

/** @throws {RangeError} when an opened range has more than 4,096 documents */
export const encodeDigestMessage = (message: DigestMessage): Uint8Array => {
  if (message.kind === 'open' && message.entries.length > digestLimits.entries)
    throw new RangeError(`cannot open a range of ${message.entries.length} documents, at most ${digestLimits.entries}`)
  return Uint8Array.from(Buffer.concat([Uint8Array.of(digestFormat, kinds[message.kind]), ...bodyOf(message)]))
}

export type DecodedDigestMessage =
  | { readonly ok: true; readonly message: DigestMessage }
  | {
      readonly ok: false
      readonly refusal: { readonly code: 'bad-length' | 'bad-message' | 'newer-format'; readonly message: string }
    }

type Code = 'bad-length' | 'bad-message' | 'newer-format'
const refuse = (code: Code, message: string): DecodedDigestMessage => ({ ok: false, refusal: { code, message } })
const wrongLength = refuse('bad-length', 'the digest message is cut short or too long')

const decodeRanges = (body: Uint8Array): DecodedDigestMessage => {
  const present = presentIn(body.subarray(0, maskBytes))
  const hashes = body.subarray(maskBytes)
  if (body.length < maskBytes || hashes.length !== present.length * hashBytes) return wrongLength
  const hashAt = (at: number) => toHex(hashes.subarray(at * hashBytes, (at + 1) * hashBytes))
  return { ok: true, message: { kind: 'ranges', ranges: new Map(present.map((range, at) => [range, hashAt(at)])) } }
}

const decodeOpen = (body: Uint8Array): DecodedDigestMessage => {
  const [range = 0] = body
  const entryBytes = idBytes + hashBytes
  const count = (body.length - 1) / entryBytes
  if (body.length < 1 || !Number.isInteger(count) || count > digestLimits.entries) return wrongLength
  const entries = Array.from({ length: count }, (_, at) => {
    const start = 1 + at * entryBytes
    const documentId = toHex(body.subarray(start, start + idBytes))
    return { documentId, leaf: toHex(body.subarray(start + idBytes, start + entryBytes)) }
  })
  const isInRange = entries.every(({ documentId }) => Number.parseInt(documentId.slice(0, 2), 16) === range)
  const isSorted = entries.every(({ documentId }, at) => at === 0 || (entries[at - 1]?.documentId ?? '') < documentId)
  return isInRange && isSorted
    ? { ok: true, message: { kind: 'open', range, entries } }
    : refuse('bad-message', 'the documents of an opened range are of another range, twice there or out of order')
}

/** Reads a message of format 1; never an error. One message has one form. */
export const decodeDigestMessage = (bytes: Uint8Array): DecodedDigestMessage => {
  const [version = 0, kind] = bytes
  if (version > digestFormat)
    return refuse('newer-format', `the digest has a newer format than ${digestFormat}: update this node to read it`)
  if (version < digestFormat) return refuse('bad-message', 'the digest does not start with a format version')
  const body = bytes.subarray(2)
  if (kind === kinds.root)
    return body.length === hashBytes ? { ok: true, message: { kind: 'root', root: toHex(body) } } : wrongLength
  if (kind === kinds.ranges) return decodeRanges(body)
  return kind === kinds.open ? decodeOpen(body) : refuse('bad-message', 'the digest is of no known kind')
}

/** The first message of a meeting. */
export const rootMessage = (digest: Digest): DigestMessage => ({ kind: 'root', root: digest.root() })

/** What a message of the other end comes to. */
export interface Comparison {
  /** Nothing differs as far as the message says. */
  readonly isEqual: boolean
  /** What to send next. */
  readonly replies: readonly DigestMessage[]
  /** Documents that one end lacks or holds otherwise: to be asked for and offered by their envelopes. Sorted ids. */
  readonly differing: readonly string[]
}

const differing = (mine: readonly RangeEntry[], theirs: readonly RangeEntry[]): readonly string[] => {
  const own = new Map(mine.map(({ documentId, leaf }) => [documentId, leaf]))
  const others = new Map(theirs.map(({ documentId, leaf }) => [documentId, leaf]))
  return [...new Set([...own.keys(), ...others.keys()])].filter((id) => own.get(id) !== others.get(id)).toSorted()
}

/** Compares what the other end said with what is here: pure but for reading the digest. */
export const compareDigest = (mine: Digest, theirs: DigestMessage): Comparison => {
  if (theirs.kind === 'root') {
    const isEqual = theirs.root === mine.root()
    return { isEqual, replies: isEqual ? [] : [{ kind: 'ranges', ranges: mine.ranges() }], differing: [] }
  }
  if (theirs.kind === 'ranges') {
    const own = mine.ranges()
    const present = new Set([...own.keys(), ...theirs.ranges.keys()])
    const unequal = [...present].filter((at) => own.get(at) !== theirs.ranges.get(at)).toSorted((a, b) => a - b)
    const replies = unequal.map((range) => ({ kind: 'open', range, entries: mine.open(range) }) as const)
    return { isEqual: unequal.length === 0, replies, differing: [] }
  }
  const found = differing(mine.open(theirs.range), theirs.entries)
  return { isEqual: found.length === 0, replies: [], differing: found }
}
