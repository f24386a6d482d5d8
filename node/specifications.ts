import { readWhole } from './blob-bytes.ts'
import type { BlobStore } from './powers/index.ts'
import { type Hash, readSpecification, type Specification } from './services/deployments/index.ts'

/** Specifications kept parsed: as many as a busy site has applications. */
const keptParsed = 256
/** Specifications whose bytes are kept for children that ask for them at one time, and how long one may be. */
const keptWhole = 16
const keptWholeBytes = 64 * 1024

/** Specifications by revision, out of the blobs held here. */
export interface Specifications {
  /** Undefined when it is not held here, or what is held is not it. */
  read(revision: string): Promise<Specification | undefined>
  /** As it is held; undefined when it is not. */
  bytes(revision: string): Promise<Uint8Array | undefined>
}

/** Puts it last, and lets the first go when there are too many. */
const keepIn = <Value>(kept: Map<string, Value>, most: number, key: string, value: Value): void => {
  const oldest = kept.size >= most ? kept.keys().next().value : undefined
  if (oldest !== undefined) kept.delete(oldest)
  kept.set(key, value)
}

export const createSpecifications = (blobs: BlobStore, hash: Hash): Specifications => {
  const parsed = new Map<string, Specification>()
  const whole = new Map<string, Uint8Array>()
  return {
    read: async (revision) => {
      const known = parsed.get(revision)
      if (known !== undefined) return known
      const bytes = await readWhole(blobs, `sha256:${revision}`)
      const read = bytes && readSpecification(bytes, revision, hash)
      if (!read?.ok) return undefined
      const { application, images } = read
      keepIn(parsed, keptParsed, revision, { application, images })
      return { application, images }
    },
    bytes: async (revision) => {
      const known = whole.get(revision)
      if (known !== undefined) return known
      const bytes = await readWhole(blobs, `sha256:${revision}`)
      if (bytes !== undefined && bytes.length <= keptWholeBytes) keepIn(whole, keptWhole, revision, bytes)
      return bytes
    },
  }
}
