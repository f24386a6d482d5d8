import { formatSize } from '../../../base/index.ts'
import type { ImageView } from '../../api/index.ts'
import { type CliCommand, type CliContext, textArgument, textOption } from '../command.ts'
import { ApiRefusedError } from '../failure.ts'
import { openUpload } from '../local-files.ts'
import { formatTable } from '../table.ts'

const imageTable = (images: readonly ImageView[]): string =>
  formatTable(
    [{ title: 'image' }, { title: 'size', align: 'right' }, { title: 'runs as' }, { title: 'digest' }],
    images.map((image) => [
      image.name,
      formatSize(image['size-bytes']),
      image['runs-as-process'] ? 'container or process' : 'container',
      image.digest,
    ]),
  )

/** Sends an OCI archive to the node, saying how far it is. */
export const importImage = async (context: CliContext, path: string): Promise<readonly ImageView[]> => {
  const upload = openUpload(path)
  const all = formatSize(upload.sizeBytes)
  let shown = -1
  const onProgress = (sentBytes: number) => {
    const tenth = Math.floor((sentBytes / upload.sizeBytes) * 10)
    if (tenth === shown) return
    shown = tenth
    context.progress(`importing ${path}: ${formatSize(sentBytes)} of ${all}`)
  }
  try {
    const body = { kind: 'upload', ...upload, onProgress } as const
    return await context.client().ask<ImageView[]>('POST', '/v1/state/images', { body, timeoutMs: 0 })
  } catch (error) {
    throw error instanceof ApiRefusedError ? error.of(path) : error
  } finally {
    context.progress('')
  }
}

const importCommand: CliCommand = {
  name: 'import',
  summary: 'give the node every image of an OCI archive (a tar file)',
  args: [{ name: '<file>', text: 'the archive, as `docker save` or `skopeo copy … oci-archive:` write it' }],
  examples: ['skerry images import shop.tar'],
  run: async (input, context) => {
    const images = await importImage(context, textArgument(input, 0))
    await context.result(images, images.map(({ name, digest }) => `imported ${name} ${digest}\n`).join(''))
    return 0
  },
}

export const imagesCommand: CliCommand = {
  name: 'images',
  summary: 'list the images the node holds, or import more',
  options: [{ flags: '--site <site>', text: 'ask this site' }],
  examples: ['skerry images', 'skerry images import shop.tar'],
  subcommands: [importCommand],
  run: async (input, context) => {
    const images = await context
      .client()
      .ask<ImageView[]>('GET', '/v1/state/images', { query: { site: textOption(input, 'site') } })
    const none = 'no images yet: import one with "skerry images import FILE"\n'
    await context.result(images, images.length === 0 ? none : imageTable(images))
    return 0
  },
}
