import { canonicalJson } from '../../../base/index.ts'
import type { DesiredImage } from '../../../runtime/index.ts'
import type { ApplicationSpec } from './specification.ts'

/** sha256 as 64 lower-case hexadecimal digits; handed in, so that this folder stays free of I/O. */
export type Hash = (text: string) => string

/**
 * The name of one immutable specification with its images pinned. The salt belongs to the tenant: without it, equal
 * specifications of two tenants would show by their hash that they are equal.
 */
export const revisionOf = (
  application: ApplicationSpec,
  images: readonly DesiredImage[],
  { salt, hash }: { readonly salt: string; readonly hash: Hash },
): string => hash(canonicalJson({ format: 1, salt, application, images: pinned(images) }))

// Where the archive lies does not make the revision another one.
const pinned = (images: readonly DesiredImage[]) => Object.fromEntries(images.map(({ name, digest }) => [name, digest]))

/** Names of all images of an application, each once, sorted. */
export const imageNames = (application: ApplicationSpec): readonly string[] =>
  [...new Set(application.services.flatMap(({ containers }) => containers.map(({ image }) => image)))].toSorted()

/** True when both say the same: labels, order of keys and writing of config-maps do not count. */
export const sameDocument = (a: object, b: object): boolean => canonicalJson(a) === canonicalJson(b)
