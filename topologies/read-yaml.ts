import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  type YAMLParseError,
} from 'yaml'
import { InvalidInputError, type Problem } from '../base/index.ts'
import { type FieldPath, fieldText } from './field-path.ts'

/** A YAML document as plain data that still knows its lines. */
export interface YamlDocument {
  readonly source: string
  readonly value: unknown
  /** The 1-based line where it begins. */
  readonly line: number
  /** The 1-based line of a field, or of the nearest thing around it that exists. */
  lineOf(path: FieldPath): number
  /** A value that is not text, as it is written: YAML reads 1.10 as the number 1.1. */
  writtenAt(path: FieldPath): string | undefined
}

const nestingLimit = 64
const shownProblems = 100

/** The refusal of a document: its problems in source order, of very many the first hundred and a count. */
export const refuseDocument = (problems: readonly Problem[]): InvalidInputError => {
  const sorted = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
  const [last] = sorted.slice(shownProblems)
  if (last === undefined) return new InvalidInputError(sorted)
  const message = `there are ${problems.length - shownProblems} more problems from here on`
  return new InvalidInputError([
    ...sorted.slice(0, shownProblems),
    { ...last, field: '', message, suggestion: 'mend the first ones and try again' },
  ])
}

const shownSyntaxErrors = 10

const words: Readonly<Record<string, readonly [string, string?]>> = {
  TAB_AS_INDENT: ['a tab stands where spaces must', 'indent with spaces'],
  BLOCK_AS_IMPLICIT_KEY: ['a value is followed by deeper indented lines', 'line the keys up, or quote the value'],
  BAD_INDENT: ['the indentation fits nothing above', 'indent it like its neighbours'],
  MULTILINE_IMPLICIT_KEY: ['a key goes over several lines', 'write `key: value` on one line'],
  MISSING_CHAR: ['a quote, bracket, colon or comma is missing'],
  RESOURCE_EXHAUSTION: ['the document is nested too deep'],
}

const missingDash = [
  'a list goes on without a dash',
  'begin the entry with -, or indent it like its neighbours',
] as const

const syntaxProblem = (error: YAMLParseError, source: string, line: number): Problem => {
  const noDash = error.code === 'MISSING_CHAR' && error.message.includes('without - indicator')
  const [message = error.message, suggestion] = (noDash ? missingDash : words[error.code]) ?? []
  return {
    source,
    line,
    field: '',
    message: `not YAML: ${message}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

/** The first error of each line: the ones after it mostly follow from it. */
const firstOfEachLine = (problems: readonly Problem[]): Problem[] =>
  problems
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .filter((problem, at, all) => problem.line !== all[at - 1]?.line)
    .slice(0, shownSyntaxErrors)

/** Turns the syntax tree into plain data. Aliases, tags, keys that are not text and deep nesting are refused. */
const createPlainReader = (source: string, lines: LineCounter) => {
  const problems: Problem[] = []
  const lineByPath = new Map<string, number>()
  const writtenByPath = new Map<string, string>()
  const lineAt = (offset: number) => lines.linePos(offset).line
  const refuse = (path: FieldPath, offset: number, message: string, suggestion: string) => {
    problems.push({ source, line: lineAt(offset), field: fieldText(path), message, suggestion })
    return undefined
  }
  const readMap = (node: ParsedNode, path: FieldPath) => {
    const result: Record<string, unknown> = {}
    for (const { key, value } of isMap<ParsedNode, ParsedNode | null>(node) ? node.items : []) {
      if (!isScalar(key) || typeof key.value !== 'string') {
        refuse(path, key.range[0], 'a key must be text', 'put it in quotes, or leave it out')
        continue
      }
      const at = [...path, key.value]
      if (key.value === '__proto__') {
        refuse(at, key.range[0], 'cannot be a name here', 'choose another one')
        continue
      }
      if (Object.hasOwn(result, key.value)) {
        const first = lineByPath.get(fieldText(at))
        refuse(at, key.range[0], `stands here twice, first at line ${first}`, 'keep one of the two')
        continue
      }
      if (key.anchor !== undefined || key.tag !== undefined) refuseExtras(key, at)
      lineByPath.set(fieldText(at), lineAt(key.range[0]))
      result[key.value] = value === null ? null : read(value, at)
    }
    return result
  }
  const refuseExtras = (node: ParsedNode, path: FieldPath) => {
    if (isAlias(node) || node.anchor !== undefined)
      return refuse(
        path,
        node.range[0],
        'anchors and aliases (&, *) are not accepted',
        'write the value out, or quote it',
      )
    return refuse(path, node.range[0], 'tags (!) are not accepted', 'write the plain value, or quote it')
  }
  const read = (node: ParsedNode, path: FieldPath): unknown => {
    if (path.length > nestingLimit)
      return refuse(path.slice(0, 8), node.range[0], `is nested deeper than ${nestingLimit} levels`, 'flatten it')
    if (isAlias(node) || node.anchor !== undefined || node.tag !== undefined) return refuseExtras(node, path)
    if (isMap(node)) return readMap(node, path)
    if (!isSeq(node)) {
      if (typeof node.value !== 'string' && node.source !== undefined) writtenByPath.set(fieldText(path), node.source)
      return node.value
    }
    return (node.items as ParsedNode[]).map((item, at) => {
      lineByPath.set(fieldText([...path, at]), lineAt(item.range[0]))
      return read(item, [...path, at])
    })
  }
  return { problems, lineByPath, writtenByPath, read }
}

const refusal = (source: string, message: string, suggestion: string): InvalidInputError =>
  new InvalidInputError([{ source, line: 1, field: '', message, suggestion }])

/** Bounds of a text, checked before anything of it is read. */
export interface YamlLimits {
  /** Of the whole text in UTF-8. */
  readonly limitBytes: number
  /** What to do with a text that is larger. */
  readonly advice: string
}

const parse = (text: string, source: string, lines: LineCounter) => {
  try {
    // Unique keys are checked above in linear time; the parser's own check is quadratic (minutes for 200,000 keys).
    const parsed = parseAllDocuments<ParsedNode>(text, {
      lineCounter: lines,
      version: '1.2',
      schema: 'core',
      uniqueKeys: false,
      merge: false,
      prettyErrors: false,
    })
    return Array.isArray(parsed) ? parsed : []
  } catch (error) {
    // The parser recurses: text made to exhaust its stack is refused like any other.
    if (error instanceof RangeError) throw refusal(source, 'not YAML: the document is nested too deep', 'flatten it')
    throw error
  }
}

/**
 * Reads the YAML documents (YAML 1.2 core, so JSON too) of a text for people to write: no aliases, no tags. Empty
 * documents are left out.
 *
 * @param source the file as the person named it
 * @throws {InvalidInputError} with every problem of all documents, in source order (`refuseDocument`)
 */
export const readYamlDocuments = (text: string, source: string, limits: YamlLimits): readonly YamlDocument[] => {
  if (text.length > limits.limitBytes || new TextEncoder().encode(text).byteLength > limits.limitBytes)
    throw refusal(source, `the file is over ${limits.limitBytes / 2 ** 20} MiB`, limits.advice)
  const lines = new LineCounter()
  const parsed = parse(text, source, lines)
  const syntax = parsed.flatMap((document) =>
    document.errors.map((error) => syntaxProblem(error, source, lines.linePos(error.pos[0]).line)),
  )
  if (syntax.length > 0) throw new InvalidInputError(firstOfEachLine(syntax))
  const problems: Problem[] = []
  const documents = parsed.flatMap(({ contents }): YamlDocument[] => {
    if (!contents || (isScalar(contents) && contents.value === null)) return []
    const reader = createPlainReader(source, lines)
    const { line } = lines.linePos(contents.range[0])
    const value = reader.read(contents, [])
    problems.push(...reader.problems)
    return [
      {
        source,
        value,
        line,
        lineOf: (path) => nearestLine(reader.lineByPath, path) ?? line,
        writtenAt: (path) => reader.writtenByPath.get(fieldText(path)),
      },
    ]
  })
  if (problems.length > 0) throw refuseDocument(problems)
  return documents
}

/**
 * Reads the one YAML document of a text.
 *
 * @throws {InvalidInputError} as `readYamlDocuments`, and when there is none or a second one
 */
export const readYaml = (text: string, source: string, limits: YamlLimits): YamlDocument => {
  const documents = readYamlDocuments(text, source, limits)
  const [document, second] = documents
  if (document === undefined) throw refusal(source, 'the file is empty', 'start it with version: 1')
  if (second === undefined) return document
  throw new InvalidInputError([
    {
      source,
      line: second.line,
      field: '',
      message: `the file holds ${documents.length} documents`,
      suggestion: 'keep one, without --- lines',
    },
  ])
}

const nearestLine = (lineByPath: ReadonlyMap<string, number>, path: FieldPath): number | undefined => {
  for (let length = path.length; length > 0; length--) {
    const line = lineByPath.get(fieldText(path.slice(0, length)))
    if (line !== undefined) return line
  }
  return undefined
}
