import * as Y from 'yjs'
import { ownsKey, type ViewHost } from './view-hosts.ts'

/** The one root of a site's view: a flat map. */
export const viewRoot = 'view'
export const viewFormat = 1

/** Bounds of one update. */
export const viewLimits = {
  updateBytes: 64 * 1024,
  structs: 2_048,
  deletedRanges: 2_048,
  /** Of one string, in UTF-16 units. */
  textLength: 4_096,
  vectorBytes: 4_096,
} as const

/** Why an update is not applied. */
export interface ViewRefusal {
  readonly code:
    | 'too-large'
    | 'newer-format'
    | 'malformed'
    | 'foreign-client'
    | 'foreign-key'
    | 'missing-base'
    | 'unsupported-shape'
  readonly message: string
}

/** How far each client's structs are known here. */
export type KnownClocks = ReadonlyMap<number, number>

type Decoded = ReturnType<typeof Y.decodeUpdate>

/** What a guard judges: a decoded update of a sender the link has authenticated. */
export interface JudgedUpdate {
  readonly update: Decoded
  readonly sender: ViewHost
  readonly known: KnownClocks
}
export type ViewGuard = (judged: JudgedUpdate) => ViewRefusal | undefined

const refusal = (code: ViewRefusal['code'], message: string): ViewRefusal => ({ code, message })

const startOf = ({ known, sender }: JudgedUpdate) => known.get(sender.clientId) ?? 0

/** The clock after the sender's last struct, this update included. */
const endOf = (judged: JudgedUpdate): number =>
  judged.update.structs.reduce((end, { id, length }) => Math.max(end, id.clock + length), startOf(judged))

const isScalar = (value: unknown) =>
  (typeof value === 'string' && value.length <= viewLimits.textLength) ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  typeof value === 'boolean'

const holdsScalars = (content: Y.Item['content']): boolean =>
  content instanceof Y.ContentDeleted || (content instanceof Y.ContentAny && content.arr.every(isScalar))

/** In this order. Each alone stops its attack (view.test.ts takes it out). */
export const viewGuards = {
  structs: ({ update, sender }) =>
    update.structs.every(({ id }) => id.client === sender.clientId)
      ? undefined
      : refusal('foreign-client', `the update writes in the name of another host than ${sender.hostId}`),
  deletes: ({ update, sender }) =>
    [...update.ds.clients.keys()].every((client) => client === sender.clientId)
      ? undefined
      : refusal('foreign-client', `the update deletes what another host than ${sender.hostId} wrote`),
  shape: ({ update }) =>
    update.structs.every((struct) => struct instanceof Y.Item && holdsScalars(struct.content))
      ? undefined
      : refusal('unsupported-shape', 'the update holds more than strings, numbers and booleans in a flat map'),
  // Without an origin an item names its place; with one it takes that of its origin, which must then be the sender's.
  keys: ({ update, sender }) =>
    update.structs.every((struct) => {
      if (!(struct instanceof Y.Item)) return true
      if (struct.rightOrigin !== null) return false
      if (struct.origin !== null) return struct.origin.client === sender.clientId
      return (struct.parent as unknown) === viewRoot && ownsKey(sender, struct.parentSub ?? '')
    })
      ? undefined
      : refusal('foreign-key', `the update writes under a key that is not of ${sender.hostId}`),
  base: (judged) => {
    let next = startOf(judged)
    for (const { id, length } of judged.update.structs) {
      if (id.clock > next) return refusal('missing-base', 'the update builds on structs that are not here')
      next = Math.max(next, id.clock + length)
    }
    for (const struct of judged.update.structs)
      if (struct instanceof Y.Item && struct.origin !== null && struct.origin.clock >= struct.id.clock)
        return refusal('missing-base', 'a struct of the update stands on a later one')
    return undefined
  },
  deletedRanges: (judged) => {
    const end = endOf(judged)
    const ranges = [...judged.update.ds.clients.values()].flat()
    if (ranges.length > viewLimits.deletedRanges)
      return refusal('too-large', `the update deletes ${ranges.length} ranges, at most ${viewLimits.deletedRanges}`)
    return ranges.every(({ clock, len }) => clock + len <= end)
      ? undefined
      : refusal('missing-base', 'the update deletes structs that are not here')
  },
} as const satisfies Readonly<Record<string, ViewGuard>>

/** Reads one unsigned LEB128 number; undefined past the end or above what is exact. */
const numberAt = (bytes: Uint8Array, start: number): { readonly value: number; readonly next: number } | undefined => {
  let value = 0
  let factor = 1
  for (let at = start; at < bytes.length && at < start + 8; at++) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, next: at + 1 } : undefined
    factor *= 128
  }
  return undefined
}

/**
 * Looks at the head of an update before Yjs does: at most one client's structs, the sender's, and no count above
 * the limit, as Yjs makes an array of that length first.
 */
export const scanUpdate = (bytes: Uint8Array, { clientId }: ViewHost): ViewRefusal | undefined => {
  const sections = numberAt(bytes, 0)
  if (sections === undefined) return refusal('malformed', 'the update is cut short')
  if (sections.value > 1) return refusal('foreign-client', 'the update holds structs of several hosts')
  if (sections.value === 0) return undefined
  const count = numberAt(bytes, sections.next)
  const client = count && numberAt(bytes, count.next)
  if (count === undefined || client === undefined) return refusal('malformed', 'the update is cut short')
  if (count.value > viewLimits.structs)
    return refusal('too-large', `the update says it has ${count.value} structs, at most ${viewLimits.structs}`)
  return client.value === clientId ? undefined : refusal('foreign-client', 'the update is of another host')
}

export type AdmittedUpdate =
  | { readonly ok: true; readonly update: Uint8Array }
  | { readonly ok: false; readonly refusal: ViewRefusal }

const refuse = (found: ViewRefusal): AdmittedUpdate => ({ ok: false, refusal: found })

const open = (message: Uint8Array, sender: ViewHost): AdmittedUpdate => {
  if (message.length < 3) return refuse(refusal('malformed', 'the update is cut short'))
  if (message.length > viewLimits.updateBytes)
    return refuse(refusal('too-large', `the update has ${message.length} bytes, at most ${viewLimits.updateBytes}`))
  const [version = 0] = message
  if (version > viewFormat)
    return refuse(refusal('newer-format', `the update has a newer format than ${viewFormat}: update this node`))
  if (version < viewFormat) return refuse(refusal('malformed', 'the update does not start with a format version'))
  const update = message.subarray(1)
  const scanned = scanUpdate(update, sender)
  return scanned === undefined ? { ok: true, update } : refuse(scanned)
}

/**
 * Whether an update may be applied (DESIGN.md section 3, rule 9): every struct and every delete is the sender's own,
 * under its own keys, and no base is missing. Never an error.
 *
 * @param message the format version, then an update of Yjs (format 1)
 * @param sender the host at the other end of the link, as the link authenticated it
 * @param guards @default all; tests take one out to show what it stops
 */
export const admitUpdate = (
  message: Uint8Array,
  sender: ViewHost,
  known: KnownClocks,
  guards: readonly ViewGuard[] = Object.values(viewGuards),
): AdmittedUpdate => {
  const opened = open(message, sender)
  if (!opened.ok) return opened
  let update: Decoded
  try {
    update = Y.decodeUpdate(opened.update)
  } catch {
    return refuse(refusal('malformed', 'Yjs does not decode the update'))
  }
  for (const guard of guards) {
    const found = guard({ update, sender, known })
    if (found !== undefined) return refuse(found)
  }
  return opened
}
