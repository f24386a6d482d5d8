import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { canonicalJson } from '../../base/index.ts'
import { platformArchitecture } from './image-documents.ts'

/** One file of an image; directories above it are made. */
export type ArchiveFile =
  | { readonly path: string; readonly data: string | Uint8Array /** @default 0o644 */; readonly mode?: number }
  | { readonly path: string; readonly linkTo: string }
  | { readonly path: string; readonly directory: true /** @default 0o755 */; readonly mode?: number }

export interface ImageSource {
  /** Like `demo/shop:1`. */
  readonly name: string
  /** The lowest layer. */
  readonly files: readonly ArchiveFile[]
  /** Layers on top of it, lowest first. A file `dir/.wh.name` takes `dir/name` of the layers below away. */
  readonly moreLayers?: readonly (readonly ArchiveFile[])[]
  readonly config?: {
    readonly entrypoint?: readonly string[]
    readonly cmd?: readonly string[]
    readonly env?: Readonly<Record<string, string>>
    readonly user?: string
    readonly workingDir?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly stopSignal?: string
  }
  /** By Go's names. @default the architecture of this machine */
  readonly architecture?: string
  /** Compresses the layers, as most tools do. @default false */
  readonly gzip?: boolean
}

type Entry = {
  name: string
  mode: number
  type: 'file' | 'directory' | 'symlink'
  linkname?: string
  data?: Uint8Array
}

const epoch = new Date(0)

const packTar = async (entries: readonly Entry[]): Promise<Buffer> => {
  const stream = pack()
  for (const { name, mode, type, linkname, data } of entries) {
    const header = { name, mode, type, mtime: epoch, uid: 0, gid: 0, ...(linkname === undefined ? {} : { linkname }) }
    if (data) stream.entry({ ...header, size: data.length }, Buffer.from(data))
    else stream.entry(header)
  }
  stream.finalize()
  const pieces: Buffer[] = []
  for await (const piece of stream as AsyncIterable<Uint8Array>) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

const entryOf = (file: ArchiveFile): Entry => {
  const name = file.path.replace(/^\/+/, '')
  if ('linkTo' in file) return { name, mode: 0o777, type: 'symlink', linkname: file.linkTo }
  if ('directory' in file) return { name: name.replace(/\/*$/, '/'), mode: file.mode ?? 0o755, type: 'directory' }
  return { name, mode: file.mode ?? 0o644, type: 'file', data: Buffer.from(file.data) }
}

const withParents = (files: readonly ArchiveFile[]): Entry[] => {
  const made = new Set<string>()
  const entries: Entry[] = []
  for (const entry of files.map(entryOf)) {
    const steps = entry.name.replace(/\/$/, '').split('/')
    for (let depth = 1; depth < steps.length; depth++) {
      const name = `${steps.slice(0, depth).join('/')}/`
      if (!made.has(name)) entries.push({ name, mode: 0o755, type: 'directory' })
      made.add(name)
    }
    if (entry.type === 'directory' && made.has(entry.name)) continue
    made.add(entry.name)
    entries.push(entry)
  }
  return entries
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/**
 * Makes an OCI archive with one image. The same input gives the same bytes: times are 1970, layers are not compressed
 * unless asked for (so that no compressor's version shows), owners are root.
 */
export const buildArchive = async (source: ImageSource): Promise<Buffer> => {
  const blobs = new Map<string, Buffer>()
  const addBlob = (mediaType: string, bytes: Buffer) => {
    blobs.set(`blobs/sha256/${sha256(bytes)}`, bytes)
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length }
  }
  const addDocument = (mediaType: string, value: unknown) => addBlob(mediaType, Buffer.from(canonicalJson(value)))

  const layers = []
  const diffIds: string[] = []
  for (const files of [source.files, ...(source.moreLayers ?? [])]) {
    const tar = await packTar(withParents(files))
    diffIds.push(`sha256:${sha256(tar)}`)
    const layer = 'application/vnd.oci.image.layer.v1.tar'
    layers.push(source.gzip ? addBlob(`${layer}+gzip`, gzipSync(tar)) : addBlob(layer, tar))
  }
  const { entrypoint, cmd, env, user, workingDir, labels, stopSignal } = source.config ?? {}
  const config = addDocument('application/vnd.oci.image.config.v1+json', {
    architecture: source.architecture ?? platformArchitecture(process.arch),
    os: 'linux',
    config: {
      Entrypoint: entrypoint,
      Cmd: cmd,
      Env: env && Object.entries(env).map(([key, value]) => `${key}=${value}`),
      User: user,
      WorkingDir: workingDir,
      Labels: labels,
      StopSignal: stopSignal,
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
  })
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = addDocument(mediaType, { schemaVersion: 2, mediaType, config, layers })
  const index = {
    schemaVersion: 2,
    manifests: [{ ...manifest, annotations: { 'org.opencontainers.image.ref.name': source.name } }],
  }
  const file = (name: string, data: Uint8Array): Entry => ({ name, mode: 0o644, type: 'file', data })
  return packTar([
    file('oci-layout', Buffer.from(canonicalJson({ imageLayoutVersion: '1.0.0' }))),
    file('index.json', Buffer.from(canonicalJson(index))),
    ...[...blobs].map(([name, data]) => file(name, data)),
  ])
}
