import { type ScopePath, SkerryError } from '../base/index.ts'
import type { Book, Documents } from '../crdt/index.ts'
import { parentOf } from '../topologies/index.ts'
import { once } from './blob-bytes.ts'
import { type BlobReference, type BlobServer, createBlobClient, createBlobServer } from './blobs.ts'
import { isOut } from './guards.ts'
import type { LinkAnswer } from './links/index.ts'
import type { NodePowers } from './node.ts'
import { createSpecificationCopies } from './own-copies.ts'
import type { Membership } from './services/membership/index.ts'
import { fetchVersions, type VersionTaker, versionsAtOnce } from './versions.ts'

export interface BlobExchangeOptions {
  readonly powers: NodePowers
  readonly scope: ScopePath
  readonly documents: Documents
  readonly book: Book
  readonly membership: Membership
  /** Transfers at one time. */
  readonly atOnce: number
  readonly ask: (purpose: 'versions' | 'blob', question: unknown, signal?: AbortSignal) => Promise<LinkAnswer>
  /** Asks other aggregators of this zone for what the parent did not have. @default there are none */
  readonly askEach?: (purpose: 'versions' | 'blob', question: unknown) => Promise<readonly LinkAnswer[]>
  /** Whether an entry that the child may read leads to the blob. */
  readonly mayHaveBlob: (child: string, digest: string) => boolean
}

export interface BlobExchange {
  readonly server: BlobServer
  /** @throws {SkerryError} that it cannot be had now */
  fetchBlob(digest: string, application: string, signal?: AbortSignal): Promise<void>
  fetchByReference(digest: string, reference: BlobReference, signal?: AbortSignal): Promise<void>
  fetchRecords(ids: readonly string[]): Promise<void>
}

/** What entries lead to, asked of the parent and given to children. */
export const createBlobExchange = (options: BlobExchangeOptions): BlobExchange => {
  const { powers, scope, documents, book, membership, ask } = options
  const { blobs: store, clock } = powers
  const log = powers.log.child('blobs')
  const parent = parentOf(scope)
  const client = createBlobClient({
    store,
    clock,
    log,
    ask: (question, signal) => ask('blob', question, signal),
    atOnce: options.atOnce,
  })

  /** The tenant and the intent lane by which this scope may ask for what an application needs. */
  const referenceFor = (application: string): BlobReference | undefined => {
    if (parent === undefined) return undefined
    for (const { id: tenant } of book.tenants()) {
      const document = documents.idOf({ kind: 'intent', scope, tenant, owner: parent })
      if (document !== undefined) return { tenant, document, application }
    }
    return undefined
  }
  const fetchByReference: BlobExchange['fetchByReference'] = async (digest, reference, signal) => {
    await client.fetch(digest, reference, signal)
  }
  const copies = createSpecificationCopies(powers.store, store)
  const fetchBlob: BlobExchange['fetchBlob'] = async (digest, application, signal) => {
    // What was configured here has a second copy, as it may be had nowhere else.
    if (await copies.restore(digest)) return
    const reference = referenceFor(application)
    if (reference === undefined)
      throw new SkerryError('not-held', `nothing here may be asked for by application ${application}`)
    await fetchByReference(digest, reference, signal)
  }

  const taker: VersionTaker = {
    book,
    hash: powers.authority.hash,
    log,
    keepSpecification: async (revision, bytes) => {
      await store.keep(once(bytes), `sha256:${revision}`)
    },
  }

  return {
    server: createBlobServer({
      store,
      log,
      mayHave: (peerKey, { digest, reference }) => {
        if (isOut(powers.guards, 'links', 'blob-named')) return true
        const child = membership.memberOf(peerKey)?.scope
        const lane = documents.epochOf(reference.document)?.lane
        if (child === undefined || lane?.kind !== 'intent' || lane.scope !== child) return false
        return options.mayHaveBlob(child, digest)
      },
      fetchUp: ({ digest, reference }, signal) => fetchBlob(digest, reference.application, signal),
    }),
    fetchBlob,
    fetchByReference,
    fetchRecords: async (ids) => {
      const failure = await fetchVersions(ids, taker, (question) => ask('versions', question)).then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      const lacking = ids.filter((id) => book.version(id) === undefined)
      const { askEach } = options
      if (lacking.length > 0 && askEach !== undefined)
        for (const answer of await askEach('versions', { v: 1, ids: lacking.slice(0, versionsAtOnce) }))
          await fetchVersions(lacking.slice(0, versionsAtOnce), taker, async () => answer)
      if (failure !== undefined && ids.some((id) => book.version(id) === undefined)) throw failure.error
    },
  }
}
