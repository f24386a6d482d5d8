import { canonicalJson } from '../../../base/index.ts'
import type { DesiredImage } from '../../../runtime/index.ts'
import { byName } from './placement.ts'
import type { ApplicationSpec } from './specification.ts'

/** sha256 of a text in UTF-8 as 64 lower-case hexadecimal digits; handed in, so that this folder stays free of I/O. */
export type Hash = (text: string) => string

/**
 * The one text of a specification. The archives are in it, because whoever gets it needs to know what to ask for next;
 * so an image that is imported anew in another archive makes another revision, but only of another version (admit.ts).
 */
export const specificationText = ({
  application,
  images,
  salt,
}: {
  readonly application: ApplicationSpec
  readonly images: readonly DesiredImage[]
  readonly salt: string
}): string =>
  canonicalJson({
    _v: 1,
    application,
    images: images
      .map(({ archive, digest, name }) => ({ archive, digest, name }))
      .toSorted((a, b) => byName(a.name, b.name)),
    salt,
  })

/**
 * The name of one immutable specification with its images pinned. The salt belongs to the tenant: without it, equal
 * specifications of two tenants would show by their hash that they are equal.
 */
export const revisionOf = (
  application: ApplicationSpec,
  images: readonly DesiredImage[],
  { salt, hash }: { readonly salt: string; readonly hash: Hash },
): string => hash(specificationText({ application, images, salt }))

/** Names of all images of an application, each once, sorted. */
export const imageNames = (application: ApplicationSpec): readonly string[] =>
  [...new Set(application.services.flatMap(({ containers }) => containers.map(({ image }) => image)))].toSorted()

/** True when both say the same: labels, order of keys and writing of config-maps do not count. */
export const sameDocument = (a: object, b: object): boolean => canonicalJson(a) === canonicalJson(b)

/** True when both pin the same bytes under the same names, wherever their archives lie. */
export const sameImages = (a: readonly DesiredImage[], b: readonly DesiredImage[]): boolean => {
  const pinned = (images: readonly DesiredImage[]) =>
    canonicalJson(Object.fromEntries(images.map(({ name, digest }) => [name, digest])))
  return pinned(a) === pinned(b)
}
