import { stringify } from 'yaml'
import type { ZodType } from 'zod'
import { InvalidInputError } from '../../base/index.ts'
import { type FieldPath, fieldText, readYamlDocuments } from '../../topologies/index.ts'
import { refusal } from './problem-report.ts'
import type { ConfigText } from './services.ts'

export type MediaType = ConfigText['mediaType']

const mediaTypes: Readonly<Record<string, MediaType>> = {
  'application/json': 'application/json',
  'application/merge-patch+json': 'application/json',
  'application/yaml': 'application/yaml',
  'application/x-yaml': 'application/yaml',
  'text/yaml': 'application/yaml',
  'text/x-yaml': 'application/yaml',
}

const bareType = (header: string): string => header.split(';')[0]?.trim().toLowerCase() ?? ''

/** @throws {SkerryError} `unsupported-media-type` */
export const bodyMediaType = (header: string | undefined): MediaType => {
  const type = mediaTypes[bareType(header ?? '')]
  if (type === undefined)
    throw refusal(
      'unsupported-media-type',
      `${header === undefined ? 'a Content-Type is missing' : 'this Content-Type is not known'}: send application/yaml or application/json`,
    )
  return type
}

/** The form an answer is wanted in; JSON unless YAML is named first. */
export const answerMediaType = (accept: string | undefined): MediaType => {
  for (const part of (accept ?? '').split(',')) {
    const type = mediaTypes[bareType(part)]
    if (type !== undefined) return type
  }
  return 'application/json'
}

export const encodeAnswer = (value: unknown, type: MediaType): string =>
  type === 'application/yaml' ? stringify(value, { aliasDuplicateObjects: false }) : `${JSON.stringify(value)}\n`

/** @throws {InvalidInputError} when the bytes are not UTF-8 */
export const decodeBody = (bytes: Uint8Array, source: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new InvalidInputError([{ source, field: '', message: 'is not text in UTF-8' }])
  }
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

const parseJson = (text: string, source: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const position = /at position (\d+)/.exec(message)?.[1]
    const line = position === undefined ? lineAt(text, text.length) : lineAt(text, Number(position))
    throw new InvalidInputError([{ source, line, field: '', message: 'is not JSON' }])
  }
}

/** The longest body a route takes (`Route.bodyBytes`) in UTF-8. */
const limits = { limitBytes: 16 * 2 ** 20, advice: 'send less at once' }

const parseYaml = (text: string, source: string): unknown => {
  const [document, second] = readYamlDocuments(text, source, limits)
  if (second)
    throw new InvalidInputError([{ source, line: second.line, field: '', message: 'holds a second document' }])
  return document?.value ?? {}
}

/**
 * Reads the body of an operation by its schema; an empty body is an empty object.
 * @throws {InvalidInputError} naming the line where it is malformed or each field that is refused
 */
export const parseBody = <Value>(text: string, type: MediaType, schema: ZodType<Value>, source = 'body'): Value => {
  const given =
    text.trim() === '' ? {} : type === 'application/json' ? parseJson(text, source) : parseYaml(text, source)
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new InvalidInputError(
    parsed.error.issues.map(({ path, message }) => ({ source, field: fieldText(path as FieldPath), message })),
  )
}
