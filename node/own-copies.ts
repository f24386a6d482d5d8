import { createTwiceKeptStore, type Store, StoreError } from '../crdt/index.ts'
import { once } from './blob-bytes.ts'
import type { NodeConfig } from './config.ts'
import type { NodePowers } from './node.ts'
import type { BlobStore } from './powers/index.ts'

/** Second copies of specifications in the store; the blob is the first. Of 4 MiB at most each. */
const specificationPrefix = 'specification/'
const specificationKey = (digest: string): string => `${specificationPrefix}${digest.replace(/^sha256:/, '')}`

/** What is made anew when it is spoiled, or is a copy itself. */
const isMadeAnew = (key: string): boolean => key.startsWith('told/') || key.startsWith(specificationPrefix)

/**
 * Whoever signs for others may be the only one to hold what it signed last, until they were told: towers and aggregators keep
 * their stores twice (docs/adr/0040-a-towers-own-copies.md).
 */
export const withCopies = (config: NodeConfig, powers: NodePowers): NodePowers => {
  if (config.role === 'edge') return powers
  const log = powers.log.child('store')
  return {
    ...powers,
    store: createTwiceKeptStore({
      store: powers.store,
      isKept: (key) => !isMadeAnew(key),
      onHealed: (key) =>
        log.warn('a value the disk spoiled was put back from its second copy: look at the disk', { key }),
    }),
  }
}

/** Specifications of a node's own configuration: as blobs, and once more in the store. */
export interface SpecificationCopies {
  /** On disk when it resolves. */
  put(digest: string, bytes: Uint8Array): Promise<void>
  /** Makes the copy of a whole specification where there is none that is whole: of a store of before. */
  keep(digest: string, bytes: Uint8Array): Promise<void>
  /** Makes the blob again from its copy; false when there is none that is whole. */
  restore(digest: string): Promise<boolean>
}

export const createSpecificationCopies = (
  store: Pick<Store, 'get' | 'write'>,
  blobs: BlobStore,
): SpecificationCopies => {
  const put: SpecificationCopies['put'] = (digest, bytes) =>
    store.write([{ kind: 'put', key: specificationKey(digest), value: bytes }], { sync: true })
  /** Undefined for one that is spoiled. */
  const read = (digest: string) =>
    store.get(specificationKey(digest)).catch((error: unknown) => {
      if (error instanceof StoreError && error.code === 'damaged-value') return undefined
      throw error
    })
  return {
    put,
    keep: async (digest, bytes) => {
      if ((await read(digest)) === undefined) await put(digest, bytes)
    },
    restore: async (digest) => {
      const bytes = await read(digest)
      if (bytes === undefined) return false
      await blobs.keep(once(bytes), digest)
      return true
    },
  }
}
