import * as z from 'zod'

/** Media types of layers we can unpack, and how each is compressed. OCI image specification 1.1; Docker schema 2. */
export const layerCompression: Readonly<Record<string, 'none' | 'gzip' | 'zstd'>> = {
  'application/vnd.oci.image.layer.v1.tar': 'none',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'gzip',
}

const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]
const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

/** Only sha256 is accepted: it is what every engine writes and what names blobs everywhere else here. */
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits')
const texts = z.record(z.string(), z.string())

const descriptor = z.object({
  mediaType: z.string().max(256),
  digest,
  size: z.int().min(0),
  annotations: texts.nullish(),
  platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).nullish(),
})
export type Descriptor = z.infer<typeof descriptor>

export const layoutDocument = z.object({ imageLayoutVersion: z.literal('1.0.0') })

/** At most 256 manifests: more belongs into several archives. */
export const indexDocument = z.object({ schemaVersion: z.literal(2), manifests: z.array(descriptor).max(256) })

/** At most 127 layers, the bound of other engines (one overlay mount has to name them all). */
export const manifestDocument = z.object({
  schemaVersion: z.literal(2),
  config: descriptor,
  layers: z.array(descriptor).max(127),
})

const words = z.array(z.string()).nullish()
export const configDocument = z.object({
  architecture: z.string(),
  os: z.string(),
  config: z
    .object({
      Entrypoint: words,
      Cmd: words,
      Env: words,
      User: z.string().nullish(),
      WorkingDir: z.string().nullish(),
      Labels: texts.nullish(),
      StopSignal: z.string().nullish(),
    })
    .nullish(),
  rootfs: z.object({ diff_ids: z.array(digest) }),
})

export const isIndex = (mediaType: string): boolean => indexTypes.includes(mediaType)
export const isManifest = (mediaType: string): boolean => manifestTypes.includes(mediaType)

/** What an image says of how to run it. */
export interface ImageConfig {
  readonly architecture: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** `uid`, `uid:gid`, or names of the image's own passwd file; empty for root. */
  readonly user: string
  /** Absolute; `/` when the image names none. */
  readonly workingDir: string
  readonly labels: Readonly<Record<string, string>>
  /** The polite signal, like `SIGQUIT`, where the image names one. */
  readonly stopSignal?: string
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly string[]
}

/** The parts of a configuration document that are used here, absent ones filled in. */
export const imageConfig = ({ architecture, config, rootfs }: z.infer<typeof configDocument>): ImageConfig => ({
  architecture,
  entrypoint: config?.Entrypoint ?? [],
  cmd: config?.Cmd ?? [],
  env: Object.fromEntries(
    (config?.Env ?? []).map((line) => {
      const equals = line.indexOf('=')
      return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)]
    }),
  ),
  user: config?.User ?? '',
  workingDir: config?.WorkingDir || '/',
  labels: config?.Labels ?? {},
  ...(config?.StopSignal ? { stopSignal: config.StopSignal } : {}),
  diffIds: rootfs.diff_ids,
})

/** Go's name of a Node architecture, as image platforms use it. */
export const platformArchitecture = (nodeArch: string): string =>
  ({ x64: 'amd64', ia32: '386', ppc64: 'ppc64le' })[nodeArch] ?? nodeArch

/** The manifest of an index that runs on this architecture; images are always Linux images. */
export const choosePlatform = (manifests: readonly Descriptor[], architecture: string): Descriptor | undefined => {
  const usable = manifests.filter(({ mediaType }) => isManifest(mediaType))
  return (
    usable.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture) ??
    (usable.length === 1 ? usable.find(({ platform }) => !platform) : undefined)
  )
}

/** The name an index gives to an image: the full one before the short one, which other tools use for the tag alone. */
export const imageName = ({ annotations }: Descriptor): string | undefined =>
  annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name'] ?? undefined

/** Characters of image references (distribution specification), at most 255 of them. */
export const isImageName = (name: string): boolean =>
  name.length <= 255 && /^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$/.test(name) && !name.includes('..') && !name.includes('//')
