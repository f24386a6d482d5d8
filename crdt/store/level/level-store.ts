import type { Log } from '../../../base/index.ts'
import type { Store, StoreChange, StoreEntry } from '../store.ts'
import { StoreError } from '../store-error.ts'
import { checkKeys, endOf } from '../store-keys.ts'
import { decodeFormat, decodeValue, encodeFormat, encodeValue, formatKey, storeFormat } from '../stored-value.ts'
import { assertRoom, type Database, openDatabase } from './level-database.ts'
import { isCorruption, isIteratorGone, storeErrorOf } from './level-errors.ts'
import { createWriteQueue } from './write-queue.ts'

export interface LevelStoreOptions {
  readonly log: Log
  /** Decoded blocks kept in memory, in bytes. @default 2 MiB */
  readonly cacheBytes?: number
  /** Written values held until they become a table, in bytes; twice as much at most. @default 1 MiB */
  readonly writeBufferBytes?: number
}

/** LevelDB makes room for as many entries as are asked for, whether they are there or not: a short scan asks for few. */
const chunk = { first: 16, growth: 4, most: 1024, bytes: 2 ** 20 } as const

/** One batch, put together change by change: ten thousand values are not copied on this side as well. */
const writeBatch = async (database: Database, changes: readonly StoreChange[], sync: boolean) => {
  const batch = database.batch()
  for (const change of changes) {
    if (change.kind === 'put') batch.put(change.key, encodeValue(change.key, change.value))
    else batch.del(change.key)
  }
  await batch.write({ sync })
}

/** @throws {StoreError} `newer-format` */
const checkFormat = async (database: Database, { folder, log }: { folder: string; log: Log }) => {
  const stored = await database.get(formatKey)
  const format = stored === undefined ? undefined : decodeFormat(stored)
  if (format !== undefined && format > storeFormat)
    throw new StoreError(
      'newer-format',
      `the store in ${folder} has format ${format}, newer than ${storeFormat}: update this node to read it`,
    )
  if (format !== undefined) return
  if (stored !== undefined) log.warn('the format of the store was damaged and is written again', { folder })
  await database.put(formatKey, encodeFormat(storeFormat), { sync: true })
}

/**
 * A store in a folder, kept by LevelDB (docs/adr/0020-store-format.md). After a write that failed it is closed and
 * opened again before the next one, and repaired where something could not be read: only so is a later log whole.
 */
export const createLevelStore = (
  folder: string,
  { log, cacheBytes = 2 * 2 ** 20, writeBufferBytes = 2 ** 20 }: LevelStoreOptions,
): Store => {
  const sizes = { cacheBytes, writeBufferBytes }
  let isOpen = false
  let database: Database | undefined
  let health: 'good' | 'failed' | 'damaged' = 'good'
  let reopening: Promise<void> | undefined
  let readers = 0
  let whenUnread: (() => void) | undefined

  const noteDamage = (error: unknown) => {
    if (health !== 'damaged') log.warn('part of the store cannot be read', { folder, reason: `${error}` })
    health = 'damaged'
  }

  const notOpen = () => new StoreError('not-open', `cannot use the store in ${folder}: it is not open`)

  /** Runs a read; none is under way while the database is opened again. */
  const read = async <Result>(work: (open: Database) => Promise<Result>): Promise<Result> => {
    while (reopening !== undefined) await reopening.catch(() => {})
    if (database === undefined) throw notOpen()
    readers += 1
    try {
      return await work(database)
    } finally {
      readers -= 1
      if (readers === 0) whenUnread?.()
    }
  }

  const openAgain = async () => {
    if (database !== undefined) await assertRoom(folder, sizes)
    if (readers > 0) {
      await new Promise<void>((resolve) => {
        whenUnread = resolve
      })
      whenUnread = undefined
    }
    const old = database
    database = undefined
    await old?.close()
    database = await openDatabase(folder, sizes, { log, isDamaged: health === 'damaged' })
    health = 'good'
  }

  const commit = async (batch: readonly StoreChange[], sync: boolean) => {
    const doing = `write to the store in ${folder}`
    try {
      if (health !== 'good') {
        reopening = openAgain()
        await reopening.finally(() => {
          reopening = undefined
        })
      }
      if (database === undefined) throw notOpen()
      await writeBatch(database, batch, sync)
    } catch (error) {
      if (isCorruption(error)) noteDamage(error)
      else if (health === 'good') health = 'failed'
      throw storeErrorOf(error, 'write-failed', doing)
    }
  }
  const queue = createWriteQueue(commit)

  const rangeOf = (from: string, isAfter: boolean, end: string) =>
    ({
      ...(isAfter ? { gt: from } : { gte: from }),
      lt: end,
      highWaterMarkBytes: chunk.bytes,
      fillCache: false,
    }) as const

  /** Entries from a point on, also past blocks that cannot be read: LevelDB tells of those at the end alone. */
  async function* entries(from: string, isFirstAfter: boolean, end: string): AsyncGenerator<[string, Uint8Array]> {
    let at = from
    let isAfter = isFirstAfter
    let size: number = chunk.first
    let iterator = await read(async (open) => open.iterator(rangeOf(at, isAfter, end)))
    const begin = async () => {
      await iterator.close()
      iterator = await read(async (open) => open.iterator(rangeOf(at, isAfter, end)))
    }
    try {
      for (;;) {
        try {
          const some = await read(() => iterator.nextv(size))
          if (some.length === 0) return
          for (const entry of some) {
            yield entry
            at = entry[0]
            isAfter = true
          }
          if (size > 1) size = Math.min(size * chunk.growth, chunk.most)
        } catch (error) {
          if (isIteratorGone(error)) await begin()
          else if (!isCorruption(error)) throw storeErrorOf(error, 'read-failed', `read the store in ${folder}`)
          else {
            noteDamage(error)
            // The error took the last entries with it: one by one they come before it.
            if (size === 1) return
            size = 1
            await begin()
          }
        }
      }
    } finally {
      await iterator.close()
    }
  }

  return {
    open: async () => {
      if (isOpen) throw new StoreError('already-open', `cannot open the store in ${folder}: it is open already`)
      const opened = await openDatabase(folder, sizes, { log, isDamaged: health === 'damaged' })
      try {
        await checkFormat(opened, { folder, log })
      } catch (error) {
        await opened.close()
        throw storeErrorOf(error, 'open-failed', `open the store in ${folder}`)
      }
      health = 'good'
      database = opened
      isOpen = true
    },
    close: async () => {
      isOpen = false
      await queue.idle()
      const old = database
      database = undefined
      await old?.close()
    },
    get: async (key) => {
      if (key === formatKey) return undefined
      const damaged = () => new StoreError('damaged-value', `the value kept under ${key} is damaged`)
      let stored: Uint8Array | undefined
      try {
        stored = await read((open) => open.get(key))
      } catch (error) {
        if (!isCorruption(error)) throw storeErrorOf(error, 'read-failed', `read ${key} of the store in ${folder}`)
        noteDamage(error)
        throw damaged()
      }
      if (stored === undefined) return undefined
      const value = decodeValue(key, stored)
      if (value === undefined) throw damaged()
      return value
    },
    async *scan({ prefix, after, limit = Number.POSITIVE_INFINITY }): AsyncGenerator<StoreEntry> {
      const isAfter = after !== undefined && after >= prefix
      let left = limit
      if (left <= 0) return
      for await (const [key, stored] of entries(isAfter ? after : prefix, isAfter, endOf(prefix))) {
        if (key === formatKey) continue
        yield { key, value: decodeValue(key, stored) }
        left -= 1
        if (left <= 0) return
      }
    },
    write: async (batch, { sync }) => {
      if (!isOpen) throw notOpen()
      checkKeys(batch)
      if (batch.length > 0 || sync) await queue.write(batch, sync)
    },
  }
}
