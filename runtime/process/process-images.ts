import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Random, randomHex } from '../../base/index.ts'
import type { ObservedImage } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import { type Archive, type ArchiveImage, extractLayers, openArchive } from '../oci/index.ts'
import { type ProcessPaths, readText, writeWhole } from './process-files.ts'

/** The label that says an image can run as an ordinary process, and with which arguments for Node. */
export const processLabel = 'skerry/process'

/** What is kept of an image. */
export interface StoredImage extends ObservedImage {
  readonly env: Readonly<Record<string, string>>
  /** Arguments for Node; paths are relative to the root of the image. */
  readonly args: readonly string[]
}

export interface ProcessImages {
  importArchive(path: string, signal?: AbortSignal): Promise<readonly ObservedImage[]>
  list(): Promise<readonly ObservedImage[]>
  find(name: string): Promise<StoredImage | undefined>
  remove(name: string): Promise<void>
  /** Where the image's files lie, shared by all its containers. */
  rootOf(digest: string): string
}

/** @throws {ContainersError} `bad-image` when the label is not a JSON list of strings. */
export const parseProcessLabel = (image: string, label: string): readonly string[] => {
  try {
    const args: unknown = JSON.parse(label)
    if (Array.isArray(args) && args.length > 0 && args.every((arg) => typeof arg === 'string')) return args
  } catch {
    // Falls through to the refusal.
  }
  throw new ContainersError(
    'bad-image',
    `cannot import ${image}: its label ${processLabel} is ${JSON.stringify(label)}; use a JSON list like ["app/server.mjs"]`,
  )
}

const observedOf = ({ name, digest, sizeBytes, runsAsProcess }: StoredImage): ObservedImage => ({
  name,
  digest,
  sizeBytes,
  runsAsProcess,
})

const describeImage = ({ name, digest, config, layers, manifest }: ArchiveImage): StoredImage => {
  const label = config.labels[processLabel]
  return {
    name,
    digest,
    sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, manifest.sizeBytes),
    runsAsProcess: label !== undefined,
    env: config.env,
    args: label === undefined ? [] : parseProcessLabel(name, label),
  }
}

export const createProcessImages = (paths: ProcessPaths, random: Random): ProcessImages => {
  const rootOf = (digest: string) => join(paths.images, digest.replace(':', '-'))
  const nameFile = (name: string) => join(paths.names, `${encodeURIComponent(name)}.json`)

  /** Unpacks beside, then renames: the root is there whole or not at all. */
  const unpack = async (archive: Archive, image: ArchiveImage): Promise<void> => {
    const scratch = join(paths.scratch, randomHex(random, 8))
    try {
      await extractLayers(archive, image, scratch)
      await rename(scratch, rootOf(image.digest)).catch((error: NodeJS.ErrnoException) => {
        // Somebody else brought the same bytes.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      })
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }

  const find = async (name: string) => {
    const text = await readText(nameFile(name))
    return text === undefined ? undefined : (JSON.parse(text) as StoredImage)
  }

  const all = async (): Promise<readonly StoredImage[]> => {
    const files = (await readdir(paths.names)).filter((file) => file.endsWith('.json')).toSorted()
    const found = await Promise.all(files.map((file) => find(decodeURIComponent(file.slice(0, -'.json'.length)))))
    return found.filter((image) => image !== undefined)
  }

  return {
    importArchive: async (path, signal) => {
      const archive = await openArchive(path, signal ? { signal } : {})
      try {
        const stored = archive.images.map((image) => ({ image, kept: describeImage(image) }))
        // An image that cannot run here is known by name only: status can say why, and no disk is spent on it.
        for (const { image, kept } of stored) if (kept.runsAsProcess) await unpack(archive, image)
        for (const { kept } of stored) await writeWhole(nameFile(kept.name), JSON.stringify(kept))
        return stored.map(({ kept }) => observedOf(kept))
      } finally {
        await archive.close()
      }
    },
    list: async () => (await all()).map(observedOf),
    find,
    remove: async (name) => {
      const image = await find(name)
      await rm(nameFile(name), { force: true })
      if (image && !(await all()).some(({ digest }) => digest === image.digest))
        await rm(rootOf(image.digest), { recursive: true, force: true })
    },
    rootOf,
  }
}
