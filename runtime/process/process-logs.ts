import { type FileHandle, mkdir, open, rename, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Clock, sleep } from '../../base/index.ts'
import type { ContainerOwner, LogRecord } from '../containers.ts'

type LogOwner = Pick<ContainerOwner, 'tenant' | 'instance' | 'container'>

/** Log files that processes append to by themselves; the node is never in the way of a byte. */
export interface ProcessLogs {
  /** The file to append to; its directory exists. */
  pathFor(owner: LogOwner): Promise<string>
  read(owner: LogOwner, options: { tailBytes: number; follow: boolean; signal?: AbortSignal }): AsyncIterable<LogRecord>
  /**
   * Moves what was written to an older file and empties the newest, so that both hold at most `logSizeBytes`. What is
   * written between the copy and the cut is lost, as with every copy-and-truncate rotation.
   */
  trim(owner: LogOwner, logSizeBytes: number): Promise<void>
}

/** How often a followed log is looked at, in milliseconds. */
const followMs = 100
const chunkBytes = 64 * 1024

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size
  } catch {
    return 0
  }
}

const openOr = async (path: string): Promise<FileHandle | undefined> => {
  try {
    return await open(path, 'r')
  } catch {
    return undefined
  }
}

/** The bytes of a file from `fromBytes` to its end as it is now. */
async function* bytesOf(path: string, fromBytes: number): AsyncIterable<Uint8Array> {
  const file = await openOr(path)
  if (!file) return
  try {
    let at = fromBytes
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, at)
      if (bytesRead === 0) return
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

const readTail = async (path: string, bytes: number): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  for await (const part of bytesOf(path, Math.max(0, (await sizeOf(path)) - bytes))) parts.push(part)
  return Buffer.concat(parts)
}

export const createProcessLogs = (logsDir: string, clock: Clock): ProcessLogs => {
  const fileOf = ({ tenant, instance, container }: LogOwner) => join(logsDir, tenant, instance, `${container}.log`)

  async function* read(
    owner: LogOwner,
    { tailBytes, follow, signal }: { tailBytes: number; follow: boolean; signal?: AbortSignal },
  ): AsyncIterable<LogRecord> {
    const path = fileOf(owner)
    const newBytes = await sizeOf(path)
    if (tailBytes > newBytes) {
      const older = await readTail(`${path}.1`, tailBytes - newBytes)
      if (older.length > 0) yield { bytes: older }
    }
    let at = Math.max(0, newBytes - tailBytes)
    for (;;) {
      if (signal?.aborted) return
      // Shorter than it was: it was cut, and what is there now is new.
      if ((await sizeOf(path)) < at) at = 0
      for await (const bytes of bytesOf(path, at)) {
        at += bytes.length
        yield { bytes }
      }
      if (!follow) return
      await sleep(clock, followMs, signal)
    }
  }

  return {
    pathFor: async (owner) => {
      await mkdir(dirname(fileOf(owner)), { recursive: true, mode: 0o700 })
      return fileOf(owner)
    },
    read,
    trim: async (owner, logSizeBytes) => {
      const path = fileOf(owner)
      const halfBytes = Math.floor(logSizeBytes / 2)
      if ((await sizeOf(path)) <= halfBytes) return
      await writeFile(`${path}.1.new`, await readTail(path, halfBytes), { mode: 0o600 })
      await rename(`${path}.1.new`, `${path}.1`)
      await truncate(path, 0)
    },
  }
}
