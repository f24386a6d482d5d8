import { SkerryError } from './errors.ts'

declare const brand: unique symbol
type Branded<Kind extends string> = string & { readonly [brand]: Kind }

/** A label people give: application, service, deployment, tenant, site, host, node. */
export type Name = Branded<'name'>
/** An application version as people write it. */
export type Version = Branded<'version'>
/** The place of a zone or site in the tree: `/`, `/de`, `/de/bavaria/munich-7`. */
export type ScopePath = Branded<'scope-path'>
/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = Branded<'digest'>

/** Names of the public interface: lower case, digits, inner dashes; at most 63 characters (RFC 1123 label). */
export const namePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
/** Versions of the public interface; at most 64 characters. */
export const versionPattern = /^[a-zA-Z0-9\-.+]{1,64}$/
const scopePattern = /^\/$|^(\/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/
const digestPattern = /^sha256:[0-9a-f]{64}$/

const parser =
  <Id extends string>(kind: string, pattern: RegExp, shape: string) =>
  (text: string): Id => {
    if (!pattern.test(text))
      throw new SkerryError('invalid-id', `${JSON.stringify(text.slice(0, 80))} is not a ${kind}: use ${shape}`)
    return text as unknown as Id
  }

/** @throws {SkerryError} `invalid-id` when the text is not a name. */
export const parseName = parser<Name>(
  'name',
  namePattern,
  'lower-case letters, digits and inner dashes, at most 63 characters',
)
/** @throws {SkerryError} `invalid-id` when the text is not a version. */
export const parseVersion = parser<Version>(
  'version',
  versionPattern,
  'letters, digits, dots, dashes and plus signs, at most 64 characters',
)
/** @throws {SkerryError} `invalid-id` when the text is not a path of a zone or site. */
export const parseScopePath = parser<ScopePath>('scope', scopePattern, 'a path of names like /de/bavaria, or /')
/** @throws {SkerryError} `invalid-id` when the text is not a digest. */
export const parseDigest = parser<Digest>('digest', digestPattern, 'sha256: and 64 hexadecimal digits')
