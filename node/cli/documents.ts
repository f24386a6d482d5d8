import { LineCounter, parseAllDocuments } from 'yaml'
import { InvalidInputError, type Problem } from '../../base/index.ts'

export type DocumentKind = 'applications' | 'application-deployments'

/** One document of a file, ready to be sent. */
export interface Document {
  readonly kind: DocumentKind
  /** Absent when the document gives none; the node then says what is wrong. */
  readonly name?: string
  /** The document's own text, moved so that its lines have the numbers they have in the file. */
  readonly text: string
  readonly mediaType: string
  readonly source: string
}

const kindOf = (value: unknown): DocumentKind | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const application = 'services' in value
  const deployment = 'application' in value
  if (application === deployment) return undefined
  return application ? 'applications' : 'application-deployments'
}

const nameOf = (value: unknown): string | undefined => {
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined
  return typeof name === 'string' && /^[a-z0-9-]{1,63}$/.test(name) ? name : undefined
}

const notKnown =
  'is neither an application nor a deployment: an application has services, a deployment names its application'

/**
 * The documents of a YAML or JSON file, applications first, because deployments name them.
 * @throws {InvalidInputError} naming file and line of what cannot be read or is neither kind
 */
export const splitDocuments = (text: string, source: string): readonly Document[] => {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  const found = 'empty' in parsed ? [] : parsed
  const problems: Problem[] = []
  const documents: Document[] = []
  for (const document of found) {
    const [start, , end] = document.range
    const { line } = lines.linePos(document.contents?.range?.[0] ?? start)
    if (document.errors.length > 0) {
      for (const { message, pos } of document.errors)
        problems.push({ source, line: lines.linePos(pos[0]).line, field: '', message })
      continue
    }
    if (document.contents === null) continue
    const value: unknown = toValue(document)
    if (value === null) continue
    const kind = kindOf(value)
    if (kind === undefined) {
      problems.push({ source, line, field: '', message: notKnown })
      continue
    }
    const name = nameOf(value)
    const mediaType = source.endsWith('.json') ? 'application/json' : 'application/yaml'
    const before = '\n'.repeat(lines.linePos(start).line - 1)
    documents.push({
      kind,
      text: before + text.slice(start, end),
      mediaType,
      source,
      ...(name !== undefined && { name }),
    })
  }
  if (problems.length > 0) throw new InvalidInputError(problems)
  if (documents.length === 0) throw new InvalidInputError([{ source, field: '', message: 'holds no document' }])
  return documents.toSorted((a, b) => Number(a.kind !== 'applications') - Number(b.kind !== 'applications'))
}

/** The value as far as its kind and name are asked; aliases the node refuses are left to it. */
const toValue = (document: { toJS(options: { maxAliasCount: number }): unknown }): unknown => {
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch {
    return undefined
  }
}
