import { createByteCursor } from './byte-cursor.ts'
import type { ChangeLimits } from './change-limits.ts'
import { ChangeRefused, malformed } from './change-refusal.ts'
import { countFlags, type ItemLimit, readDeltas, readRuns, readUnsigned } from './columns.ts'

/**
 * The columns a put or a delete in a flat map has; their numbers are the column ids of Automerge's binary format
 * (automerge.org/automerge-binary-format-spec). Objects, list positions and marks have others: refused.
 */
const columnIds = {
  key: 21,
  insert: 52,
  action: 66,
  valueKind: 86,
  value: 87,
  predecessorCount: 112,
  predecessorActor: 113,
  predecessorCounter: 115,
} as const
const known: ReadonlySet<number> = new Set(Object.values(columnIds))

const put = 1
const del = 3
const kinds = { none: 0, no: 1, yes: 2, signed: 4, float: 5, text: 6 } as const

const utf8 = new TextDecoder('utf-8', { fatal: true })
const readText = (bytes: Uint8Array, what: string): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    throw malformed(`${what} is not UTF-8`)
  }
}

const shape = (what: string): ChangeRefused =>
  new ChangeRefused('unsupported-shape', `the change ${what}: a lane is a flat map of texts, numbers and yes or no`)

/** Cuts the rest of a change into its columns. */
const cutColumns = (body: Uint8Array): ReadonlyMap<number, Uint8Array> => {
  const cursor = createByteCursor(body)
  const sizes: { id: number; sizeBytes: number }[] = []
  for (let left = cursor.unsigned(), last = -1; left > 0; left--) {
    const id = cursor.unsigned()
    if (id <= last) throw malformed('its columns are out of order')
    if (!known.has(id)) throw shape(`has a column ${id}`)
    last = id
    sizes.push({ id, sizeBytes: cursor.unsigned() })
  }
  const columns = new Map(sizes.map(({ id, sizeBytes }) => [id, cursor.take(sizeBytes)]))
  if (cursor.left() > 0) throw malformed('bytes follow its columns')
  return columns
}

const readKeys = (bytes: Uint8Array, limit: ItemLimit, limits: ChangeLimits): readonly (string | null)[] => {
  const keys = readRuns(
    bytes,
    (cursor) => {
      const size = cursor.unsigned()
      if (size < 1 || size > limits.keyBytes)
        throw new ChangeRefused(
          'key-too-long',
          `a key of the change has ${size} bytes, allowed are 1 to ${limits.keyBytes}`,
        )
      return readText(cursor.take(size), 'a key')
    },
    limit,
  )
  if (keys.includes(null)) throw shape('has an operation without a key')
  return keys
}

const checkNumber = (bytes: Uint8Array, kind: number): void => {
  if (kind === kinds.float) {
    if (bytes.length !== 8) throw malformed('a floating number does not have 8 bytes')
    const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true)
    if (!Number.isFinite(value)) throw shape('has a number that is not finite')
    return
  }
  const cursor = createByteCursor(bytes)
  cursor.signed()
  if (cursor.left() > 0) throw malformed('bytes follow a number')
}

const checkValue = (bytes: Uint8Array, kind: number, action: number | null): void => {
  if (action === del) {
    if (kind !== kinds.none || bytes.length > 0) throw malformed('a deletion has a value')
  } else if (kind === kinds.no || kind === kinds.yes) {
    if (bytes.length > 0) throw malformed('a yes or no has bytes')
  } else if (kind === kinds.text) readText(bytes, 'a text')
  else if (kind === kinds.signed || kind === kinds.float) checkNumber(bytes, kind)
  else throw shape(`puts a value of kind ${kind}`)
}

const checkValues = (
  actions: readonly (number | null)[],
  metas: readonly (number | null)[],
  raw: Uint8Array,
  limits: ChangeLimits,
): void => {
  const cursor = createByteCursor(raw)
  actions.forEach((action, at) => {
    // The low four bits are the kind, the rest the length in bytes.
    const meta = metas[at] ?? 0
    const size = Math.floor(meta / 16)
    if (size > limits.valueBytes)
      throw new ChangeRefused(
        'value-too-large',
        `a value of the change has ${size} bytes, at most ${limits.valueBytes}`,
      )
    checkValue(cursor.take(size), meta % 16, action)
  })
  if (cursor.left() > 0) throw malformed('bytes follow its values')
}

const checkPredecessors = (
  columns: ReadonlyMap<number, Uint8Array>,
  { actions, startOp, actorCount }: { actions: readonly (number | null)[]; startOp: number; actorCount: number },
  operations: ItemLimit,
  limits: ChangeLimits,
): void => {
  const none = new Uint8Array(0)
  const limit = { items: limits.predecessors, code: 'too-many-predecessors', what: 'predecessors' } as const
  const counts = readUnsigned(columns.get(columnIds.predecessorCount) ?? none, operations)
  const actors = readUnsigned(columns.get(columnIds.predecessorActor) ?? none, limit)
  const counters = readDeltas(columns.get(columnIds.predecessorCounter) ?? none, limit)
  if (counts.length !== actions.length || counts.includes(null)) throw malformed('its columns differ in length')
  let at = 0
  for (const [index, howMany] of counts.entries()) {
    const end = at + (howMany ?? 0)
    if (actions[index] === del && end === at) throw malformed('a deletion of nothing')
    if (end > actors.length || end > counters.length) throw malformed('its predecessors are not all there')
    const seen = new Set<string>()
    for (; at < end; at++) {
      const actor = actors[at] ?? -1
      const counter = counters[at] ?? -1
      if (actor < 0 || actor >= actorCount) throw malformed('a predecessor names an actor that is not listed')
      if (counter < 1 || counter >= startOp) throw malformed('a predecessor is no earlier operation')
      seen.add(`${counter}@${actor}`)
    }
    if (seen.size !== (howMany ?? 0)) throw malformed('a predecessor is named twice')
  }
  if (at !== actors.length || at !== counters.length) throw malformed('it has predecessors of no operation')
}

/**
 * Walks the operations of a change without building them and answers how many there are. Every column is held to the same
 * count, so none can stand for more than the limits say.
 *
 * @param body the bytes from the column list to the end of the change
 * @throws {ChangeRefused} when there are too many, or one is not a put or a delete of a flat map
 */
export const scanOperations = (
  body: Uint8Array,
  { startOp, actorCount }: { readonly startOp: number; readonly actorCount: number },
  limits: ChangeLimits,
): number => {
  const columns = cutColumns(body)
  const none = new Uint8Array(0)
  const limit = { items: limits.operations, code: 'too-many-operations', what: 'operations' } as const
  const actions = readUnsigned(columns.get(columnIds.action) ?? none, limit)
  const opCount = actions.length
  if (actions.some((action) => action !== put && action !== del)) throw shape('does more than put and delete')
  const inserts = countFlags(columns.get(columnIds.insert) ?? none, limit)
  if (inserts.isAnySet) throw shape('inserts into a list')
  const keys = readKeys(columns.get(columnIds.key) ?? none, limit, limits)
  const metas = readUnsigned(columns.get(columnIds.valueKind) ?? none, limit)
  const isEven = [keys.length, inserts.items, metas.length].every((items) => items === opCount) && !metas.includes(null)
  if (!isEven) throw malformed('its columns differ in length')
  checkValues(actions, metas, columns.get(columnIds.value) ?? none, limits)
  checkPredecessors(columns, { actions, startOp, actorCount }, limit, limits)
  // Automerge takes a key twice, and then saves a document that never loads again.
  if (new Set(keys).size !== opCount) throw shape('writes a key twice')
  return opCount
}
