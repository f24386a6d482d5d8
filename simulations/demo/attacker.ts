import { type ScopePath, SkerryError, silentLog } from '../../base/index.ts'
import { createDocuments, createReplicator, type Documents, type LaneName } from '../../crdt/index.ts'
import { encodeMessage } from '../../crdt/replication/index.ts'
import type { MeshStream } from '../../mesh/index.ts'
import { createLibp2pMesh } from '../../mesh/libp2p/index.ts'
import { createDownlinks } from '../../node/links/index.ts'
import { systemClock, systemRandom } from '../../node/powers/index.ts'
import { createMembership, expectedBelow } from '../../node/services/membership/index.ts'
import type { StolenDisk } from './stolen-disk.ts'

/** What a thief serves of what its lies lead to. */
export interface Loot {
  /** Bytes of signed records, by id. */
  readonly versions: Map<string, Uint8Array>
  /** Bytes by `sha256:` and 64 hexadecimal digits. */
  readonly blobs: Map<string, Uint8Array>
}

/** A thief that stands where an aggregator stood, with its key, its disk and its address. */
export interface Attacker {
  readonly documents: Documents
  readonly loot: Loot
  /** Hosts below that took it for their parent and are linked now. */
  children(): readonly string[]
  /** Versions that hosts asked it for, in the order they did. */
  asked(): readonly string[]
  /** Brings envelopes to a host as those of a document. @throws {SkerryError} `not-shown` when it is not linked */
  bring(host: string, documentId: string, envelopes: readonly Uint8Array[]): Promise<void>
  stop(): Promise<void>
}

export interface AttackerOptions {
  readonly disk: StolenDisk
  readonly name: string
  readonly scope: ScopePath
  /** Where the real one listened. */
  readonly address: string
}

const scopeOf = (lane: LaneName): string | undefined => (lane.kind === 'tenant' ? undefined : lane.scope)

/**
 * Everything but its will is the product's own: it admits, replicates and answers as an aggregator does, so that what is
 * refused is refused for what it is.
 */
export const startAttacker = async ({ disk, name, scope, address }: AttackerOptions): Promise<Attacker> => {
  const { seed, signer, networkId, topology, store, book, powers } = disk
  const [clock, random, log] = [systemClock, systemRandom, silentLog]
  const documents = createDocuments({ store, networkId: () => networkId, powers, random, log })
  await documents.open()
  const membership = createMembership({
    self: { name, role: 'aggregator', scope, hostId: name, signer },
    networkId,
    expected: () => expectedBelow(topology, scope),
    trustedNowMs: () => undefined,
    book,
    documents,
    store,
    clock,
    random,
    powers,
    log,
  })
  const replicator = createReplicator({ documents, book, powers, clock, log })
  const mesh = createLibp2pMesh({ seed, prologue: Buffer.from(networkId, 'hex'), listen: [address], clock, log })
  const streams = new Map<string, MeshStream>()
  const loot: Loot = { versions: new Map(), blobs: new Map() }
  const asked: string[] = []

  const serveDocuments = (stream: MeshStream, key: string): Promise<void> => {
    const child = membership.memberOf(key)
    if (child === undefined) throw new SkerryError('not-shown', 'a stranger called')
    streams.set(child.name, stream)
    const isOfChild = (lane: LaneName) => scopeOf(lane) === child.scope
    const peer = { key, scope: child.scope, mayRead: isOfChild, mayBring: isOfChild, recordsFor: child.scope }
    return replicator.serve(stream, peer).done
  }
  const answerVersions = (question: unknown) => {
    const { ids } = question as { readonly ids: readonly string[] }
    asked.push(...ids)
    const records = ids.flatMap((id) => loot.versions.get(id) ?? book.version(id)?.bytes ?? [])
    return { head: { v: 1, records: records.map((bytes) => Buffer.from(bytes).toString('base64')) } }
  }
  const answerBlob = (question: unknown) => {
    const { digest, offset } = question as { readonly digest: string; readonly offset: number }
    const bytes = loot.blobs.get(digest)
    if (bytes === undefined) throw new SkerryError('not-held', 'nothing of that name')
    const body = async function* () {
      yield bytes.subarray(offset)
    }
    return { head: { v: 1, sizeBytes: bytes.length }, body: body() }
  }

  const downlinks = createDownlinks({
    mesh,
    clock,
    log,
    judge: async (hello, peerKey) => {
      const answer = await membership.judge(hello, peerKey)
      return { answer, child: answer.kind === 'admitted' ? { name: answer.self.name } : undefined }
    },
    onDocuments: serveDocuments,
    onReports: () => {},
    onQuestion: async (purpose, _peerKey, question) =>
      purpose === 'versions' ? answerVersions(question) : answerBlob(question),
    onChange: () => {},
  })

  const stop = async () => {
    await mesh.stop()
    await membership.stop()
    await documents.close()
  }
  try {
    await membership.start()
    await mesh.start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    documents,
    loot,
    children: () => downlinks.children().flatMap(({ peer, up }) => (up && streams.has(peer) ? [peer] : [])),
    asked: () => asked,
    bring: async (host, documentId, envelopes) => {
      const stream = streams.get(host)
      if (stream === undefined) throw new SkerryError('not-shown', `${host} is not linked to the thief`)
      await stream.send(encodeMessage({ kind: 'envelopes', documentId, envelopes }))
    },
    stop,
  }
}
