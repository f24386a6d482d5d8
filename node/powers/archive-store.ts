import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, type Random, randomHex, SkerryError } from '../../base/index.ts'

/** OCI archives kept by the sha256 of their bytes. */
export interface ArchiveStore {
  /** Path of an archive held here, or undefined. */
  pathOf(archive: string): string | undefined
  /**
   * Keeps the bytes; returns their name once they are on disk.
   * @param expected the name they must have, when they come from a peer
   * @throws {SkerryError} `digest-mismatch`, `disk-full`, `write-failed`, `too-large`; nothing is kept.
   */
  keep(
    bytes: AsyncIterable<Uint8Array>,
    expected?: string,
  ): Promise<{ archive: string; path: string; sizeBytes: number }>
  /** Forgets an archive; harmless when it is not held. */
  drop(archive: string): void
  /** Names of the archives held. */
  names(): readonly string[]
  /** Bytes of an archive in chunks of at most 256 KiB. */
  read(archive: string): AsyncIterable<Uint8Array> | undefined
}

/** Larger than any image a small site can hold; a bound so that a peer cannot fill the disk with one stream. */
const maxArchiveBytes = 16 * 2 ** 30

export const createArchiveStore = (folder: string, random: Random): ArchiveStore => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // What an earlier life did not finish was never acknowledged.
  for (const name of readdirSync(folder)) if (name.startsWith('incoming-')) rmSync(join(folder, name), { force: true })
  const fileOf = (archive: string) => join(folder, `${archive.replace(/^sha256:/, '')}.tar`)
  const held = (archive: string) => /^sha256:[0-9a-f]{64}$/.test(archive) && existsSync(fileOf(archive))
  return {
    pathOf: (archive) => (held(archive) ? fileOf(archive) : undefined),
    drop: (archive) => {
      if (held(archive)) rmSync(fileOf(archive), { force: true })
    },
    names: () =>
      readdirSync(folder)
        .filter((name) => /^[0-9a-f]{64}\.tar$/.test(name))
        .map((name) => `sha256:${name.slice(0, 64)}`),
    read: (archive) => (held(archive) ? createReadStream(fileOf(archive), { highWaterMark: 256 * 1024 }) : undefined),
    keep: async (bytes, expected) => {
      const incoming = join(folder, `incoming-${randomHex(random, 8)}`)
      const hash = createHash('sha256')
      try {
        const file = await open(incoming, 'wx', 0o600)
        try {
          let sizeBytes = 0
          for await (const chunk of bytes) {
            sizeBytes += chunk.length
            if (sizeBytes > maxArchiveBytes)
              throw new SkerryError('too-large', 'refused an archive of more than 16 GiB')
            hash.update(chunk)
            await file.writeFile(chunk)
          }
          await file.sync()
        } finally {
          await file.close()
        }
        const archive = `sha256:${hash.digest('hex')}`
        if (expected !== undefined && archive !== expected)
          throw new SkerryError(
            'digest-mismatch',
            `the archive ${expected} arrived damaged (${archive}); it is asked for again`,
          )
        renameSync(incoming, fileOf(archive))
        const at = openSync(folder, 'r')
        fsyncSync(at)
        closeSync(at)
        return { archive, path: fileOf(archive), sizeBytes: statSync(fileOf(archive)).size }
      } catch (error) {
        rmSync(incoming, { force: true })
        if (error instanceof SkerryError) throw error
        const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
        throw new SkerryError(
          full ? 'disk-full' : 'write-failed',
          `cannot keep the archive in ${folder}: ${full ? 'the disk is full; free some space and try again' : errorText(error)}`,
          { cause: error },
        )
      }
    },
  }
}
