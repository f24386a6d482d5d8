import type { Store, StoreChange, StoreEntry } from './store.ts'
import { StoreError } from './store-error.ts'

/** Where the second copy of a value is kept. Nothing else may begin so. */
const copyPrefix = 'copy/'
const copyKey = (key: string): string => `${copyPrefix}${key}`

/** So many changes of one batch when copies are made or put back. */
const batchSize = 500

export interface TwiceKeptOptions {
  readonly store: Store
  /** Whether a value is kept twice; what can be made anew need not be. */
  readonly isKept: (key: string) => boolean
  /** Told of each value that was spoiled or gone and is there again. */
  readonly onHealed: (key: string) => void
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at])

/**
 * A store that keeps values twice, for a node that can get them back from nobody: both are written in one batch, and
 * where one of the two is spoiled the other takes its place, when the store is opened and whenever it is read. A store
 * of before gets its copies when it is opened. A value that is spoiled twice is `damaged`, as in any store.
 */
export const createTwiceKeptStore = ({ store, isKept, onHealed }: TwiceKeptOptions): Store => {
  const noted = new Set<string>()

  const note = (key: string): void => {
    if (noted.has(key)) return
    noted.add(key)
    onHealed(key)
  }

  const copyOf = (key: string): Promise<Uint8Array | undefined> =>
    store.get(copyKey(key)).catch((error: unknown) => {
      if (error instanceof StoreError && error.code === 'damaged-value') return undefined
      throw error
    })

  /**
   * A value whose own place is spoiled; undefined when its copy is as well. It is put back at the next start: now a write of
   * something newer may be on its way.
   */
  const heal = async (key: string): Promise<Uint8Array | undefined> => {
    const value = isKept(key) ? await copyOf(key) : undefined
    if (value !== undefined) note(key)
    return value
  }

  /** Walks values and copies side by side, in the order of their keys. */
  const compare = async (): Promise<void> => {
    let batch: StoreChange[] = []
    const put = async (key: string, value: Uint8Array) => {
      batch.push({ kind: 'put', key, value })
      if (batch.length < batchSize) return
      const full = batch
      batch = []
      await store.write(full, { sync: true })
    }
    const copies = store.scan({ prefix: copyPrefix })[Symbol.asyncIterator]()
    let copy = await copies.next()
    const keyOf = (entry: StoreEntry) => entry.key.slice(copyPrefix.length)
    /** Of a value that is gone altogether. */
    const putBack = async (entry: StoreEntry) => {
      if (entry.value === undefined || !isKept(keyOf(entry))) return
      note(keyOf(entry))
      await put(keyOf(entry), entry.value)
    }
    for await (const { key, value } of store.scan({ prefix: '' })) {
      if (key.startsWith(copyPrefix) || !isKept(key)) continue
      for (; !copy.done && keyOf(copy.value) < key; copy = await copies.next()) await putBack(copy.value)
      const own = !copy.done && keyOf(copy.value) === key ? copy.value.value : undefined
      if (!copy.done && keyOf(copy.value) === key) copy = await copies.next()
      if (value !== undefined && (own === undefined || !isSame(own, value))) await put(copyKey(key), value)
      if (value !== undefined || own === undefined) continue
      note(key)
      await put(key, own)
    }
    for (; !copy.done; copy = await copies.next()) await putBack(copy.value)
    if (batch.length > 0) await store.write(batch, { sync: true })
  }

  const twice = (change: StoreChange): readonly StoreChange[] =>
    isKept(change.key) ? [change, { ...change, key: copyKey(change.key) }] : [change]

  return {
    open: async () => {
      await store.open()
      // A full disk takes no copies: what is whole is read all the same, and the next start makes them.
      await compare().catch((error: unknown) => {
        if (!(error instanceof StoreError) || error.code === 'read-failed') throw error
      })
    },
    close: () => store.close(),
    get: (key) =>
      store.get(key).catch(async (error: unknown) => {
        const value = error instanceof StoreError && error.code === 'damaged-value' ? await heal(key) : undefined
        if (value === undefined) throw error
        return value
      }),
    async *scan(range) {
      const meetsCopies = copyPrefix.startsWith(range.prefix)
      const { limit = Number.POSITIVE_INFINITY, ...rest } = range
      let left = limit
      for await (const entry of store.scan(meetsCopies ? rest : range)) {
        if (entry.key.startsWith(copyPrefix)) continue
        if (left <= 0) return
        left -= 1
        yield entry.value === undefined ? { ...entry, value: await heal(entry.key) } : entry
      }
    },
    write: (batch, options) => store.write(batch.flatMap(twice), options),
  }
}
