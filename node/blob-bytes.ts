import { SkerryError } from '../base/index.ts'
import type { SpecificationCopies } from './own-copies.ts'
import type { BlobStore } from './powers/index.ts'

/** A whole blob in memory: for specifications, never for images. @returns undefined when it is not held here whole */
export const readWhole = async (blobs: BlobStore, digest: string): Promise<Uint8Array | undefined> => {
  const chunks = blobs.read(digest)
  if (chunks === undefined) return undefined
  const parts: Uint8Array[] = []
  try {
    for await (const chunk of chunks) parts.push(chunk)
  } catch (error) {
    if (error instanceof SkerryError && error.code === 'damaged-blob') return undefined
    throw error
  }
  return Buffer.concat(parts)
}

/** Bytes as a stream of one piece. */
export const once = async function* (bytes: Uint8Array) {
  yield bytes
}

/**
 * Where a configuration keeps its specifications: as blobs that no cleaning up takes away.
 * @param copies brings back one that the disk spoiled. @default nobody
 */
export const specificationBlobs = (blobs: BlobStore, copies?: SpecificationCopies) => ({
  put: async (bytes: Uint8Array): Promise<string> => {
    const { archive } = await blobs.keep(once(bytes))
    await copies?.put(archive, bytes)
    blobs.pin(archive, `configuration ${archive}`)
    return archive
  },
  get: async (revision: string): Promise<Uint8Array | undefined> => {
    const digest = `sha256:${revision}`
    const held = await readWhole(blobs, digest)
    if (held !== undefined || copies === undefined) {
      if (held !== undefined) await copies?.keep(digest, held)
      return held
    }
    return (await copies.restore(digest)) ? readWhole(blobs, digest) : undefined
  },
})
