/** One lane in a deposit: its first record, and its newest envelopes in an order in which they can be taken. */
export interface DepositLane {
  /** 32 hexadecimal digits. */
  readonly document: string
  readonly genesis: Uint8Array
  /** What its epoch begins with, when that is not the first. */
  readonly base?: Uint8Array
  readonly envelopes: readonly Uint8Array[]
}

/** What is sealed: all a site needs to learn what its parent wants of it, and to judge that. */
export interface DepositContent {
  /** Signed records, in the order they were taken by who left them. */
  readonly records: readonly Uint8Array[]
  readonly lanes: readonly DepositLane[]
}

/** Of a deposit in which a lane is of a later epoch; others are written in the first format, which older nodes read. */
export const contentFormat = 2
const firstFormat = 1
export const contentLimits = {
  /** Of one deposit before it is sealed. */
  bytes: 512 * 1024,
  records: 2_000,
  lanes: 64,
  envelopes: 4_096,
} as const

const documentBytes = 16
const sizeOf = (piece: Uint8Array): number => 4 + piece.length

const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
const pieceOf = (bytes: Uint8Array): readonly Uint8Array[] => [u32(bytes.length), bytes]

/**
 * Version (1); number of records (4) and each with its length (4) before it; number of lanes (4) and of each its document
 * (16), its genesis as a record is written, in format 2 its base likewise (empty in a first epoch), and its envelopes as the
 * records are. Numbers are big-endian.
 */
export const writeDeposit = ({ records, lanes }: DepositContent): Uint8Array => {
  const format = lanes.some(({ base }) => base !== undefined) ? contentFormat : firstFormat
  return Uint8Array.from(
    Buffer.concat([
      Uint8Array.of(format),
      u32(records.length),
      ...records.flatMap(pieceOf),
      u32(lanes.length),
      ...lanes.flatMap(({ document, genesis, base, envelopes }) => [
        Buffer.from(document, 'hex'),
        ...pieceOf(genesis),
        ...(format === firstFormat ? [] : pieceOf(base ?? new Uint8Array())),
        u32(envelopes.length),
        ...envelopes.flatMap(pieceOf),
      ]),
    ]),
  )
}

/** Stops a reading that went past the end or past a limit; never leaves this file. */
class Short extends Error {}

/** Reads what was sealed. Undefined for what no parent of this format writes. */
export const readDeposit = (source: Uint8Array): DepositContent | 'newer-format' | undefined => {
  const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const take = (count: number): Uint8Array => {
    if (count > bytes.length - at) throw new Short()
    at += count
    return bytes.slice(at - count, at)
  }
  const number = (most: number): number => {
    take(4)
    const value = view.getUint32(at - 4)
    if (value > most) throw new Short()
    return value
  }
  const piece = () => take(number(contentLimits.bytes))
  const many = <Item>(most: number, read: () => Item): readonly Item[] => {
    const count = number(most)
    return Array.from({ length: count }, read)
  }
  const [format = 0] = bytes
  if (format > contentFormat) return 'newer-format'
  if (format < firstFormat || bytes.length > contentLimits.bytes) return undefined
  at = 1
  const laterBase = (): { readonly base?: Uint8Array } => {
    const base = format === firstFormat ? new Uint8Array() : piece()
    return base.length === 0 ? {} : { base }
  }
  try {
    const records = many(contentLimits.records, piece)
    const lanes = many(contentLimits.lanes, () => ({
      document: Buffer.from(take(documentBytes)).toString('hex'),
      genesis: piece(),
      ...laterBase(),
      envelopes: many(contentLimits.envelopes, piece),
    }))
    // A deposit has one form, so one format.
    const isOneForm = lanes.some(({ base }) => base !== undefined) === (format === contentFormat)
    return at === bytes.length && isOneForm ? { records, lanes } : undefined
  } catch (error) {
    if (error instanceof Short) return undefined
    throw error
  }
}

/** The newest of some pieces that fit, in their order. */
const newestOf = (pieces: readonly Uint8Array[], roomBytes: number): readonly Uint8Array[] => {
  let [first, left] = [pieces.length, roomBytes]
  while (first > 0 && pieces.length - first < contentLimits.envelopes) {
    left -= sizeOf(pieces[first - 1] ?? new Uint8Array(0))
    if (left < 0) break
    first -= 1
  }
  return pieces.slice(first)
}

/**
 * What of a site's lanes goes into one deposit: the records and the first record of each lane whole, then as many of the
 * newest envelopes as there is room for, the room shared alike by the lanes that need it. A site that was away for longer
 * than that lacks what the older ones say, and waits for its parent.
 *
 * @param needed records without which nothing can be judged
 * @param more records of what the lanes name, the most important last
 * @returns undefined when even the needed records have no room
 */
export const packDeposit = (
  needed: readonly Uint8Array[],
  more: readonly Uint8Array[],
  lanes: readonly DepositLane[],
  roomBytes: number = contentLimits.bytes,
): DepositContent | undefined => {
  const sum = (pieces: readonly Uint8Array[]) => pieces.reduce((total, piece) => total + sizeOf(piece), 0)
  const isLater = lanes.some(({ base }) => base !== undefined)
  const baseBytes = ({ base }: DepositLane) => (isLater ? 4 + (base?.length ?? 0) : 0)
  const frame =
    1 + 4 + 4 + lanes.reduce((total, lane) => total + documentBytes + sizeOf(lane.genesis) + baseBytes(lane) + 4, 0)
  let left = roomBytes - frame - sum(needed)
  if (left < 0 || lanes.length > contentLimits.lanes || needed.length > contentLimits.records) return undefined
  // What lanes name is of no use without them: at least half of the room is theirs.
  const named = newestOf(more.slice(-(contentLimits.records - needed.length)), left / 2)
  left -= sum(named)
  // Small lanes first: what they leave over goes to the others.
  const bySize = lanes
    .map((lane, at) => ({ at, lane, sizeBytes: sum(lane.envelopes) }))
    .toSorted((a, b) => a.sizeBytes - b.sizeBytes)
  const packed = new Map<number, DepositLane>()
  for (const [turn, { at, lane }] of bySize.entries()) {
    const envelopes = newestOf(lane.envelopes, left / (bySize.length - turn))
    left -= sum(envelopes)
    packed.set(at, { ...lane, envelopes })
  }
  return { records: [...needed, ...named], lanes: lanes.map((lane, at) => packed.get(at) ?? lane) }
}
