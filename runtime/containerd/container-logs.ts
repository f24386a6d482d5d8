import { type FileHandle, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Clock, sleep } from '../../base/index.ts'
import type { ContainerOwner, LogRecord } from '../containers.ts'

export type LogOwner = Pick<ContainerOwner, 'tenant' | 'instance' | 'container'>

/** How often a followed log is looked at, in milliseconds. */
const followMs = 100
const chunkBytes = 64 * 1024
/** A week, in milliseconds of the wall clock: a clock that is behind only keeps logs longer. */
const abandonedMs = 7 * 86_400_000

/** Bytes kept of a container's log: one older file and the present one, half of the bound each. */
const halfOf = (logSizeBytes: number): number => Math.max(1, Math.floor(logSizeBytes / 2))

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0

const readRange = async (file: FileHandle, from: number, to: number): Promise<Buffer> => {
  const bytes = Buffer.alloc(Math.max(0, to - from))
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

/** What a rotation did, for those who follow: `cut` bytes left the present file, the last of them are in the older. */
interface Rotation {
  readonly cut: number
  readonly older: Buffer
}

/**
 * Logs of containers as files `<directory>/<tenant>/<instance>/<container>.log`, to which the engine appends. The log
 * belongs to the owner: a new container of the same owner writes on. Rotation copies and empties the file, so that the
 * engine's open file stays valid; what is written between copying the last byte and emptying is lost.
 */
export const createContainerLogs = (directory: string, clock: Clock) => {
  const fileOf = ({ tenant, instance, container }: LogOwner) => `${directory}/${tenant}/${instance}/${container}.log`
  const followers = new Map<string, Set<(rotation: Rotation) => void>>()

  /** Makes room for the log and notes its bound, which must outlive us. @returns the file's path */
  const prepare = async (owner: LogOwner, logSizeBytes: number): Promise<string> => {
    const path = fileOf(owner)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(`${path}.bound`, String(logSizeBytes))
    return path
  }

  const trim = async (path: string): Promise<void> => {
    const bound = Number(await readFile(`${path}.bound`, 'utf8').catch(() => '0'))
    const half = halfOf(bound)
    if (bound <= 0 || (await sizeOf(path)) <= half) return
    const file = await open(path, 'r+')
    try {
      const { size } = await file.stat()
      const older = await readRange(file, Math.max(0, size - half), size)
      await writeFile(`${path}.1`, older)
      // From here to the truncation as few turns as can be: what arrives in between is lost.
      const more = await readRange(file, size, (await file.stat()).size)
      await file.truncate(0)
      const kept = more.length === 0 ? older : Buffer.concat([older, more])
      if (more.length > 0) await writeFile(`${path}.1`, kept.subarray(-half))
      for (const follower of followers.get(path) ?? []) follower({ cut: size + more.length, older: kept })
    } finally {
      await file.close()
    }
  }

  const trimAll = async (): Promise<void> => {
    const names = await readdir(directory, { recursive: true }).catch(() => [])
    for (const name of names.filter((each) => each.endsWith('.log')).toSorted()) await trim(`${directory}/${name}`)
  }

  /** Removes logs that nobody wrote to for a week and whose owner has no container any more. */
  const dropAbandoned = async (owners: readonly LogOwner[]): Promise<void> => {
    const wanted = new Set(owners.map(fileOf))
    const names = await readdir(directory, { recursive: true }).catch(() => [])
    for (const path of names.filter((name) => name.endsWith('.log')).map((name) => `${directory}/${name}`)) {
      const found = await stat(path).catch(() => undefined)
      if (!found || wanted.has(path) || clock.wallMs() - found.mtimeMs < abandonedMs) continue
      for (const file of [path, `${path}.1`, `${path}.bound`]) await rm(file, { force: true })
    }
  }

  async function* tail(path: string, tailBytes: number, presentBytes: number): AsyncGenerator<LogRecord> {
    const olderBytes = await sizeOf(`${path}.1`)
    const parts: [string, number, number][] = [
      [`${path}.1`, olderBytes, Math.max(0, tailBytes - presentBytes)],
      [path, presentBytes, tailBytes],
    ]
    for (const [part, size, wanted] of parts) {
      if (wanted === 0 || size === 0) continue
      const file = await open(part, 'r').catch(() => undefined)
      if (!file) continue
      try {
        for (let at = Math.max(0, size - wanted); at < size; at += chunkBytes) {
          const bytes = await readRange(file, at, Math.min(size, at + chunkBytes))
          if (bytes.length > 0) yield { bytes }
        }
      } finally {
        await file.close()
      }
    }
  }

  async function* follow(path: string, place: { at: number }, missed: Buffer[], signal?: AbortSignal) {
    while (!signal?.aborted) {
      for (const bytes of missed.splice(0)) yield { bytes }
      const size = await sizeOf(path)
      // Shorter without a rotation of ours: somebody else emptied it.
      if (size < place.at && missed.length === 0) place.at = 0
      if (size > place.at && missed.length === 0) {
        const file = await open(path, 'r')
        try {
          const bytes = await readRange(file, place.at, Math.min(size, place.at + chunkBytes))
          if (missed.length > 0) continue
          place.at += bytes.length
          yield { bytes }
        } finally {
          await file.close()
        }
      } else if (missed.length === 0) await sleep(clock, followMs, signal)
    }
  }

  async function* read(
    owner: LogOwner,
    options: { tailBytes: number; follow: boolean; signal?: AbortSignal },
  ): AsyncGenerator<LogRecord> {
    const path = fileOf(owner)
    const missed: Buffer[] = []
    const place = { at: await sizeOf(path) }
    const follower = ({ cut, older }: Rotation) => {
      const unread = cut - place.at
      if (unread > 0) missed.push(older.subarray(-Math.min(unread, older.length)))
      place.at = 0
    }
    const mine = followers.get(path) ?? new Set()
    followers.set(path, mine.add(follower))
    try {
      yield* tail(path, options.tailBytes, place.at)
      if (options.follow) yield* follow(path, place, missed, options.signal)
    } finally {
      mine.delete(follower)
      if (mine.size === 0) followers.delete(path)
    }
  }

  return { prepare, trimAll, dropAbandoned, read }
}
