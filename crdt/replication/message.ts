import { fromHex, toHex } from '../authority/index.ts'
import { type DigestMessage, decodeDigestMessage, encodeDigestMessage } from '../digest/index.ts'
import { createByteReader } from './byte-reader.ts'

/** Which epoch after the first a holding is of. */
export interface LaterEpoch {
  /** 2 and up. */
  readonly epoch: number
  /** The id of its genesis. */
  readonly genesis: string
}

/** Which envelopes of one document an end holds: none as it lacks the document, all these, or these of a stretch. */
export type Holding =
  | { readonly documentId: string; readonly state: 'absent' }
  | {
      readonly documentId: string
      readonly state: 'whole'
      /** Undefined for the first. */
      readonly later?: LaterEpoch
      readonly hashes: readonly string[]
    }
  | {
      readonly documentId: string
      readonly state: 'part'
      readonly later?: LaterEpoch
      /** The stretch is of hashes above `after`, up to `until`. */
      readonly after: string
      readonly until: string
      readonly hashes: readonly string[]
    }

/** What two ends say to each other (docs/adr/0023-replication.md). */
export type Message =
  | {
      readonly kind: 'meet'
      /** Counts the meetings of the session, from 1; two with one number are compared. */
      readonly round: number
      /** The digest's root over the documents both may hold, 64 hexadecimal digits. */
      readonly root: string
      /** A hash over the ids of the records the child needs, 64 hexadecimal digits. */
      readonly records: string
      /** Whether the sender hands out records. */
      readonly gives: boolean
      /** Compare, also when the same two roots were compared before. */
      readonly again: boolean
    }
  | { readonly kind: 'digest'; readonly isLast: boolean; readonly messages: readonly DigestMessage[] }
  /** What the sender holds of documents that differ; `want` answers `have`. Either is answered with what the sender lacks. */
  | { readonly kind: 'have' | 'want'; readonly isLast: boolean; readonly holdings: readonly Holding[] }
  | { readonly kind: 'genesis'; readonly bytes: Uint8Array }
  | { readonly kind: 'envelopes'; readonly documentId: string; readonly envelopes: readonly Uint8Array[] }
  | { readonly kind: 'record-ids'; readonly ids: readonly string[] }
  | { readonly kind: 'records'; readonly isLast: boolean; readonly records: readonly Uint8Array[] }
  /** A piece of what a later epoch begins with: of `total` bytes those from `at` on. Comes after its genesis, in order. */
  | {
      readonly kind: 'base'
      readonly documentId: string
      readonly genesis: string
      readonly total: number
      readonly at: number
      readonly bytes: Uint8Array
    }
  /** Late changes that the sender holds, or that it lacks and wants. */
  | { readonly kind: 'late-names'; readonly isWanted: boolean; readonly names: readonly LateName[] }
  | { readonly kind: 'late-changes'; readonly documentId: string; readonly envelopes: readonly Uint8Array[] }

/** One late change: its document and the hash of its envelope. */
export interface LateName {
  readonly documentId: string
  readonly hash: string
}

/** What is said of first epochs is in format 1, so that the release before understands it. */
export const replicationFormat = 2
const firstFormat = 1
const kinds = {
  meet: 0,
  digest: 1,
  have: 2,
  want: 3,
  genesis: 4,
  envelopes: 5,
  'record-ids': 6,
  records: 7,
  base: 8,
  'late-names': 9,
  'late-changes': 10,
} as const satisfies Record<Message['kind'], number>
const states = { absent: 0, whole: 1, part: 2 } as const
/** Added to the state of a holding that is of a later epoch. */
const laterState = 2
const idBytes = 16
const hashBytes = 32

const u32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const flag = (isSet: boolean): Uint8Array => Uint8Array.of(isSet ? 1 : 0)
const blocksOf = (blocks: readonly Uint8Array[]) => blocks.flatMap((block) => [u32(block.length), block])

const holdingOf = (holding: Holding): readonly Uint8Array[] => {
  const later = holding.state === 'absent' ? undefined : holding.later
  const state = states[holding.state] + (later === undefined ? 0 : laterState)
  const head = [fromHex(holding.documentId), Uint8Array.of(state)]
  if (holding.state === 'absent') return head
  if (later !== undefined) head.push(u32(later.epoch), fromHex(later.genesis))
  const stretch = holding.state === 'part' ? [fromHex(holding.after), fromHex(holding.until)] : []
  return [...head, ...stretch, u32(holding.hashes.length), ...holding.hashes.map(fromHex)]
}

const bodyOf = (message: Message): readonly Uint8Array[] => {
  switch (message.kind) {
    case 'meet': {
      const flags = Uint8Array.of((message.gives ? 1 : 0) | (message.again ? 2 : 0))
      return [flags, u32(message.round), fromHex(message.root), fromHex(message.records)]
    }
    case 'digest':
      return [flag(message.isLast), ...blocksOf(message.messages.map(encodeDigestMessage))]
    case 'have':
    case 'want':
      return [flag(message.isLast), ...message.holdings.flatMap(holdingOf)]
    case 'genesis':
      return [message.bytes]
    case 'envelopes':
      return [fromHex(message.documentId), ...blocksOf(message.envelopes)]
    case 'record-ids':
      return message.ids.map(fromHex)
    case 'records':
      return [flag(message.isLast), ...blocksOf(message.records)]
    case 'base':
      return [fromHex(message.documentId), fromHex(message.genesis), u32(message.total), u32(message.at), message.bytes]
    case 'late-names':
      return [
        flag(message.isWanted),
        ...message.names.flatMap((name) => [fromHex(name.documentId), fromHex(name.hash)]),
      ]
    case 'late-changes':
      return [fromHex(message.documentId), ...blocksOf(message.envelopes)]
  }
}

const formatOf = (message: Message): number => {
  if (message.kind === 'have' || message.kind === 'want')
    return message.holdings.some((holding) => holding.state !== 'absent' && holding.later !== undefined)
      ? replicationFormat
      : firstFormat
  return kinds[message.kind] >= kinds.base ? replicationFormat : firstFormat
}

export const encodeMessage = (message: Message): Uint8Array =>
  Uint8Array.from(Buffer.concat([Uint8Array.of(formatOf(message), kinds[message.kind]), ...bodyOf(message)]))

export interface MessageRefusal {
  readonly code: 'bad-message' | 'newer-format'
  readonly message: string
}
export type DecodedMessage =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly refusal: MessageRefusal }

type Reader = ReturnType<typeof createByteReader>

const isAscending = (items: readonly string[]): boolean =>
  items.every((item, at) => at === 0 || (items[at - 1] ?? '') < item)

const readHashes = (reader: Reader, count: number): readonly string[] | undefined => {
  // Before anything is made of the count.
  if (count * hashBytes > reader.left()) return undefined
  const hashes = Array.from({ length: count }, () => toHex(reader.take(hashBytes)))
  return isAscending(hashes) ? hashes : undefined
}

const readHolding = (reader: Reader): Holding | undefined => {
  if (reader.left() < idBytes + 1) return undefined
  const documentId = toHex(reader.take(idBytes))
  const [code = 0] = reader.take(1)
  if (code === states.absent) return { documentId, state: 'absent' }
  if (code > states.part + laterState) return undefined
  const isLater = code > states.part
  const isPart = code === states.part || code === states.part + laterState
  if (reader.left() < (isLater ? 4 + hashBytes : 0) + (isPart ? 2 * hashBytes : 0) + 4) return undefined
  const later = isLater ? { epoch: reader.u32(), genesis: toHex(reader.take(hashBytes)) } : undefined
  if (later !== undefined && later.epoch < 2) return undefined
  const [after, until] = isPart ? [toHex(reader.take(hashBytes)), toHex(reader.take(hashBytes))] : []
  const hashes = readHashes(reader, reader.u32())
  if (hashes === undefined) return undefined
  if (after === undefined || until === undefined) return { documentId, state: 'whole', hashes, ...(later && { later }) }
  const isInside = after < until && hashes.every((hash) => after < hash && hash <= until)
  return isInside ? { documentId, state: 'part', after, until, hashes, ...(later && { later }) } : undefined
}

const readAll = <Item>(reader: Reader, read: () => Item | undefined): readonly Item[] | undefined => {
  const items: Item[] = []
  while (reader.left() > 0) {
    const item = read()
    if (item === undefined) return undefined
    items.push(item)
  }
  return items
}

const readBlock = (reader: Reader): Uint8Array | undefined => {
  if (reader.left() < 4) return undefined
  const sizeBytes = reader.u32()
  return sizeBytes === 0 || sizeBytes > reader.left() ? undefined : reader.take(sizeBytes)
}

const readFlags = (reader: Reader, most: number): number | undefined => {
  if (reader.left() < 1) return undefined
  const [flags = 0] = reader.take(1)
  return flags <= most ? flags : undefined
}

const readDigests = (reader: Reader): readonly DigestMessage[] | undefined => {
  const messages = readAll(reader, () => {
    const block = readBlock(reader)
    const read = block === undefined ? undefined : decodeDigestMessage(block)
    return read?.ok ? read.message : undefined
  })
  if (messages === undefined || messages.length === 0) return undefined
  const ranges = messages.map((message) => (message.kind === 'open' ? message.range : -1))
  // Ranges alone, or opened ones in their order.
  const isSound =
    messages.length === 1
      ? messages[0]?.kind !== 'root'
      : ranges.every((range, at) => range > (at === 0 ? -1 : (ranges[at - 1] ?? 0)))
  return isSound ? messages : undefined
}

const readBody = (kind: number, reader: Reader): Message | undefined => {
  if (kind === kinds.meet) {
    if (reader.left() !== 1 + 4 + 2 * hashBytes) return undefined
    const flags = readFlags(reader, 3)
    const round = reader.u32()
    const [root, records] = [toHex(reader.take(hashBytes)), toHex(reader.take(hashBytes))]
    if (flags === undefined || round === 0) return undefined
    return { kind: 'meet', round, root, records, gives: (flags & 1) !== 0, again: (flags & 2) !== 0 }
  }
  if (kind === kinds.genesis)
    return reader.left() === 0 ? undefined : { kind: 'genesis', bytes: reader.take(reader.left()) }
  if (kind === kinds.envelopes) {
    if (reader.left() <= idBytes) return undefined
    const documentId = toHex(reader.take(idBytes))
    const envelopes = readAll(reader, () => readBlock(reader))
    return envelopes && { kind: 'envelopes', documentId, envelopes }
  }
  if (kind === kinds['record-ids']) {
    const ids = readHashes(reader, Math.ceil(reader.left() / hashBytes))
    return ids && { kind: 'record-ids', ids }
  }
  const flags = readFlags(reader, 1)
  if (flags === undefined) return undefined
  const isLast = flags === 1
  if (kind === kinds.digest) {
    const messages = readDigests(reader)
    return messages && { kind: 'digest', isLast, messages }
  }
  if (kind === kinds.records) {
    const records = readAll(reader, () => readBlock(reader))
    return records && { kind: 'records', isLast, records }
  }
  if (kind !== kinds.have && kind !== kinds.want) return undefined
  const holdings = readAll(reader, () => readHolding(reader))
  if (holdings === undefined || !isAscending(holdings.map(({ documentId }) => documentId))) return undefined
  return { kind: kind === kinds.have ? 'have' : 'want', isLast, holdings }
}

const readBase = (reader: Reader): Message | undefined => {
  if (reader.left() <= idBytes + hashBytes + 8) return undefined
  const documentId = toHex(reader.take(idBytes))
  const genesis = toHex(reader.take(hashBytes))
  const [total, at] = [reader.u32(), reader.u32()]
  const bytes = reader.take(reader.left())
  return at + bytes.length > total ? undefined : { kind: 'base', documentId, genesis, total, at, bytes }
}

const readLateNames = (reader: Reader): Message | undefined => {
  const flags = readFlags(reader, 1)
  const names = readAll(reader, () =>
    reader.left() < idBytes + hashBytes
      ? undefined
      : { documentId: toHex(reader.take(idBytes)), hash: toHex(reader.take(hashBytes)) },
  )
  if (flags === undefined || names === undefined || names.length === 0) return undefined
  if (!isAscending(names.map(({ documentId, hash }) => documentId + hash))) return undefined
  return { kind: 'late-names', isWanted: flags === 1, names }
}

/** The kinds that format 2 adds; what it says otherwise of have and want is in their holdings. */
const readLater = (kind: number, reader: Reader): Message | undefined => {
  if (kind === kinds.base) return readBase(reader)
  if (kind === kinds['late-names']) return readLateNames(reader)
  const message = readBody(kind === kinds['late-changes'] ? kinds.envelopes : kind, reader)
  return kind === kinds['late-changes'] && message?.kind === 'envelopes'
    ? { ...message, kind: 'late-changes' }
    : message
}

const refuse = (code: MessageRefusal['code'], message: string): DecodedMessage => ({
  ok: false,
  refusal: { code, message },
})

/** Reads a message of format 1 or 2; never an error. One message has one form. Keeps `bytes` without copying. */
export const decodeMessage = (bytes: Uint8Array): DecodedMessage => {
  const [version = 0, kind = 255] = bytes
  if (version > replicationFormat)
    return refuse(
      'newer-format',
      `the peer replicates in a newer format than ${replicationFormat}: update this node to speak with it`,
    )
  if (version < firstFormat) return refuse('bad-message', 'the message does not start with a format version')
  const reader = createByteReader(bytes.subarray(2))
  const read = version === firstFormat ? readBody : readLater
  const message = bytes.length < 2 ? undefined : read(kind, reader)
  // A message has one form, so one format.
  return message !== undefined && reader.left() === 0 && formatOf(message) === version
    ? { ok: true, message }
    : refuse('bad-message', 'the message is cut short, too long, out of order or of no known kind')
}
