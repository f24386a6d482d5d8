import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import type * as z from 'zod'
import { errorText } from '../../base/index.ts'
import { ContainersError } from '../containers-error.ts'
import {
  choosePlatform,
  configDocument,
  type Descriptor,
  type ImageConfig,
  imageConfig,
  imageName,
  indexDocument,
  isImageName,
  isIndex,
  isManifest,
  layerCompression,
  layoutDocument,
  manifestDocument,
  platformArchitecture,
} from './image-documents.ts'
import { indexTar, readExactly, TarError } from './tar-index.ts'

/** Index, manifest and configuration are read into memory: at most so many bytes each (containerd's own bound is 8 MiB). */
const maxDocumentBytes = 4 * 1024 * 1024
const chunkBytes = 256 * 1024

export interface Blob {
  readonly digest: string
  readonly mediaType: string
  readonly sizeBytes: number
}

/** One image of an archive that runs on this machine. */
export interface ArchiveImage {
  /** The name it is known by, like `demo/shop:1`. */
  readonly name: string
  /** Digest of its manifest. */
  readonly digest: string
  readonly manifest: Blob & { readonly bytes: Uint8Array }
  readonly configBlob: Blob
  readonly config: ImageConfig
  /** Lowest first; as many as `config.diffIds`. */
  readonly layers: readonly Blob[]
}

/** An OCI archive open for reading. Close it. */
export interface Archive {
  readonly path: string
  readonly images: readonly ArchiveImage[]
  /**
   * The bytes of a blob, in pieces. Size and digest are checked on the way; the check of the digest comes after the
   * last piece, so use nothing before the end was reached.
   * @throws {ContainersError} `bad-image` when the blob is absent, cut off or not what its digest says.
   */
  blob(digest: string): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

const fail = (path: string, what: string, cause?: unknown): ContainersError =>
  new ContainersError('bad-image', `cannot read image archive ${basename(path)}: it ${what}; build or copy it again`, {
    details: { path },
    cause,
  })

/**
 * Opens an OCI archive: a tar file that holds an OCI image layout (`oci-layout`, `index.json`, `blobs/sha256/…`).
 * Indexes it once and reads only its documents; layers stay on disk. Of an image for several platforms it takes the
 * one of this machine (`architecture`, by Go's names; default: the machine's own).
 *
 * @throws {ContainersError} `bad-image` with what was wrong: no tar file, cut off, a digest or size that does not
 * match, an entry that leads out, a document over 4 MiB, no image with a name, none for this machine.
 */
export const openArchive = async (
  path: string,
  options: { signal?: AbortSignal; architecture?: string } = {},
): Promise<Archive> => {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new ContainersError('bad-image', `cannot open image archive ${path}: ${errorText(error)}`, { cause: error })
  })
  try {
    return await readArchive(file, path, options)
  } catch (error) {
    await file.close()
    throw error instanceof TarError ? fail(path, error.message, error) : error
  }
}

const readArchive = async (
  file: FileHandle,
  path: string,
  options: { signal?: AbortSignal; architecture?: string },
): Promise<Archive> => {
  const entries = await indexTar(file, options.signal)
  const architecture = options.architecture ?? platformArchitecture(process.arch)

  const place = (digest: string) => {
    const entry = entries.get(`blobs/sha256/${digest.slice('sha256:'.length)}`)
    if (!entry) throw fail(path, `names the blob ${digest} but does not hold it`)
    return entry
  }
  const readDocument = async (name: string, offset: number, sizeBytes: number): Promise<Buffer> => {
    if (sizeBytes > maxDocumentBytes)
      throw fail(path, `has a ${name} of ${sizeBytes} bytes; at most ${maxDocumentBytes} are read`)
    return readExactly(file, offset, sizeBytes)
  }
  const parse = <T>(name: string, bytes: Buffer, schema: z.ZodType<T>): T => {
    let value: unknown
    try {
      value = JSON.parse(bytes.toString('utf8'))
    } catch (error) {
      throw fail(path, `has a ${name} that is not JSON`, error)
    }
    const result = schema.safeParse(value)
    if (result.success) return result.data
    const issue = result.error.issues[0]
    throw fail(path, `has a bad ${name}: ${issue?.path.join('.') || 'document'}: ${issue?.message}`, result.error)
  }
  const readNamed = async <T>(name: string, schema: z.ZodType<T>): Promise<T> => {
    const entry = entries.get(name)
    if (!entry) throw fail(path, `holds no ${name}, so it is no OCI archive`)
    return parse(name, await readDocument(name, entry.offset, entry.sizeBytes), schema)
  }
  const checkBlob = (kind: string, descriptor: Descriptor): Blob => {
    const { sizeBytes } = place(descriptor.digest)
    if (sizeBytes !== descriptor.size)
      throw fail(path, `has a ${kind} ${descriptor.digest} of ${sizeBytes} bytes where ${descriptor.size} are named`)
    return { digest: descriptor.digest, mediaType: descriptor.mediaType, sizeBytes }
  }
  const readBlob = async (kind: string, descriptor: Descriptor): Promise<Buffer> => {
    const { sizeBytes } = checkBlob(kind, descriptor)
    const bytes = await readDocument(kind, place(descriptor.digest).offset, sizeBytes)
    if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== descriptor.digest)
      throw fail(path, `has a ${kind} that does not match its digest ${descriptor.digest}`)
    return bytes
  }

  const manifestFor = async (name: string, descriptor: Descriptor): Promise<Descriptor> => {
    if (isManifest(descriptor.mediaType)) return descriptor
    if (!isIndex(descriptor.mediaType)) throw fail(path, `has an image ${name} of the kind ${descriptor.mediaType}`)
    const { manifests } = parse('index', await readBlob('index', descriptor), indexDocument)
    const chosen = choosePlatform(manifests, architecture)
    if (!chosen) throw fail(path, `has the image ${name}, but not for linux/${architecture}`)
    return chosen
  }
  const readImage = async (name: string, top: Descriptor): Promise<ArchiveImage> => {
    const descriptor = await manifestFor(name, top)
    const bytes = await readBlob('manifest', descriptor)
    const manifest = parse('manifest', bytes, manifestDocument)
    const config = imageConfig(parse('configuration', await readBlob('configuration', manifest.config), configDocument))
    // An image for the process driver holds no machine code: it runs anywhere.
    if (config.architecture !== architecture && config.labels['skerry/process'] === undefined)
      throw fail(path, `has the image ${name} for ${config.architecture}, but this machine is ${architecture}`)
    const layers = manifest.layers.map((layer) => checkBlob('layer', layer))
    const odd = layers.find(({ mediaType }) => !Object.hasOwn(layerCompression, mediaType))
    if (odd) throw fail(path, `has a layer of the kind ${odd.mediaType}, which is not supported`)
    if (layers.length !== config.diffIds.length)
      throw fail(path, `has ${layers.length} layers in ${name} where its configuration names ${config.diffIds.length}`)
    return {
      name,
      digest: descriptor.digest,
      manifest: { digest: descriptor.digest, mediaType: descriptor.mediaType, sizeBytes: bytes.length, bytes },
      configBlob: checkBlob('configuration', manifest.config),
      config,
      layers,
    }
  }
  const readImages = async (): Promise<ArchiveImage[]> => {
    await readNamed('oci-layout', layoutDocument)
    const { manifests } = await readNamed('index.json', indexDocument)
    const images: ArchiveImage[] = []
    for (const descriptor of manifests) {
      options.signal?.throwIfAborted()
      const name = imageName(descriptor)
      if (name === undefined) continue
      if (!isImageName(name)) throw fail(path, `has an image named ${JSON.stringify(name.slice(0, 80))}`)
      if (images.some((image) => image.name === name)) throw fail(path, `has two images named ${name}`)
      images.push(await readImage(name, descriptor))
    }
    if (images.length === 0)
      throw fail(path, 'holds no image with a name (annotation org.opencontainers.image.ref.name in index.json)')
    return images
  }

  async function* blob(digest: string): AsyncGenerator<Uint8Array> {
    const { offset, sizeBytes } = place(digest)
    const hash = createHash('sha256')
    for (let at = 0; at < sizeBytes; at += chunkBytes) {
      options.signal?.throwIfAborted()
      const bytes = await readExactly(file, offset + at, Math.min(chunkBytes, sizeBytes - at)).catch((error) => {
        throw error instanceof TarError ? fail(path, error.message, error) : error
      })
      hash.update(bytes)
      yield bytes
    }
    if (`sha256:${hash.digest('hex')}` !== digest)
      throw fail(path, `has a blob that does not match its digest ${digest}`)
  }

  const images = await readImages()
  return { path, images, blob, close: () => file.close() }
}
