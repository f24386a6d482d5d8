import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { chmod, link, lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { PassThrough, Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import { errorText } from '../../base/index.ts'
import { ContainersError } from '../containers-error.ts'
import type { Archive, ArchiveImage, Blob } from './archive-file.ts'
import { layerCompression } from './image-documents.ts'

/** Bounds of what one image may unpack to. */
export interface ExtractBounds {
  /** @default 4 GiB, in bytes */
  readonly maxBytes?: number
  /** Files, directories and links. @default 200,000 */
  readonly maxEntries?: number
}

class Refused extends Error {}

/** Links followed while resolving one path, as Linux bounds it (path_resolution(7)). */
const maxLinks = 40

const stepsOf = (path: string): string[] => {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.')
  if (steps.includes('..') || path.includes('\0'))
    throw new Refused(`has a file ${JSON.stringify(path.slice(0, 120))}, which leads out of the image`)
  return steps
}

const exists = async (path: string) => lstat(path).catch(() => undefined)

/** Follows `steps` below `root`, links too, and never leaves it. @returns steps without a link in them. */
const resolveInside = async (root: string, steps: readonly string[]): Promise<string[]> => {
  let todo = [...steps]
  let done: string[] = []
  let links = 0
  while (todo.length > 0) {
    const step = todo.shift()!
    if (step === '' || step === '.') continue
    if (step === '..') {
      done = done.slice(0, -1)
      continue
    }
    const here = join(root, ...done, step)
    if (!(await exists(here))?.isSymbolicLink()) {
      done.push(step)
      continue
    }
    if (++links > maxLinks) throw new Refused(`has a circle of links at ${steps.join('/')}`)
    const target = await readlink(here)
    if (target.startsWith('/')) done = []
    todo = [...target.split('/'), ...todo]
  }
  return done
}

/** The text of a link that cannot lead out, wherever its parts lead: from a place `depth` directories below the root. */
const tameLink = (parent: readonly string[], target: string): string => {
  const absolute = posix.resolve('/', ...parent, target)
  // Lexical, from the true place of the link: `..` past the root ends at the root, as it would in a container.
  return posix.relative(posix.join('/', ...parent), absolute) || '.'
}

interface Layer {
  readonly root: string
  /** What this layer made, so that an opaque directory hides only what came from below. */
  readonly made: Set<string>
  spend(bytes: number): void
}

const openParent = async ({ root }: Layer, steps: readonly string[]): Promise<string[]> => {
  const parent = await resolveInside(root, steps.slice(0, -1))
  await mkdir(join(root, ...parent), { recursive: true })
  return parent
}

const hideBelow = async ({ root, made }: Layer, directory: readonly string[]): Promise<void> => {
  for (const name of await readdir(join(root, ...directory)).catch(() => []))
    if (!made.has([...directory, name].join('/'))) await rm(join(root, ...directory, name), { recursive: true })
}

const hideOne = async ({ root }: Layer, directory: readonly string[], name: string): Promise<void> => {
  if (['', '.', '..'].includes(name))
    throw new Refused(`takes away ${JSON.stringify(name)}, which leads out of the image`)
  await rm(join(root, ...directory, name), { recursive: true, force: true })
}

const writeFile = async (
  layer: Layer,
  path: string,
  mode: number,
  content: AsyncIterable<Uint8Array>,
): Promise<void> => {
  const metered = new Transform({
    transform: (piece: Buffer, _encoding, done) => {
      try {
        layer.spend(piece.length)
        done(null, piece)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  await pipeline(Readable.from(content), metered, createWriteStream(path, { flags: 'wx', mode }))
  await chmod(path, mode)
}

const place = async (layer: Layer, header: Header, content: AsyncIterable<Uint8Array>): Promise<void> => {
  const { root, made } = layer
  const steps = stepsOf(header.name)
  const name = steps.at(-1)
  if (name === undefined) return
  const parent = await openParent(layer, steps)
  if (name === '.wh..wh..opq') return hideBelow(layer, parent)
  if (name.startsWith('.wh.')) return hideOne(layer, parent, name.slice('.wh.'.length))
  const path = join(root, ...parent, name)
  made.add([...parent, name].join('/'))
  const there = await exists(path)
  // Bits that give rights (set-uid and the like) are dropped: nothing here runs as another user.
  const mode = (header.mode ?? 0o644) & 0o777
  if (header.type === 'directory') {
    if (there && !there.isDirectory()) await rm(path)
    await mkdir(path, { recursive: true })
    return chmod(path, mode | 0o700)
  }
  if (there) await rm(path, { recursive: true })
  if (header.type === 'symlink') return symlink(tameLink(parent, header.linkname ?? ''), path)
  if (header.type === 'link') {
    const target = join(root, ...(await resolveInside(root, stepsOf(header.linkname ?? ''))))
    // A hard link to a link would move it to another depth, where it could lead out.
    if (!(await exists(target))?.isFile()) throw new Refused(`has a link ${header.name} to a file it does not hold`)
    return link(target, path)
  }
  if (header.type === 'file' || header.type === 'contiguous-file') return writeFile(layer, path, mode | 0o600, content)
}

const decompressor = (mediaType: string) =>
  layerCompression[mediaType] === 'gzip'
    ? createGunzip()
    : layerCompression[mediaType] === 'zstd'
      ? createZstdDecompress()
      : new PassThrough()

const extractLayer = async (archive: Archive, blob: Blob, diffId: string, layer: Layer): Promise<void> => {
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform: (piece: Buffer, _encoding, done) => {
      hash.update(piece)
      done(null, piece)
    },
  })
  const tar = extract()
  const reading = pipeline(Readable.from(archive.blob(blob.digest)), decompressor(blob.mediaType), hashing, tar)
  const placing = (async () => {
    for await (const entry of tar) {
      layer.spend(0)
      await place(layer, entry.header, entry as AsyncIterable<Uint8Array>)
      entry.resume()
    }
  })()
  const [read, placed] = await Promise.allSettled([
    reading,
    placing.catch((error) => {
      tar.destroy(error)
      throw error
    }),
  ])
  if (placed.status === 'rejected') throw placed.reason
  if (read.status === 'rejected') throw read.reason
  if (`sha256:${hash.digest('hex')}` !== diffId) throw new Refused(`has a layer that does not unpack to ${diffId}`)
}

/**
 * Unpacks an image into `directory`, which is made when absent and should be empty. Nothing is written outside of it
 * and no link in it leads out. Devices, owners and set-uid bits are left out. On failure the directory holds a part of
 * the image: remove it.
 * @throws {ContainersError} `bad-image` when a layer is malformed, does not match its digests, tries to escape or is
 * larger than `bounds`; `disk-full`.
 */
export const extractLayers = async (
  archive: Archive,
  image: ArchiveImage,
  directory: string,
  bounds: ExtractBounds = {},
): Promise<void> => {
  const { maxBytes = 4 * 1024 ** 3, maxEntries = 200_000 } = bounds
  let bytes = 0
  let entries = 0
  const spend = (more: number) => {
    bytes += more
    if (more === 0) entries++
    if (bytes > maxBytes) throw new Refused(`unpacks to more than ${maxBytes} bytes`)
    if (entries > maxEntries) throw new Refused(`unpacks to more than ${maxEntries} files`)
  }
  await mkdir(directory, { recursive: true })
  try {
    for (const [at, blob] of image.layers.entries())
      await extractLayer(archive, blob, image.config.diffIds[at] ?? '', { root: directory, made: new Set(), spend })
  } catch (error) {
    if (error instanceof ContainersError) throw error
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
    throw new ContainersError(
      full ? 'disk-full' : 'bad-image',
      `cannot unpack image ${image.name}: it ${error instanceof Refused ? error.message : `failed: ${errorText(error)}`}`,
      { cause: error },
    )
  }
}
