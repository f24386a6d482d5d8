import * as z from 'zod'
import { canonicalJson, formatSize, InvalidInputError } from '../../../base/index.ts'
import type { DesiredImage } from '../../../runtime/index.ts'
import { parseApplication } from './parse-documents.ts'
import { type Hash, imageNames, specificationText } from './revision.ts'
import type { ApplicationSpec } from './specification.ts'

/** What a revision names, as bytes that travel: one application, its images pinned, and the tenant's salt. */
export interface Specification {
  readonly application: ApplicationSpec
  /** One for every image the application names, sorted by name. */
  readonly images: readonly DesiredImage[]
}

export const specificationFormat = 1
/** Of a whole blob. An application holds at most 256 KiB, the rest is room for its images. */
export const maxSpecificationBytes = 4 * 2 ** 20

/** Why bytes are no specification. `newer-format` may be one for a newer program; the others are one for nobody. */
export interface SpecificationRefusal {
  readonly code: 'too-long' | 'wrong-hash' | 'newer-format' | 'bad-specification'
  readonly message: string
}
export type ReadSpecification =
  | ({ readonly ok: true } & Specification)
  | { readonly ok: false; readonly refusal: SpecificationRefusal }

const refuse = (code: SpecificationRefusal['code'], message: string): ReadSpecification => ({
  ok: false,
  refusal: { code, message },
})

/**
 * The bytes a revision is the hash of (docs/adr/0026-from-a-change-to-an-entry.md).
 * @throws {RangeError} when they would be more than 4 MiB: nothing is named that others would refuse
 */
export const writeSpecification = (written: Specification & { readonly salt: string }): Uint8Array => {
  const bytes = Buffer.from(specificationText(written))
  if (bytes.length > maxSpecificationBytes)
    throw new RangeError(
      `the specification of ${written.application.name} is ${formatSize(bytes.length)}, at most 4 MiB`,
    )
  return Uint8Array.from(bytes)
}

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const blobSchema = z
  .object({
    _v: z.literal(specificationFormat),
    application: z.unknown(),
    images: z.array(z.strictObject({ archive: digest, digest, name: z.string().max(255) })).max(4_096),
    salt: z.string().max(256),
  })
  .catchall(scalar)

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A higher format than this program knows, whatever else the bytes hold. */
const newerFormat = (raw: unknown): number | undefined => {
  const format = (raw as { readonly _v?: unknown } | null | undefined)?._v
  return typeof format === 'number' && format > specificationFormat ? format : undefined
}

const readApplication = (value: unknown): ApplicationSpec | string => {
  try {
    return parseApplication(value, 'specification')
  } catch (error) {
    if (error instanceof InvalidInputError) return error.message
    throw error
  }
}

/**
 * Reads what a revision names. One specification has exactly one form. Never throws.
 * @param revision 64 hexadecimal digits: what the bytes were asked for by
 */
export const readSpecification = (bytes: Uint8Array, revision: string, hash: Hash): ReadSpecification => {
  if (bytes.length > maxSpecificationBytes)
    return refuse('too-long', `a specification of ${formatSize(bytes.length)} came, at most 4 MiB are read`)
  const text = textOf(bytes)
  if (text === undefined || hash(text) !== revision)
    return refuse('wrong-hash', `the bytes are not those of revision ${revision.slice(0, 12)}`)
  const raw = parsed(text)
  const newer = newerFormat(raw)
  if (newer !== undefined)
    return refuse('newer-format', `a specification has format ${newer}: update this node to read it`)
  const blob = blobSchema.safeParse(raw)
  if (!blob.success) return refuse('bad-specification', 'the bytes are no specification of format 1')
  const { images } = blob.data
  const application = readApplication(blob.data.application)
  if (typeof application === 'string') return refuse('bad-specification', application)
  // What passed the schemas is shallow, so writing it again cannot run deep.
  if (canonicalJson({ ...blob.data, application }) !== text)
    return refuse('bad-specification', `the specification of ${application.name} is not in its one form`)
  const pinned = images.map(({ name }) => name)
  const wanted = imageNames(application)
  if (pinned.length !== wanted.length || wanted.some((name, at) => pinned[at] !== name))
    return refuse('bad-specification', `the specification of ${application.name} does not pin exactly its images`)
  return { ok: true, application, images }
}
