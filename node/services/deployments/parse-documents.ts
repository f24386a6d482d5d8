import type * as z from 'zod'
import { InvalidInputError, type Problem } from '../../../base/index.ts'
import { type FieldPath, fieldText, readYamlDocuments, type YamlDocument } from '../../../topologies/index.ts'
import { checkApplication } from './check-application.ts'
import { type DeploymentSpec, deploymentSchema } from './deployment-specification.ts'
import { checkFields, type Finding } from './find-problems.ts'
import { type ApplicationSpec, applicationSchema } from './specification.ts'

/** One object of configuration as a person handed it in. */
export type ConfigDocument =
  | { readonly kind: 'application'; readonly value: ApplicationSpec }
  | { readonly kind: 'deployment'; readonly value: DeploymentSpec }

type Kind = ConfigDocument['kind']
type Checked<Value> = { readonly value: Value } | { readonly findings: readonly Finding[] }

/** More than a person reads at once. */
const maxProblems = 50

/** Far above what a set of applications needs. */
const limits = { limitBytes: 4 * 2 ** 20, advice: 'send it in several' }
const maxDocuments = 200

/** The place of a field in the text: a list alone is written where the checked form has `items`. */
const asWritten = (value: unknown, path: FieldPath): FieldPath => {
  const [key, ...rest] = path
  if (key === undefined || typeof value !== 'object' || value === null) return path
  if (key === 'items' && Array.isArray(value)) return asWritten(value, rest)
  return [key, ...asWritten((value as Record<string | number, unknown>)[key], rest)]
}

const toProblem = (finding: Finding, source: string, document?: YamlDocument): Problem => {
  const path = asWritten(document?.value, finding.path)
  const line = document?.lineOf(path)
  const written = finding.at === 'value' ? document?.writtenAt(path) : undefined
  const quotes = 'put it in quotes'
  // What stands in the file, not what YAML made of it: 1.10 would come back as 1.1.
  const suggestion =
    written !== undefined && finding.suggestion?.startsWith(quotes) ? `${quotes}: "${written}"` : finding.suggestion
  return {
    source,
    ...(line !== undefined && { line }),
    field: fieldText(finding.path),
    message: finding.message,
    ...(suggestion && { suggestion }),
  }
}

const refuseAll = (problems: readonly Problem[]): never => {
  const ordered = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
  throw new InvalidInputError(ordered.slice(0, maxProblems))
}

const checkBoth = <S extends z.ZodType>(
  schema: S,
  value: unknown,
  between: (value: z.output<S>) => readonly Finding[],
): Checked<z.output<S>> => {
  const fields = checkFields(schema, value)
  if ('findings' in fields) return fields
  const findings = between(fields.value)
  return findings.length > 0 ? { findings } : fields
}

const checkDocument = (kind: Kind, value: unknown): Checked<ConfigDocument> => {
  if (kind === 'application') {
    const checked = checkBoth(applicationSchema, value, checkApplication)
    return 'findings' in checked ? checked : { value: { kind, value: checked.value } }
  }
  const checked = checkBoth(deploymentSchema, value, () => [])
  return 'findings' in checked ? checked : { value: { kind, value: checked.value } }
}

const whole = (message: string, suggestion: string): Finding => ({ path: [], at: 'value', message, suggestion })

const kindOf = (value: unknown): Kind | Finding => {
  const suggestion = 'an application has services, a deployment has application and placement'
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return whole('is not an application or a deployment', suggestion)
  const [services, application] = [Object.hasOwn(value, 'services'), Object.hasOwn(value, 'application')]
  if (services && application)
    return whole(
      'could be an application or a deployment: it has both services and application',
      'write two documents with --- between them',
    )
  if (services) return 'application'
  if (application || Object.hasOwn(value, 'placement')) return 'deployment'
  // A misspelt field is better told as such than as a document of no kind.
  if (Object.keys(value).some((key) => key.startsWith('serv'))) return 'application'
  return whole('is neither an application nor a deployment', suggestion)
}

/** The object schemas skip this one name in silence, and nothing may be ignored. */
const hiddenName = (value: unknown, path: FieldPath = []): FieldPath | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const here = [...path, Array.isArray(value) ? Number(key) : key]
    const found = key === '__proto__' ? here : hiddenName(inner, here)
    if (found) return found
  }
  return undefined
}

const check = (value: unknown, kind?: Kind): Checked<ConfigDocument> => {
  const hidden = hiddenName(value)
  if (hidden) return { findings: [{ path: hidden, at: 'name', message: 'cannot be a name here' }] }
  const meant = kind ?? kindOf(value)
  return typeof meant === 'string' ? checkDocument(meant, value) : { findings: [meant] }
}

/**
 * Reads YAML or JSON with one or more documents; an application is one with `services`, a deployment one with
 * `application`.
 * @param source the file as the person named it, for the words of a refusal.
 * @throws {InvalidInputError} with every problem found: file, line, field, suggestion.
 */
export const parseDocuments = (text: string, source: string): readonly ConfigDocument[] => {
  const documents = readYamlDocuments(text, source, limits)
  const [tooMany] = documents.slice(maxDocuments)
  if (tooMany)
    refuseAll([
      {
        source,
        line: tooMany.line,
        field: '',
        message: `is document ${maxDocuments + 1}`,
        suggestion: `send at most ${maxDocuments} at once`,
      },
    ])
  const problems: Problem[] = []
  const found: ConfigDocument[] = []
  for (const document of documents) {
    const checked = check(document.value)
    if ('findings' in checked) {
      problems.push(...checked.findings.map((finding) => toProblem(finding, source, document)))
      continue
    }
    const { kind, value: parsed } = checked.value
    if (found.some((other) => other.kind === kind && other.value.name === parsed.name)) {
      const message = `there is another ${kind} ${parsed.name} in this file`
      problems.push({ source, line: document.line, field: 'name', message, suggestion: 'keep one of them' })
    }
    found.push(checked.value)
  }
  if (documents.length === 0)
    refuseAll([{ source, field: '', message: 'holds no document', suggestion: 'write an application or a deployment' }])
  return problems.length > 0 ? refuseAll(problems) : found
}

const parseValue = (kind: Kind, value: unknown, source: string): ConfigDocument => {
  const checked = check(value, kind)
  return 'value' in checked ? checked.value : refuseAll(checked.findings.map((finding) => toProblem(finding, source)))
}

/** An application from a value, as the API receives it. @throws {InvalidInputError} with every problem found. */
export const parseApplication = (value: unknown, source = 'application'): ApplicationSpec =>
  parseValue('application', value, source).value as ApplicationSpec

/** A deployment from a value, as the API receives it. @throws {InvalidInputError} with every problem found. */
export const parseDeployment = (value: unknown, source = 'deployment'): DeploymentSpec =>
  parseValue('deployment', value, source).value as DeploymentSpec
