import { readWhole } from './blob-bytes.ts'
import type { BlobStore } from './powers/index.ts'
import { type Hash, readSpecification, type Specification } from './services/deployments/index.ts'

/** Specifications kept parsed: as many as a busy site has applications. */
const keptParsed = 256

/** Specifications by revision, out of the blobs held here. */
export interface Specifications {
  /** Undefined when it is not held here, or what is held is not it. */
  read(revision: string): Promise<Specification | undefined>
}

export const createSpecifications = (blobs: BlobStore, hash: Hash): Specifications => {
  const parsed = new Map<string, Specification>()
  return {
    read: async (revision) => {
      const known = parsed.get(revision)
      if (known !== undefined) return known
      const bytes = await readWhole(blobs, `sha256:${revision}`)
      const read = bytes && readSpecification(bytes, revision, hash)
      if (!read?.ok) return undefined
      const oldest = parsed.size >= keptParsed ? parsed.keys().next().value : undefined
      if (oldest !== undefined) parsed.delete(oldest)
      const { application, images } = read
      parsed.set(revision, { application, images })
      return { application, images }
    },
  }
}
