import * as z from 'zod'
import { nearestName, type Problem } from '../base/index.ts'
import { type FieldPath, fieldText, kindWords, valueAt } from './field-path.ts'
import type { YamlDocument } from './read-yaml.ts'

/** What is said of a field that is not one of the known: by default a suggestion of the nearest. */
type UnknownFieldWords = Readonly<Record<string, string>>

/**
 * A strict map of known fields. `words` says why a field that a person may well try is refused, `problem; suggestion`.
 */
export const fields = <Shape extends z.core.$ZodLooseShape>(shape: Shape, words: UnknownFieldWords = {}) =>
  z.strictObject(shape, {
    // The issue names the unknown keys only; what is known here travels in its message.
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? JSON.stringify({ known: Object.keys(shape), words }) : undefined,
  })

const unknownField = (key: string, message: string): string => {
  const { known, words } = JSON.parse(message) as { known: string[]; words: UnknownFieldWords }
  if (Object.hasOwn(words, key)) return words[key] as string
  const near = nearestName(key, known)
  const hint = near === undefined ? `the fields here are ${known.join(', ')}` : `did you mean ${JSON.stringify(near)}?`
  return `unknown field; ${hint}`
}

const nounOf = (value: unknown): string => {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  return kindWords[typeof value] ?? typeof value
}

const typeProblem = (expected: string, given: unknown): string => {
  if (given === undefined) return 'is missing'
  const hint =
    given === null
      ? '; write a value or leave the field out'
      : expected === 'string' && typeof given !== 'object'
        ? `; put it in quotes: "${given}"`
        : expected === 'string'
          ? '; put a text that starts with { or [ in quotes'
          : ''
  return `must be ${kindWords[expected] ?? expected}, not ${nounOf(given)}${hint}`
}

const toProblem = (document: YamlDocument, path: FieldPath, text: string): Problem => {
  const cut = text.indexOf('; ')
  return {
    source: document.source,
    line: document.lineOf(path),
    field: fieldText(path),
    message: cut < 0 ? text : text.slice(0, cut),
    ...(cut < 0 ? {} : { suggestion: text.slice(cut + 2) }),
  }
}

/** What a schema finds wrong with a document, in words: file, line, field and a suggestion where there is one. */
export const shapeProblems = (schema: z.ZodType, document: YamlDocument): Problem[] => {
  const issues = schema.safeParse(document.value).error?.issues ?? []
  return issues.flatMap((issue) => {
    const path = issue.path as FieldPath
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => toProblem(document, [...path, key], unknownField(key, issue.message)))
    if (issue.code === 'invalid_type')
      return [toProblem(document, path, typeProblem(issue.expected, valueAt(document.value, path)))]
    return [toProblem(document, path, issue.message)]
  })
}
