import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
} from 'yaml'
import type { Problem } from '../../../base/index.ts'
import type { FieldPath, Finding } from './find-problems.ts'

/** Where a field stands in the text: its line, and a number or word as it is written there. */
export type Locate = (path: FieldPath, at: Finding['at']) => { readonly line?: number; readonly written?: string }

/** One document of a text, as plain data. */
export interface ReadDocument {
  readonly value: unknown
  readonly line: number
  readonly locate: Locate
}

/** Characters of one text; far above what a set of applications needs. */
const maxLength = 4 * 1024 * 1024
const maxDocuments = 200
/** Far above what a specification needs; deeper text would exhaust the stack of whoever walks it. */
const maxDepth = 64

const keyIs = (pair: Pair, key: string | number) => isScalar(pair.key) && String(pair.key.value) === String(key)

const startOf = (node: unknown, otherwise: number): number => (node as Node | null)?.range?.[0] ?? otherwise

const locateIn =
  (document: Document, lines: LineCounter): Locate =>
  (path, at) => {
    let node = document.contents as Node | null
    let offset = startOf(node, document.range?.[0] ?? 0)
    for (const [depth, key] of path.entries()) {
      if (isAlias(node)) node = (node.resolve(document) as Node | undefined) ?? null
      // The list alone is written where the checked form has `items`.
      if (isSeq(node) && key === 'items') continue
      if (isMap(node)) {
        const pair = node.items.find((item) => keyIs(item, key))
        if (!pair) break
        offset = startOf(pair.key, offset)
        node = pair.value as Node | null
        if (depth === path.length - 1 && at === 'name') break
      } else if (isSeq(node)) {
        node = (node.items[Number(key)] as Node | undefined) ?? null
        offset = startOf(node, offset)
      } else break
    }
    const written = isScalar(node) && typeof node.value !== 'string' ? node.source : undefined
    return { line: lines.linePos(offset).line, ...(written !== undefined && { written }) }
  }

const isTooDeep = (value: unknown, left = maxDepth): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (left === 0 || Object.values(value).some((inner) => isTooDeep(inner, left - 1)))

const toValue = (document: Document): { value: unknown } | { refused: string } => {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    return isTooDeep(value) ? { refused: `nests deeper than ${maxDepth} levels` } : { value }
  } catch (error) {
    return { refused: `is not usable YAML: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** A key that stands twice in one map. Found here because the parser's own search is quadratic. */
const repeatedKey = (document: Document): { name: string; offset: number } | undefined => {
  let found: { name: string; offset: number } | undefined
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : ''
        if (isScalar(key) && seen.has(name)) found = { name, offset: startOf(key, 0) }
        if (found) return visit.BREAK
        seen.add(name)
      }
      return undefined
    },
  })
  return found
}

const parse = (text: string, lines: LineCounter) => {
  try {
    const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
    return 'empty' in parsed ? [] : parsed
  } catch (error) {
    // The parser recurses; text made to exhaust the stack is refused like any other.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Reads a text of YAML or JSON documents; empty ones are left out. All or nothing: with problems, no documents. */
export const readYaml = (
  text: string,
  source: string,
): { readonly documents: readonly ReadDocument[]; readonly problems: readonly Problem[] } => {
  const refuse = (message: string) => ({ documents: [], problems: [{ source, field: '', message }] })
  if (text.length > maxLength) return refuse(`is larger than ${maxLength} characters`)
  const lines = new LineCounter()
  const parsed = parse(text, lines)
  if (!parsed) return refuse('nests too deeply')
  if (parsed.length > maxDocuments) return refuse(`holds more than ${maxDocuments} documents`)
  const problems: Problem[] = []
  const documents: ReadDocument[] = []
  for (const document of parsed) {
    const line = lines.linePos(startOf(document.contents, document.range?.[0] ?? 0)).line
    const [broken] = document.errors
    if (broken) {
      // The first is the cause, the others follow from it; a parser out of stack says so in its own words.
      const tooDeep = /stack/i.test(broken.message)
      const message = tooDeep ? 'nests too deeply' : `is not YAML: ${broken.message}`
      problems.push({ source, line: lines.linePos(broken.pos[0]).line, field: '', message })
      continue
    }
    const twice = repeatedKey(document)
    if (twice) {
      const at = lines.linePos(twice.offset).line
      problems.push({
        source,
        line: at,
        field: twice.name,
        message: 'stands here twice',
        suggestion: 'keep one of the two',
      })
      continue
    }
    const read = toValue(document)
    if ('refused' in read) problems.push({ source, line, field: '', message: read.refused })
    else if (read.value !== null) documents.push({ value: read.value, line, locate: locateIn(document, lines) })
  }
  return { documents: problems.length > 0 ? [] : documents, problems }
}
