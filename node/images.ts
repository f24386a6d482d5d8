import { SkerryError } from '../base/index.ts'
import { openArchive } from '../runtime/index.ts'
import type { ImageView } from './api/index.ts'
import type { ArchiveStore, StateFile } from './powers/index.ts'
import type { ImageCatalogue } from './services/deployments/index.ts'

/** Images a tower holds and can hand to its sites. */
export interface Images extends ImageCatalogue {
  list(): readonly ImageView[]
  /**
   * Takes an archive and checks every byte of it before any of its names is known.
   * @throws {SkerryError} `bad-image`, `disk-full`; nothing is kept.
   */
  take(bytes: AsyncIterable<Uint8Array>): Promise<readonly ImageView[]>
}

type Kept = Readonly<Record<string, ImageView>>

/** The file here has a name of ours, which says nothing to the one who handed the archive over. */
const open = async (path: string) => {
  try {
    return await openArchive(path)
  } catch (error) {
    if (!(error instanceof SkerryError) || error.code !== 'bad-image') throw error
    const message = error.message.replace(/image archive \S+:/, 'the image archive:')
    throw new SkerryError(error.code, message, { cause: error })
  }
}

const inspect = async (path: string, archive: string): Promise<readonly ImageView[]> => {
  const opened = await open(path)
  try {
    const views: ImageView[] = []
    for (const { name, digest, configBlob, layers, config } of opened.images) {
      // Reading a blob to its end checks its digest.
      for (const blob of [configBlob, ...layers]) for await (const _ of opened.blob(blob.digest));
      views.push({
        name,
        digest,
        'size-bytes': layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        archive,
        'runs-as-process': config.labels['skerry/process'] !== undefined,
      })
    }
    if (views.length === 0) throw new SkerryError('bad-image', 'the archive holds no image with a name')
    return views
  } finally {
    await opened.close()
  }
}

export const createImages = (archives: ArchiveStore, file: StateFile<Kept>): Images => {
  let kept: Kept = file.load() ?? {}
  return {
    resolve: (name) => {
      const image = kept[name]
      return image && archives.pathOf(image.archive) ? { digest: image.digest, archive: image.archive } : undefined
    },
    names: () => Object.keys(kept).toSorted(),
    list: () => Object.values(kept).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    take: async (bytes) => {
      const known = new Set(archives.names())
      const { archive, path } = await archives.keep(bytes)
      try {
        const views = await inspect(path, archive)
        const next = { ...kept, ...Object.fromEntries(views.map((view) => [view.name, view])) }
        file.save(next)
        kept = next
        return views
      } catch (error) {
        if (!known.has(archive)) archives.drop(archive)
        throw error
      }
    },
  }
}
