import { SkerryError } from '../base/index.ts'
import type { Book, Documents, LaneName } from '../crdt/index.ts'
import type { ConfigDesk } from './config-desk.ts'
import type { Images } from './images.ts'
import type { BlobStore } from './powers/index.ts'
import type { LaneConfigStore } from './services/deployments/index.ts'

/**
 * Why a tower cannot stand on its configuration at all; undefined when it can. Then nothing is signed, and who is below
 * keeps what it was told.
 */
export const brokenGround = (
  {
    book,
    documents,
    damaged,
  }: { readonly book: Book; readonly documents: Documents; readonly damaged: readonly string[] },
  tenant: string,
  lane: LaneName,
): string | undefined => {
  const restore = 'restore the store from a backup and start this tower again; sites go on with what they have'
  if (book.owner(tenant) === undefined)
    return `the key list of the tenant ${tenant.slice(0, 12)} is damaged on this disk, and its second copy as well: ${restore}`
  const id = documents.idOf(lane)
  if (id !== undefined && damaged.includes(id))
    return `changes of the configuration are damaged on this disk, and their second copies as well: ${restore}`
  if (id === undefined && damaged.length > 0)
    return `the configuration is not here, and ${damaged.length} lanes are damaged on this disk: ${restore}`
  return undefined
}

/** What the disk spoiled of what a tower needs, a line each with what to do. */
export const damageWords = ({
  broken,
  lost,
  images,
  blobs,
}: {
  readonly broken: string | undefined
  readonly lost: ReturnType<LaneConfigStore['lost']>
  readonly images: Images
  readonly blobs: BlobStore
}): readonly string[] => [
  ...(broken === undefined ? [] : [`damaged: ${broken}`]),
  ...lost.map(
    ({ application, version, why }) =>
      `damaged: application ${application}${version === '' ? '' : ` version ${version}`} cannot be read, ${why}: apply it again from its file, or restore the store; sites go on with it`,
  ),
  ...images
    .list()
    .filter(({ archive }) => blobs.pathOf(archive) === undefined)
    .map(
      ({ name }) =>
        `damaged: the archive of image ${name} is not here any more: import it again with "skerry images import FILE"`,
    ),
]

/** Configuration that is not changed while its ground is broken. */
export const refusedWhile = (broken: () => string | undefined, { config, rollback }: ConfigDesk): ConfigDesk => {
  const check = () => {
    const why = broken()
    if (why !== undefined) throw new SkerryError('damaged', `nothing can be changed: ${why}`)
  }
  const guarded =
    <Asked extends readonly unknown[], Result>(act: (...asked: Asked) => Promise<Result>) =>
    async (...asked: Asked): Promise<Result> => {
      check()
      return act(...asked)
    }
  return {
    config: {
      ...config,
      write: guarded(config.write),
      writeAll: guarded(config.writeAll),
      patch: guarded(config.patch),
      remove: guarded(config.remove),
    },
    rollback: guarded(rollback),
  }
}
