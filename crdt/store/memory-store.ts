import { type Clock, type Random, sleep } from '../../base/index.ts'
import { createOrderedMap } from './ordered-map.ts'
import type { Store, StoreChange, StoreEntry } from './store.ts'
import { StoreError } from './store-error.ts'
import { checkKeys, endOf } from './store-keys.ts'
import { decodeFormat, decodeValue, encodeFormat, encodeValue, formatKey, storeFormat } from './stored-value.ts'

/** Faults that a simulation switches on and off while it runs. */
export interface MemoryDiskFaults {
  /** Every write is refused as `disk-full`. @default false */
  isFull: boolean
  /** A synced write takes this long; unset it takes no time. @default undefined */
  slowSync: { readonly clock: Clock; readonly delayMs: number } | undefined
  /** A crash leaves the first batch it does not keep half there, its last change damaged: a disk that breaks its word. @default false */
  tearsLastBatch: boolean
}

/** What outlives a process: a disk in memory. One store at a time has it open. */
export interface MemoryDisk {
  readonly faults: MemoryDiskFaults
  /** A store that is not open yet; any number may be made. */
  store(): Store
  /**
   * Power is gone: keeps what was synced and a random number of the whole batches after it. The store that was open is
   * dead: no call of it ever settles again, like those of a process that is no more.
   */
  crash(random: Random): void
  /** Takes a copy of all that is written. @returns what puts it back in place of what is there, like `crash` for a store that was open */
  backup(): () => void
  /** Flips one random bit of the value kept under a key. @throws {RangeError} when there is none */
  damage(key: string, random: Random): void
  /** Makes the disk one that a program of this format left. */
  setFormat(format: number): void
  /** Keys and values kept, in bytes. */
  sizeBytes(): number
}

/** Values as kept; undefined where one is deleted. */
type Batch = readonly (readonly [key: string, stored: Uint8Array | undefined])[]

const never = new Promise<never>(() => {})
const below = (random: Random, count: number): number => Math.min(count - 1, Math.floor(random.unit() * count))

const flipBit = (stored: Uint8Array, random: Random): Uint8Array => {
  const flipped = stored.slice()
  const at = below(random, flipped.length)
  flipped[at] = (flipped[at] ?? 0) ^ (1 << below(random, 8))
  return flipped
}

const encodeBatch = (batch: readonly StoreChange[]): Batch =>
  batch.map((change) => [change.key, change.kind === 'put' ? encodeValue(change.key, change.value) : undefined])

/** Deterministic: no time but the clock of `slowSync`, no chance but what `crash` and `damage` are given. */
export const createMemoryDisk = (): MemoryDisk => {
  const faults: MemoryDiskFaults = { isFull: false, slowSync: undefined, tearsLastBatch: false }
  let synced = new Map<string, Uint8Array>()
  let unsynced: Batch[] = []
  let live = createOrderedMap<Uint8Array>()
  let holder: symbol | undefined
  const dead = new Set<symbol>()

  const apply = (batch: Batch, to: { set(key: string, stored: Uint8Array): unknown; delete(key: string): unknown }) => {
    for (const [key, stored] of batch) {
      if (stored === undefined) to.delete(key)
      else to.set(key, stored)
    }
  }

  const settle = () => {
    for (const batch of unsynced) apply(batch, synced)
    unsynced = []
  }

  const put = (key: string, stored: Uint8Array) => {
    synced.set(key, stored)
    live.set(key, stored)
  }

  const store = (): Store => {
    const self = Symbol('store')
    let queue: Promise<unknown> = Promise.resolve()

    /** Whether it is that of a process that is no more; asked at once before each act, as a crash may come in any pause. */
    const isDead = () => {
      if (dead.has(self)) return true
      if (holder === self) return false
      throw new StoreError('not-open', 'cannot use a store that is not open')
    }

    const write = async (batch: readonly StoreChange[], encoded: Batch, sync: boolean): Promise<void> => {
      if (isDead()) return never
      if (faults.isFull)
        throw new StoreError('disk-full', `cannot write ${batch.length} changes: the disk is full; free some space`)
      unsynced.push(encoded)
      if (sync && faults.slowSync !== undefined) {
        await sleep(faults.slowSync.clock, faults.slowSync.delayMs)
        if (isDead()) return never
      }
      apply(encoded, live)
      if (sync) settle()
    }

    return {
      open: async () => {
        if (dead.has(self)) return never
        if (holder !== undefined)
          throw new StoreError('already-open', 'cannot open the store: another one has the disk open')
        const stored = live.get(formatKey)
        const format = stored === undefined ? undefined : decodeFormat(stored)
        if (format !== undefined && format > storeFormat)
          throw new StoreError(
            'newer-format',
            `the store has format ${format}, newer than ${storeFormat}: update this node to read it`,
          )
        if (format === undefined) put(formatKey, encodeFormat(storeFormat))
        holder = self
      },
      close: async () => {
        if (dead.has(self)) return never
        await queue
        if (holder === self) holder = undefined
      },
      get: async (key) => {
        if (isDead()) return never
        const stored = live.get(key)
        if (stored === undefined || key === formatKey) return undefined
        const value = decodeValue(key, stored)
        if (value === undefined) throw new StoreError('damaged-value', `the value kept under ${key} is damaged`)
        return value.slice()
      },
      async *scan({ prefix, after, limit = Number.POSITIVE_INFINITY }): AsyncGenerator<StoreEntry> {
        const end = endOf(prefix)
        let isAfter = after !== undefined && after >= prefix
        let from = isAfter && after !== undefined ? after : prefix
        for (let left = limit; left > 0; ) {
          if (isDead()) await never
          const keys = live.keys({ from, isAfter, end, limit: Math.min(left, 256) })
          for (const key of keys) {
            const stored = live.get(key)
            // Deleted while the scan was on its way.
            if (stored === undefined || key === formatKey) continue
            left -= 1
            yield { key, value: decodeValue(key, stored)?.slice() }
            if (isDead()) await never
          }
          const last = keys.at(-1)
          if (last === undefined) return
          from = last
          isAfter = true
        }
      },
      write: async (batch, { sync }) => {
        if (isDead()) return never
        checkKeys(batch)
        const encoded = encodeBatch(batch)
        const written = queue.then(() => write(batch, encoded, sync))
        queue = written.catch(() => {})
        return written
      },
    }
  }

  const allKeys = () => live.keys({ from: '', isAfter: false, end: '\x7f', limit: Number.POSITIVE_INFINITY })
  const killHolder = () => {
    if (holder !== undefined) dead.add(holder)
    holder = undefined
  }

  return {
    faults,
    store,
    backup: () => {
      const copy = new Map(allKeys().map((key) => [key, live.get(key) ?? new Uint8Array()]))
      return () => {
        unsynced = []
        synced = new Map(copy)
        live = createOrderedMap(copy)
        killHolder()
      }
    },
    crash: (random) => {
      const kept = below(random, unsynced.length + 1)
      const torn = unsynced[kept]
      for (const batch of unsynced.slice(0, kept)) apply(batch, synced)
      if (faults.tearsLastBatch && torn !== undefined) {
        const part = torn.slice(0, 1 + below(random, torn.length))
        const [key, stored] = part.at(-1) ?? []
        apply(part, synced)
        if (key !== undefined && stored !== undefined) synced.set(key, flipBit(stored, random))
      }
      unsynced = []
      live = createOrderedMap(synced)
      synced = new Map(synced)
      killHolder()
    },
    damage: (key, random) => {
      const stored = live.get(key)
      if (stored === undefined) throw new RangeError(`nothing is kept under ${key}`)
      const flipped = flipBit(stored, random)
      live.set(key, flipped)
      if (synced.has(key)) synced.set(key, flipped)
      unsynced = unsynced.map((batch) =>
        batch.map(([name, value]) => [name, name === key && value !== undefined ? flipped : value] as const),
      )
    },
    setFormat: (format) => put(formatKey, encodeFormat(format)),
    sizeBytes: () => allKeys().reduce((sum, key) => sum + key.length + (live.get(key)?.length ?? 0), 0),
  }
}
