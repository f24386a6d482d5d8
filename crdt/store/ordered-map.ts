/** A map whose keys can be walked in order from any point: by code unit. */
export interface OrderedMap<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  delete(key: string): void
  size(): number
  /** Keys from `first` (not after which `after` says) on, ascending, at most `limit`, below `end`. */
  keys(range: {
    readonly from: string
    readonly isAfter: boolean
    readonly end: string
    readonly limit: number
  }): string[]
}

/** Sorts when it is next read: many keys set in one go cost one sort. */
export const createOrderedMap = <Value>(entries: Iterable<readonly [string, Value]> = []): OrderedMap<Value> => {
  const values = new Map(entries)
  let sorted = [...values.keys()].toSorted()
  let isSorted = true

  const order = (): string[] => {
    if (!isSorted) sorted = [...values.keys()].toSorted()
    isSorted = true
    return sorted
  }

  /** Where the first key is that is not below `key`. */
  const positionOf = (key: string): number => {
    const keys = order()
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((keys[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    get: (key) => values.get(key),
    set: (key, value) => {
      if (!values.has(key)) {
        if (isSorted && (sorted.at(-1) ?? '') < key) sorted.push(key)
        else isSorted = false
      }
      values.set(key, value)
    },
    delete: (key) => {
      if (values.delete(key)) isSorted = false
    },
    size: () => values.size,
    keys: ({ from, isAfter, end, limit }) => {
      const keys = order()
      const start = positionOf(from)
      const first = isAfter && keys[start] === from ? start + 1 : start
      return keys.slice(first, Math.min(first + limit, positionOf(end)))
    },
  }
}
