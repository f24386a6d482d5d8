import type { Hash } from '../authority/index.ts'
import { entryLimits, parseEntry, type ReadEntry } from '../effective/index.ts'
import { changeLimits } from '../envelope/index.ts'
import type { LaneKind } from './lane-name.ts'

/** What a key of a lane holds: an immutable string, a number or a boolean. */
export type LaneValue = string | number | boolean

/** Lanes whose keys are application ids and whose values are entries. */
const entryLanes: ReadonlySet<LaneKind> = new Set(['intent', 'local'])
export const holdsEntries = (kind: LaneKind): boolean => entryLanes.has(kind)

/** Random and for life: 16 bytes. */
const applicationId = /^[0-9a-f]{32}$/
/** `policy`, `host/<id>`: a field, or one of many under a prefix. Readers pass over prefixes they do not know. */
const fieldKey = /^[a-z][a-z0-9-]{0,62}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,126})?$/

/** Why a value may not stand in a lane. */
export interface SchemaRefusal {
  readonly code: 'unknown-key' | 'bad-value' | 'bad-entry' | 'newer-format'
  readonly message: string
}
export type CheckedValue =
  | { readonly ok: true; readonly entry: ReadEntry | undefined }
  | { readonly ok: false; readonly refusal: SchemaRefusal }

const refuse = (code: SchemaRefusal['code'], message: string): CheckedValue => ({
  ok: false,
  refusal: { code, message },
})

const checkScalar = (value: LaneValue): CheckedValue => {
  if (typeof value === 'number' && !Number.isFinite(value)) return refuse('bad-value', 'a number is not finite')
  if (typeof value === 'string' && !value.isWellFormed()) return refuse('bad-value', 'a string is not well formed')
  if (typeof value === 'string' && Buffer.byteLength(value) > changeLimits.valueBytes)
    return refuse('bad-value', `a string is longer than ${changeLimits.valueBytes} bytes`)
  return { ok: true, entry: undefined }
}

/** Whether the key may stand in a lane of this kind with this value; a function of nothing else. */
export const checkValue = (kind: LaneKind, key: string, value: LaneValue, hash: Hash): CheckedValue => {
  const shown = JSON.stringify(key.slice(0, 80))
  if (!holdsEntries(kind))
    return fieldKey.test(key) ? checkScalar(value) : refuse('unknown-key', `${shown} is no key of such a lane`)
  if (!applicationId.test(key)) return refuse('unknown-key', `${shown} is not the id of an application`)
  if (typeof value !== 'string')
    return refuse('bad-entry', `an entry is a string of at most ${entryLimits.textBytes} bytes`)
  return parseEntry(value, hash)
}
