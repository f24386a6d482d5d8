import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { pipe } from 'it-pipe'
import { errorText, type Random, randomHex, SkerryError } from '../../base/index.ts'
import { atMost, chunked, hashedInto, maxBlobBytes } from './blob-chunks.ts'
import { type BlobFiles, type BlobWriter, createBlobFiles } from './blob-files.ts'
import { createStateFile, type StateFile } from './state-file.ts'

/** Image archives kept by the sha256 of their bytes: what those need who know no other blobs. */
export interface ArchiveStore {
  /** Path of a blob held here, or undefined. */
  pathOf(blob: string): string | undefined
  /**
   * Keeps the bytes; returns their name once they are on disk.
   * @param expected the name they must have, when they come from a peer
   * @throws {SkerryError} `digest-mismatch`, `disk-full`, `write-failed`, `too-large`; nothing is kept under its name
   */
  keep(bytes: AsyncIterable<Uint8Array>, expected?: string): Promise<KeptBlob>
  /** Forgets a blob; harmless when it is not held. */
  drop(blob: string): void
  /** Names of the blobs held, sorted. */
  names(): readonly string[]
  /** Bytes of a blob in chunks of at most 256 KiB; undefined when it is not held. */
  read(blob: string): AsyncIterable<Uint8Array> | undefined
}

export interface KeptBlob {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly archive: string
  readonly path: string
  readonly sizeBytes: number
}

/** Immutable bytes by their name `sha256:<hex>` (docs/adr/0028-blobs.md). Names that are none are never held. */
export interface BlobStore extends ArchiveStore {
  sizeOf(blob: string): number | undefined
  /**
   * As `ArchiveStore.keep`. Where a name is expected, what arrives before a source fails stays here, also over a restart,
   * and a later call goes on at its end. Bytes of another name are dropped; so is what found the disk full.
   * @param from the offset of the first byte handed in: 0, or `partialBytes`. @default 0
   * @throws {SkerryError} also `wrong-offset` when nothing that ends there is here, `invalid-id` for no name; the source's own
   */
  keep(bytes: AsyncIterable<Uint8Array>, expected?: string, options?: { readonly from?: number }): Promise<KeptBlob>
  /** How much of a blob an earlier transfer left here. 0 when nothing. */
  partialBytes(blob: string): number
  /** False when it is pinned, and so still held. */
  drop(blob: string): boolean
  /**
   * Read from its beginning to its end, it is checked: one that the disk spoiled is forgotten, so that it is fetched again.
   * The iteration throws {SkerryError} `damaged-blob`.
   */
  read(blob: string, options?: { readonly offset?: number }): AsyncIterable<Uint8Array> | undefined
  /**
   * Keeps blobs from being dropped until `unpin(by)`; on disk when it returns. What is pinned already by the same stays so.
   * @throws {SkerryError} `not-held` for one that is not here: nothing is pinned
   */
  pin(blobs: string | readonly string[], by: string): void
  unpin(by: string): void
  /** Who pinned what, both sorted. */
  pins(): ReadonlyMap<string, readonly string[]>
}

/** Bounds of what broken transfers leave behind; the longest untouched go first. */
export interface BlobLimits {
  /** @default 8 */
  readonly partials?: number
  /** Of all of them, in bytes. @default 16 GiB, so that the largest blob can be resumed */
  readonly partialBytes?: number
}

export type Pins = Readonly<Record<string, readonly string[]>>

export interface BlobStoreOptions {
  readonly files: BlobFiles
  readonly pinsFile: StateFile<Pins>
  readonly random: Random
  readonly limits?: BlobLimits
}

const hexOf = (blob: string): string | undefined => /^sha256:([0-9a-f]{64})$/.exec(blob)?.[1]
const partialOf = (hex: string) => `partial-${hex}`
const partialPattern = /^partial-[0-9a-f]{64}$/

const storageError = (error: unknown): SkerryError => {
  if (error instanceof SkerryError) return error
  const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
  return new SkerryError(
    full ? 'disk-full' : 'write-failed',
    `cannot keep the archive: ${full ? 'the disk is full; free some space and try again' : errorText(error)}`,
    { cause: error },
  )
}

const refuseStorage = (error: unknown): never => {
  throw storageError(error)
}

/** Puts every chunk at the end of the file, one after the other. */
const writeTo =
  (writer: BlobWriter) =>
  async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of source) await writer.write(chunk).catch(refuseStorage)
  }

/** A blob store over any folder. What an earlier life left there is sorted out before it is used. */
export const createBlobStoreOver = ({ files, pinsFile, random, limits = {} }: BlobStoreOptions): BlobStore => {
  const busy = new Set<string>()
  let pinned: Pins = pinsFile.load() ?? {}

  const tidyPartials = (mostFiles: number) => {
    const idle = files
      .list()
      .filter(({ name }) => partialPattern.test(name) && !busy.has(name))
      .toSorted((a, b) => b.changed - a.changed || (a.name < b.name ? -1 : 1))
    let sizeBytes = 0
    for (const [at, { name, sizeBytes: own }] of idle.entries()) {
      sizeBytes += own
      if (at >= mostFiles || sizeBytes > (limits.partialBytes ?? maxBlobBytes)) files.remove(name)
    }
  }
  const mostPartials = limits.partials ?? 8

  for (const { name } of files.list()) {
    // What an earlier life did not finish was never acknowledged, and without a name nobody can go on with it.
    if (name.startsWith('incoming-')) files.remove(name)
    // Earlier releases held nothing but archives.
    const archive = /^([0-9a-f]{64})\.tar$/.exec(name)?.[1]
    if (archive !== undefined) files.rename(name, archive)
  }
  tidyPartials(mostPartials)

  const held = (blob: string): string | undefined => {
    const hex = hexOf(blob)
    return hex !== undefined && files.sizeOf(hex) !== undefined ? hex : undefined
  }

  /** What is kept of the blob's beginning, into the hash. */
  const hashOf = async (name: string, sizeBytes: number) => {
    const hash = createHash('sha256')
    if (sizeBytes > 0) for await (const chunk of files.read(name, 0)) hash.update(chunk)
    return hash
  }

  const write = async (name: string, bytes: AsyncIterable<Uint8Array>, from: number): Promise<string> => {
    if (from === 0) files.remove(name)
    const hash = await hashOf(name, from).catch(refuseStorage)
    const writer = await files.append(name).catch(refuseStorage)
    try {
      await pipe(bytes, atMost(maxBlobBytes - from), chunked, hashedInto(hash), writeTo(writer))
      await writer.sync().catch(refuseStorage)
    } finally {
      await writer.close()
    }
    return hash.digest('hex')
  }

  /** Broken off by its source, it can be gone on with; anything else would only fail the same way again. */
  const isWorthKeeping = (error: unknown) =>
    !(
      error instanceof SkerryError && ['digest-mismatch', 'too-large', 'disk-full', 'write-failed'].includes(error.code)
    )

  const keepAs = async (
    name: string,
    bytes: AsyncIterable<Uint8Array>,
    from: number,
    expected: string | undefined,
  ): Promise<KeptBlob> => {
    busy.add(name)
    try {
      const hex = await write(name, bytes, from)
      const archive = `sha256:${hex}`
      if (expected !== undefined && archive !== expected)
        throw new SkerryError(
          'digest-mismatch',
          `the archive ${expected} arrived damaged (${archive}); it is asked for again`,
        )
      try {
        files.rename(name, hex)
      } catch (error) {
        throw storageError(error)
      }
      return { archive, path: files.pathOf(hex), sizeBytes: files.sizeOf(hex) ?? 0 }
    } catch (error) {
      if (!partialPattern.test(name) || !isWorthKeeping(error)) files.remove(name)
      throw error
    } finally {
      busy.delete(name)
      tidyPartials(mostPartials)
    }
  }

  /** Hands bytes on and compares them with their name; see `BlobStore.read`. */
  const checked = (hex: string) =>
    async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      const hash = createHash('sha256')
      yield* hashedInto(hash)(source)
      if (hash.digest('hex') === hex) return
      files.remove(hex)
      throw new SkerryError('damaged-blob', `the disk spoiled the blob sha256:${hex}: it has to be fetched again`)
    }

  const pinnedBy = (blob: string): readonly string[] => (Object.hasOwn(pinned, blob) ? (pinned[blob] ?? []) : [])
  const savePins = (next: Pins) => {
    pinsFile.save(next)
    pinned = next
  }

  return {
    pathOf: (blob) => {
      const hex = held(blob)
      return hex === undefined ? undefined : files.pathOf(hex)
    },
    sizeOf: (blob) => {
      const hex = held(blob)
      return hex === undefined ? undefined : files.sizeOf(hex)
    },
    names: () =>
      files
        .list()
        .filter(({ name }) => /^[0-9a-f]{64}$/.test(name))
        .map(({ name }) => `sha256:${name}`)
        .toSorted(),
    partialBytes: (blob) => {
      const hex = hexOf(blob)
      return hex === undefined || busy.has(partialOf(hex)) ? 0 : (files.sizeOf(partialOf(hex)) ?? 0)
    },
    keep: async (bytes, expected, { from = 0 } = {}) => {
      const own = () => `incoming-${randomHex(random, 8)}`
      if (expected === undefined && from === 0) return keepAs(own(), bytes, 0, undefined)
      const hex = hexOf(expected ?? '')
      if (hex === undefined)
        throw new SkerryError(
          'invalid-id',
          `${JSON.stringify((expected ?? '').slice(0, 80))} is not the name of a blob`,
        )
      const name = partialOf(hex)
      const isTaken = busy.has(name)
      if (from !== 0 && (isTaken || files.sizeOf(name) !== from))
        throw new SkerryError('wrong-offset', `cannot go on with ${expected} at ${from}: nothing here ends there`)
      // Two at once are harmless: the second begins for itself, and one name comes of both.
      if (isTaken) return keepAs(own(), bytes, 0, expected)
      busy.add(name)
      tidyPartials(mostPartials - 1)
      return keepAs(name, bytes, from, expected)
    },
    read: (blob, { offset = 0 } = {}) => {
      const hex = held(blob)
      if (hex === undefined) return undefined
      return offset > 0 ? files.read(hex, offset) : pipe(files.read(hex, 0), checked(hex))
    },
    drop: (blob) => {
      if (pinnedBy(blob).length > 0) return false
      const hex = held(blob)
      if (hex !== undefined) files.remove(hex)
      return true
    },
    pin: (blobs, by) => {
      const all = typeof blobs === 'string' ? [blobs] : blobs
      const missing = all.find((blob) => held(blob) === undefined)
      if (missing !== undefined) throw new SkerryError('not-held', `cannot pin ${missing}: it is not held here`)
      const added = all.filter((blob) => !pinnedBy(blob).includes(by))
      if (added.length === 0) return
      savePins({
        ...pinned,
        ...Object.fromEntries(added.map((blob) => [blob, [...pinnedBy(blob), by].toSorted()])),
      })
    },
    unpin: (by) => {
      if (!Object.values(pinned).some((holders) => holders.includes(by))) return
      const left = Object.entries(pinned).map(([blob, holders]) => [blob, holders.filter((one) => one !== by)] as const)
      savePins(Object.fromEntries(left.filter(([, holders]) => holders.length > 0)))
    },
    pins: () => new Map(Object.entries(pinned).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** A blob store in a folder of this machine. One process has it open. */
export const createBlobStore = (folder: string, random: Random, limits: BlobLimits = {}): BlobStore =>
  createBlobStoreOver({
    files: createBlobFiles(folder),
    pinsFile: createStateFile<Pins>(join(folder, 'pins.json')),
    random,
    limits,
  })
