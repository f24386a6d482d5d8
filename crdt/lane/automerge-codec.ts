import { type DecodedChange, decodeChange, encodeChange } from 'automerge'
import type { Hash } from '../authority/index.ts'
import type { ReadEntry } from '../effective/index.ts'
import { type ChangeHeader, type Envelope, scanEnvelope } from '../envelope/index.ts'
import { type Exclusion, exclude } from './exclusion.ts'
import type { LaneKind } from './lane-name.ts'
import { checkValue, type LaneValue } from './lane-schema.ts'

/** One value put under one key. */
export interface Put {
  /** `<number of the operation>@<actor>`, as Automerge names operations. */
  readonly id: string
  readonly key: string
  readonly value: LaneValue
  /** In lanes of entries, the value read. */
  readonly entry: ReadEntry | undefined
  /** Ids of the puts it says it replaces, sorted. */
  readonly replaces: readonly string[]
}

/** A change that may stand in a lane, as far as it can be judged alone. */
export interface LaneChange {
  readonly header: ChangeHeader
  readonly puts: readonly Put[]
}

export type LaneChangeResult =
  | { readonly ok: true; readonly change: LaneChange }
  | { readonly ok: false; readonly exclusion: Exclusion }

type Operation = DecodedChange['ops'][number]

const lax = (code: Exclusion['code'], message: string): LaneChangeResult => ({
  ok: false,
  exclusion: exclude(code, message),
})

/** Puts of strings, whole numbers, floats and booleans at the top; no deletes, texts, lists, maps, counters or dates. */
const isPut = (op: Operation): op is Operation & { value: LaneValue } => {
  if (op.action !== 'set' || op.obj !== '_root' || typeof op.key !== 'string' || 'elemId' in op || 'insert' in op)
    return false
  if (typeof op.value === 'number')
    return op.datatype === 'float64' || (op.datatype === 'int' && Number.isSafeInteger(op.value))
  return (typeof op.value === 'string' || typeof op.value === 'boolean') && op.datatype === undefined
}

const readPuts = (decoded: DecodedChange, kind: LaneKind, hash: Hash): readonly Put[] | Exclusion => {
  const puts: Put[] = []
  const keys = new Set<string>()
  for (const [at, op] of decoded.ops.entries()) {
    if (!isPut(op)) return exclude('unsupported-shape', 'a lane holds puts of strings, numbers and booleans alone')
    if (keys.has(op.key)) return exclude('unsupported-shape', 'a change puts two values under one key')
    keys.add(op.key)
    const checked = checkValue(kind, op.key, op.value, hash)
    if (!checked.ok) return checked.refusal
    const id = `${decoded.startOp + at}@${decoded.actor}`
    puts.push({ id, key: op.key, value: op.value, entry: checked.entry, replaces: op.pred.toSorted() })
  }
  return puts
}

/** Whether the decoder read what the scan had judged. */
const agree = (decoded: DecodedChange, header: ChangeHeader): boolean =>
  decoded.hash === header.hash &&
  decoded.actor === header.actor &&
  decoded.seq === header.seq &&
  decoded.startOp === header.startOp &&
  decoded.ops.length === header.opCount &&
  decoded.deps.toSorted().join() === header.deps.toSorted().join() &&
  decoded.time === 0 &&
  decoded.message === null &&
  (decoded.author ?? null) === null

/**
 * Reads the change of an opened envelope: scan first, then Automerge, then the schema. Judges nothing that needs other
 * changes. A throw of the decoder, a trap of its WASM included, costs this one change.
 */
export const readLaneChange = (envelope: Envelope, kind: LaneKind, hash: Hash): LaneChangeResult => {
  const scanned = scanEnvelope(envelope)
  if (!scanned.ok) return { ok: false, exclusion: scanned.refusal }
  let decoded: DecodedChange
  try {
    decoded = decodeChange(envelope.change)
  } catch {
    return lax('undecodable', 'Automerge does not decode the change')
  }
  if (!agree(decoded, scanned.header)) return lax('undecodable', 'Automerge decodes the change otherwise than the scan')
  const puts = readPuts(decoded, kind, hash)
  return 'code' in puts ? { ok: false, exclusion: puts } : { ok: true, change: { header: scanned.header, puts } }
}

/** What a change to be written holds; its operations count on from `startOp` in this order. */
export type ChangeFields = Pick<ChangeHeader, 'actor' | 'seq' | 'startOp' | 'deps'> & {
  readonly puts: readonly Pick<Put, 'key' | 'value' | 'replaces'>[]
}

const operationOf = ({ key, value, replaces }: ChangeFields['puts'][number]) => ({
  action: 'set',
  obj: '_root',
  key,
  value,
  ...(typeof value === 'number' ? { datatype: Number.isSafeInteger(value) ? 'int' : 'float64' } : {}),
  pred: [...replaces],
})

/** The bytes of a change: strings are put whole, so that none becomes a text. */
export const writeLaneChange = ({ actor, seq, startOp, deps, puts }: ChangeFields): Uint8Array =>
  encodeChange({
    actor,
    seq,
    startOp,
    time: 0,
    message: null,
    deps: deps.toSorted(),
    ops: puts.map(operationOf),
  } as unknown as Parameters<typeof encodeChange>[0])
