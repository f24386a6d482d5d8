import { type ByteCursor, createByteCursor } from './byte-cursor.ts'
import { type ChangeRefusal, ChangeRefused, malformed } from './change-refusal.ts'

/** What stops a column whose few bytes stand for many items. */
export interface ItemLimit {
  readonly items: number
  readonly code: ChangeRefusal['code']
  /** What there would be too many of, in words. */
  readonly what: string
}

const count = (had: number, more: number, limit: ItemLimit): void => {
  if (more < 1) throw malformed('a run of nothing')
  if (had + more > limit.items)
    throw new ChangeRefused(limit.code, `the change has more than ${limit.items} ${limit.what}`)
}

/**
 * The items of a run-length column, null where it says so: a positive count and one value to repeat, a negative count and
 * so many values, or zero and a count of nulls. The count is judged before anything is made of it.
 */
export const readRuns = <T>(bytes: Uint8Array, read: (cursor: ByteCursor) => T, limit: ItemLimit): (T | null)[] => {
  const cursor = createByteCursor(bytes)
  const items: (T | null)[] = []
  const repeat = (value: T | null, times: number) => {
    for (let n = 0; n < times; n++) items.push(value)
  }
  while (cursor.left() > 0) {
    const run = cursor.signed()
    const times = run === 0 ? cursor.unsigned() : Math.abs(run)
    count(items.length, times, limit)
    if (run === 0) repeat(null, times)
    else if (run > 0) repeat(read(cursor), times)
    else for (let n = 0; n < times; n++) items.push(read(cursor))
  }
  return items
}

export const readUnsigned = (bytes: Uint8Array, limit: ItemLimit): (number | null)[] =>
  readRuns(bytes, (cursor) => cursor.unsigned(), limit)

/** A run-length column of differences, summed up. */
export const readDeltas = (bytes: Uint8Array, limit: ItemLimit): (number | null)[] => {
  let sum = 0
  return readRuns(bytes, (cursor) => cursor.signed(), limit).map((delta) => {
    if (delta === null) return null
    sum += delta
    return sum
  })
}

/** Lengths of alternating runs of false and true, false first; answers how many there are, and whether one is true. */
export const countFlags = (bytes: Uint8Array, limit: ItemLimit): { items: number; isAnySet: boolean } => {
  const cursor = createByteCursor(bytes)
  let items = 0
  let isAnySet = false
  for (let isSet = false, isFirst = true; cursor.left() > 0; isSet = !isSet, isFirst = false) {
    const times = cursor.unsigned()
    if (!(isFirst && times === 0)) count(items, times, limit)
    items += times
    if (isSet) isAnySet = true
  }
  return { items, isAnySet }
}
