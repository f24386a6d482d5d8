import {
  closeSync,
  createReadStream,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { blobChunkBytes } from './blob-chunks.ts'

export interface BlobFile {
  readonly name: string
  readonly sizeBytes: number
  /** Orders files by when they were last written; milliseconds or a count. */
  readonly changed: number
}

/** A file open to be written at its end. */
export interface BlobWriter {
  write(chunk: Uint8Array): Promise<void>
  /** What was written survives a power cut when it resolves. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** One flat folder: all that a blob store needs of a disk. Errors are those of node:fs, with their codes. */
export interface BlobFiles {
  list(): readonly BlobFile[]
  /** Undefined when there is no such file. */
  sizeOf(name: string): number | undefined
  pathOf(name: string): string
  /** Opens the file at its end; makes it when it is not there. */
  append(name: string): Promise<BlobWriter>
  /** Bytes from an offset on, in chunks of at most 256 KiB. */
  read(name: string, offset: number): AsyncIterable<Uint8Array>
  /** Whole or not at all, over what has the name; survives a power cut when it returns. */
  rename(from: string, to: string): void
  /** Harmless when it is not there. May be back after a power cut. */
  remove(name: string): void
}

/** Files up to this are read in one go, in bytes: what a stream of files costs is ten times as much. */
const smallBytes = 64 * 1024

const readAtOnce = async function* (path: string, offset: number): AsyncGenerator<Uint8Array> {
  const bytes = readFileSync(path)
  if (offset < bytes.length) yield bytes.subarray(offset)
}

const streamOf = (path: string, offset: number): AsyncIterable<Uint8Array> =>
  createReadStream(path, { start: offset, highWaterMark: blobChunkBytes })

/** The files of a folder of this machine, for this user alone. */
export const createBlobFiles = (folder: string): BlobFiles => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const pathOf = (name: string) => join(folder, name)
  const statOf = (name: string) => statSync(pathOf(name), { throwIfNoEntry: false })
  const isSmall = (name: string) => (statOf(name)?.size ?? 0) <= smallBytes
  return {
    list: () =>
      readdirSync(folder).flatMap((name) => {
        const stat = statOf(name)
        return stat?.isFile() ? [{ name, sizeBytes: stat.size, changed: stat.mtimeMs }] : []
      }),
    sizeOf: (name) => statOf(name)?.size,
    pathOf,
    append: async (name) => {
      const file = await open(pathOf(name), 'a', 0o600)
      return { write: (chunk) => file.writeFile(chunk), sync: () => file.sync(), close: () => file.close() }
    },
    read: (name, offset) => (isSmall(name) ? readAtOnce(pathOf(name), offset) : streamOf(pathOf(name), offset)),
    rename: (from, to) => {
      renameSync(pathOf(from), pathOf(to))
      const at = openSync(folder, 'r')
      try {
        fsyncSync(at)
      } finally {
        closeSync(at)
      }
    },
    remove: (name) => rmSync(pathOf(name), { force: true }),
  }
}
