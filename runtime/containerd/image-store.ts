import { createHash } from 'node:crypto'
import { errorText, type Random, randomHex } from '../../base/index.ts'
import type { ObservedImage } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import {
  type Archive,
  type ArchiveImage,
  type Blob,
  configDocument,
  type ImageConfig,
  imageConfig,
  manifestDocument,
  openArchive,
} from '../oci/index.ts'
import type { BlobDescriptor, ImageRecord, Labels, WriteRequest } from './containerd-calls.ts'
import { type ContainerdClient, isKind, unless } from './containerd-client.ts'
import { imageLabels, nodeFilter } from './labels.ts'

/** An image that is unpacked: what to run and the file system to run it on. */
export interface ReadyImage {
  readonly name: string
  readonly digest: string
  readonly config: ImageConfig
  /** The committed snapshot of its uppermost layer; empty for an image without layers. */
  readonly chainId: string
}

/** What an import needs to know of the engine it talks to. */
export interface ImageStoreOptions {
  readonly client: ContainerdClient
  readonly node: string
  readonly namespace: string
  readonly snapshotter: string
  readonly random: Random
}

const chunkBytes = 1024 * 1024
/** The namespace is this node's alone; the prefix tells ours from what a person may hold by hand. */
const leasePrefix = 'skerry-import-'
/** Names of snapshots: the digest of a layer and all below it (OCI image specification, "Layer ChainID"). */
export const chainIds = (diffIds: readonly string[]): readonly string[] => {
  const chain: string[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(
      below === undefined ? diffId : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    )
  }
  return chain
}

const descriptorOf = ({ mediaType, digest, sizeBytes }: Blob): BlobDescriptor => ({
  mediaType,
  digest,
  size: sizeBytes,
})

export const createImageStore = ({ client, node, namespace, snapshotter, random }: ImageStoreOptions) => {
  /** By manifest digest, which never changes what it stands for. */
  const known = new Map<string, Omit<ReadyImage, 'name'>>()

  const leases = new Set<string>()
  // Without an end by the clock: one that is set right in the middle of an import would end the lease at once.
  const withLease = async <T>(work: (lease: string) => Promise<T>): Promise<T> => {
    const lease = `${leasePrefix}${randomHex(random, 8)}`
    leases.add(lease)
    await client.call('leases.create', { id: lease, labels: {} }, { namespace })
    try {
      return await work(lease)
    } finally {
      await client.call('leases.delete', { id: lease }, { namespace }).catch(() => {})
      leases.delete(lease)
    }
  }
  /** Ends the leases of imports that an earlier life did not finish. */
  const endForgottenLeases = async (): Promise<void> => {
    const held = await client.call('leases.list', { filters: [] }, { namespace })
    for (const { id } of held.leases.filter((each) => each.id.startsWith(leasePrefix) && !leases.has(each.id)))
      await client.call('leases.delete', { id }, { namespace }).catch(unless('not-found'))
  }

  async function* writeRequests(bytes: AsyncIterable<Uint8Array>, blob: Blob, labels: Labels) {
    const base = { ref: `skerry-${randomHex(random, 8)}`, total: blob.sizeBytes, expected: blob.digest }
    let offset = 0
    let parts: Uint8Array[] = []
    const flush = (): WriteRequest => {
      const data = Buffer.concat(parts)
      const request = { ...base, action: 'WRITE', offset, data } as const
      offset += data.length
      parts = []
      return request
    }
    let waiting = 0
    for await (const piece of bytes) {
      parts.push(piece)
      waiting += piece.length
      if (waiting < chunkBytes) continue
      waiting = 0
      yield flush()
    }
    if (parts.length > 0) yield flush()
    yield { ...base, action: 'COMMIT', offset, labels } as const
  }

  const writeBlob = (archive: Archive, blob: Blob, lease: string, labels: Labels, signal?: AbortSignal) =>
    client
      .write(writeRequests(archive.blob(blob.digest), blob, labels), { namespace, lease, signal })
      .catch(unless('already-exists'))

  /** The collector keeps what these labels of a blob name, as long as the blob itself is kept. */
  const referenceLabels = (image: ArchiveImage): Labels =>
    Object.fromEntries(
      [image.configBlob, ...image.layers].map(({ digest }, at) => [`containerd.io/gc.ref.content.${at}`, digest]),
    )

  const unpackLayer = async (layer: Blob, diffId: string, parent: string, chainId: string, lease: string) => {
    const there = await client
      .call('snapshots.stat', { snapshotter, key: chainId }, { namespace })
      .catch(unless('not-found'))
    if (there) return
    const key = `extract-${randomHex(random, 8)}`
    const options = { namespace, lease }
    const { mounts } = await client.call('snapshots.prepare', { snapshotter, key, parent, labels: {} }, options)
    try {
      const diff = descriptorOf(layer)
      const { applied } = await client.call('diff.apply', { diff, mounts }, { ...options, timeoutMs: 600_000 })
      if (applied.digest !== diffId)
        throw new ContainersError('bad-image', `a layer unpacks to ${applied.digest} where ${diffId} is named`)
      await client.call('snapshots.commit', { snapshotter, name: chainId, key, labels: {} }, options)
    } catch (error) {
      await client.call('snapshots.remove', { snapshotter, key }, { namespace }).catch(() => {})
      if (!isKind(error, 'already-exists')) throw error
    }
  }

  /** Everything of the image but its name, which is what makes it seen. */
  const store = async (archive: Archive, image: ArchiveImage, lease: string, signal?: AbortSignal) => {
    const chain = chainIds(image.config.diffIds)
    const top = chain.at(-1)
    for (const layer of image.layers) await writeBlob(archive, layer, lease, {}, signal)
    for (const [at, layer] of image.layers.entries()) {
      signal?.throwIfAborted()
      await unpackLayer(layer, image.config.diffIds[at]!, chain[at - 1] ?? '', chain[at]!, lease)
    }
    const snapshotLabel: Labels = top === undefined ? {} : { [`containerd.io/gc.ref.snapshot.${snapshotter}`]: top }
    await writeBlob(archive, image.configBlob, lease, snapshotLabel, signal)
    await writeBlob(archive, image.manifest, lease, referenceLabels(image), signal)
    known.set(image.digest, { digest: image.digest, config: image.config, chainId: top ?? '' })
  }

  const recordName = async (image: ArchiveImage): Promise<ObservedImage> => {
    const sizeBytes = image.layers.reduce((sum, layer) => sum + layer.sizeBytes, image.configBlob.sizeBytes)
    const labels = imageLabels(node, sizeBytes, image.config.labels['skerry/process'] !== undefined)
    const record: ImageRecord = { name: image.name, labels, target: descriptorOf(image.manifest) }
    await client.call('images.create', { image: record }, { namespace }).catch(async (error: unknown) => {
      if (!isKind(error, 'already-exists')) throw error
      await client.call('images.update', { image: record }, { namespace })
    })
    return observedImage(record)
  }

  const importArchive = async (path: string, signal?: AbortSignal): Promise<readonly ObservedImage[]> => {
    const archive = await openArchive(path, signal ? { signal } : {})
    try {
      return await withLease(async (lease) => {
        for (const image of archive.images) await store(archive, image, lease, signal)
        return Promise.all(archive.images.map(recordName))
      })
    } finally {
      await archive.close()
    }
  }

  const readJson = async (digest: string): Promise<unknown> => {
    const pieces: Uint8Array[] = []
    for await (const { data } of client.stream('content.read', { digest, offset: 0, size: 0 }, { namespace }))
      pieces.push(data)
    return JSON.parse(Buffer.concat(pieces).toString('utf8'))
  }

  /** @throws {ContainersError} `image-missing` when the image, or a part of it, is not here. */
  const ready = async (name: string): Promise<ReadyImage> => {
    const missing = (cause?: unknown) =>
      new ContainersError('image-missing', `image ${name} is not on this host; import it first`, { cause })
    const found = await client.call('images.get', { name }, { namespace }).catch(unless('not-found'))
    const digest = found?.image.target?.digest
    if (digest === undefined) throw missing()
    const cached = known.get(digest)
    if (cached) return { ...cached, name }
    try {
      const manifest = manifestDocument.parse(await readJson(digest))
      const config = imageConfig(configDocument.parse(await readJson(manifest.config.digest)))
      const image = { digest, config, chainId: chainIds(config.diffIds).at(-1) ?? '' }
      known.set(digest, image)
      return { ...image, name }
    } catch (error) {
      throw isKind(error, 'unavailable', 'timeout') ? error : missing(errorText(error))
    }
  }

  const list = async (): Promise<readonly ObservedImage[]> => {
    const { images } = await client.call('images.list', { filters: [nodeFilter(node)] }, { namespace })
    return images.map(observedImage).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  const remove = async (name: string): Promise<void> => {
    await client
      .call('images.delete', { name, sync: true }, { namespace, timeoutMs: 120_000 })
      .catch(unless('not-found'))
  }

  return { importArchive, ready, list, remove, endForgottenLeases }
}

const observedImage = ({ name, labels, target }: ImageRecord): ObservedImage => ({
  name,
  digest: target?.digest ?? '',
  sizeBytes: Number(labels['skerry/size'] ?? 0),
  runsAsProcess: labels['skerry/process'] === 'true',
})
