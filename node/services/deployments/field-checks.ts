import * as z from 'zod'
import { errorText, namePattern, parseDurationMs, parseSizeBytes, versionPattern } from '../../../base/index.ts'

/** Fields of an object that the public interface knows and this program does not: name and what to do instead. */
export type FieldsNotYet = Readonly<Record<string, string>>

const notYetOf = new WeakMap<object, FieldsNotYet>()

/** An object that refuses every field but those of `shape`; those in `notYet` are refused as not supported yet. */
export const closedObject = <Shape extends z.ZodRawShape>(shape: Shape, notYet: FieldsNotYet = {}) => {
  const schema = z.strictObject(shape)
  notYetOf.set(schema, notYet)
  return schema
}

/** The fields `closedObject` was told are not supported yet. */
export const fieldsNotYet = (schema: object): FieldsNotYet => notYetOf.get(schema) ?? {}

/** What is wrong with a value, and what to write instead. */
export interface Refusal {
  readonly message: string
  readonly suggestion?: string
}

/** Text that `refuse` has nothing against. */
export const checkedText = (refuse: (text: string) => Refusal | undefined) =>
  z.string().superRefine((text, context) => {
    const refusal = refuse(text)
    if (refusal)
      context.addIssue({ code: 'custom', message: refusal.message, params: { suggestion: refusal.suggestion } })
  })

const quoted = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)

const matching = (pattern: RegExp, kind: string, shape: string) =>
  checkedText((text) =>
    pattern.test(text) ? undefined : { message: `${quoted(text)} is not ${kind}`, suggestion: `use ${shape}` },
  )

export const nameText = matching(
  namePattern,
  'a name',
  'lower-case letters, digits and inner dashes, at most 63 characters',
)
export const versionText = matching(
  versionPattern,
  'a version',
  'letters, digits, dots, dashes and plus signs, at most 64 characters',
)

/** Any text a process can be given: no NUL, well formed. */
export const plainText = checkedText((text) =>
  text.includes('\0') || !text.isWellFormed()
    ? { message: 'holds a NUL or a broken character', suggestion: 'write plain Unicode text' }
    : undefined,
)

const inBounds = (parse: (text: string) => number, atLeast: [number, string], atMost: [number, string]) =>
  checkedText((text) => {
    try {
      const value = parse(text)
      if (value < atLeast[0]) return { message: `${quoted(text)} is too little`, suggestion: `at least ${atLeast[1]}` }
      if (value > atMost[0]) return { message: `${quoted(text)} is too much`, suggestion: `at most ${atMost[1]}` }
      return undefined
    } catch (error) {
      return { message: errorText(error) }
    }
  })

/** A duration like `10m30s` between two others, both included. */
export const durationText = (atLeast: string, atMost: string) =>
  inBounds(parseDurationMs, [parseDurationMs(atLeast), atLeast], [parseDurationMs(atMost), atMost])

/** A size like `64MiB` between two others, both included. */
export const sizeText = (atLeast: string, atMost: string) =>
  inBounds(parseSizeBytes, [parseSizeBytes(atLeast), atLeast], [parseSizeBytes(atMost), atMost])

/** Names of environment variables, as POSIX shells and most programs take them, dots and dashes allowed. */
export const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/, 'is not the name of an environment variable')

// Grammar of https://github.com/distribution/reference: [host[:port]/]path[:tag][@digest], lower-case path.
const pathComponent = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const registryHost =
  '(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]+)?'
const imagePattern = new RegExp(
  `^(?:${registryHost}/)?${pathComponent}(?:/${pathComponent})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
)

/** An image like `demo/shop:1` or `registry.example:5000/shop@sha256:…`; at most 255 characters. */
export const imageText = checkedText((text) =>
  text.length <= 255 && imagePattern.test(text)
    ? undefined
    : {
        message: `${quoted(text)} is not an image`,
        suggestion: /[A-Z]/.test(text.split(':')[0] ?? '')
          ? 'image names are lower case, like demo/shop:1'
          : 'write name[:tag] or name@sha256:<64 hexadecimal digits>, like demo/shop:1',
      },
)

/** `uid:gid`, whole numbers below 2^31. */
export const userText = checkedText((text) =>
  /^\d{1,10}:\d{1,10}$/.test(text) && text.split(':').every((id) => Number(id) < 2 ** 31)
    ? undefined
    : { message: `${quoted(text)} is not a user`, suggestion: 'write uid:gid in numbers, like "1000:1000"' },
)

// The kernel's own trees: a file laid over them would break the container, or worse.
const kernelPaths = ['/proc', '/sys', '/dev']

/** An absolute path in the container, in its shortest form, outside the kernel's own trees. */
export const mountPathText = checkedText((text) => {
  if (!text.startsWith('/')) return { message: `${quoted(text)} is not an absolute path`, suggestion: `write /${text}` }
  if (text.length > 4096 || text.includes('\0'))
    return { message: 'is not a path', suggestion: 'write a path like /etc/shop' }
  if (text === '/')
    return { message: 'would hide the whole image', suggestion: 'name a directory or file, like /etc/shop' }
  const plain = `/${text
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`
  if (text.split('/').includes('..'))
    return { message: `${quoted(text)} leads upward`, suggestion: 'write the path without ..' }
  if (plain !== text) return { message: `${quoted(text)} is not in its shortest form`, suggestion: `write ${plain}` }
  const taken = kernelPaths.find((path) => text === path || text.startsWith(`${path}/`))
  return taken
    ? { message: `${taken} belongs to the kernel`, suggestion: 'mount somewhere else, like /etc/shop' }
    : undefined
})

/** One name of a file, without slashes. */
export const fileNameText = matching(
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,253}$/,
  'a file name',
  'letters, digits, dots, dashes and underscores, at most 253 characters',
)
