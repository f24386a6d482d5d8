import type { BlobStore } from './powers/index.ts'

/** A whole blob in memory: for specifications, never for images. @returns undefined when it is not held here */
export const readWhole = async (blobs: BlobStore, digest: string): Promise<Uint8Array | undefined> => {
  const chunks = blobs.read(digest)
  if (chunks === undefined) return undefined
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

/** Bytes as a stream of one piece. */
export const once = async function* (bytes: Uint8Array) {
  yield bytes
}

/** Where a configuration keeps its specifications: as blobs that no cleaning up takes away. */
export const specificationBlobs = (blobs: BlobStore) => ({
  put: async (bytes: Uint8Array): Promise<string> => {
    const { archive } = await blobs.keep(once(bytes))
    blobs.pin(archive, `configuration ${archive}`)
    return archive
  },
  get: (revision: string): Promise<Uint8Array | undefined> => readWhole(blobs, `sha256:${revision}`),
})
