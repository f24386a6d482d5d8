import type { BlobStore } from './powers/index.ts'
import { type Hash, readSpecification, type Specification } from './services/deployments/index.ts'

/** Specifications kept parsed: as many as a busy site has applications. */
const keptParsed = 256

/** Specifications by revision, out of the blobs held here. */
export interface Specifications {
  /** Undefined when it is not held here, or what is held is not it. */
  read(revision: string): Promise<Specification | undefined>
}

const bytesOf = async (chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

export const createSpecifications = (blobs: BlobStore, hash: Hash): Specifications => {
  const parsed = new Map<string, Specification>()
  return {
    read: async (revision) => {
      const known = parsed.get(revision)
      if (known !== undefined) return known
      const chunks = blobs.read(`sha256:${revision}`)
      if (chunks === undefined) return undefined
      const read = readSpecification(await bytesOf(chunks), revision, hash)
      if (!read.ok) return undefined
      const oldest = parsed.size >= keptParsed ? parsed.keys().next().value : undefined
      if (oldest !== undefined) parsed.delete(oldest)
      const { application, images } = read
      parsed.set(revision, { application, images })
      return { application, images }
    },
  }
}
