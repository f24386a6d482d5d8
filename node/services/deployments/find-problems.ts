import type * as z from 'zod'
import { nearestName } from '../../../base/index.ts'
import { type FieldPath, fieldText, kindWords, valueAt } from '../../../topologies/index.ts'
import { fieldsNotYet } from './field-checks.ts'

/** One thing wrong, at a place inside the value; `at` is `name` when the field's name itself is wrong. */
export interface Finding {
  readonly path: FieldPath
  readonly at: 'name' | 'value'
  readonly message: string
  readonly suggestion?: string
}

const missingMessage = 'is missing'
const notYetMessage = 'is not supported yet'

type Issue = z.core.$ZodIssue
type Schema = z.core.$ZodType

const wordFor = (value: unknown): string => {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  return typeof value === 'string' ? 'text' : `the ${typeof value} ${String(value)}`
}

/** The schema of what lies at `path`; steps through the few kinds of schema that specifications are made of. */
const schemaAt = (schema: Schema, path: FieldPath): Schema | undefined => {
  const { def } = schema._zod as unknown as { def: Record<string, unknown> & { type: string } }
  if (def.type === 'optional' || def.type === 'default') return schemaAt(def.innerType as Schema, path)
  if (def.type === 'pipe') return schemaAt(def.in as Schema, path)
  const [key, ...rest] = path
  if (key === undefined) return schema
  if (def.type === 'union')
    return (def.options as readonly Schema[])
      .map((option) => schemaAt(option, path))
      .find((found) => found !== undefined)
  if ((def.type === 'array') !== (typeof key === 'number')) return undefined
  const inner =
    def.type === 'object'
      ? (def.shape as Record<string, Schema>)[key]
      : ((def.type === 'array' ? def.element : def.valueType) as Schema | undefined)
  return inner && schemaAt(inner, rest)
}

type ObjectSchema = Schema & { readonly shape: Readonly<Record<string, Schema>> }

/** The object among what may stand at `path`. */
const objectAt = (schema: Schema, path: FieldPath): ObjectSchema | undefined => {
  const found = schemaAt(schema, path)
  const options = (found?._zod.def as { options?: readonly Schema[] } | undefined)?.options ?? [found]
  return options.find((option): option is ObjectSchema => option !== undefined && 'shape' in option)
}

const unknownFields = (schema: Schema, issue: Issue & { code: 'unrecognized_keys' }, path: FieldPath): Finding[] => {
  const inside = objectAt(schema, issue.path as FieldPath)
  const known = Object.keys(inside?.shape ?? {})
  const notYet = inside ? fieldsNotYet(inside) : {}
  return issue.keys.map((name) => {
    const at = { path: [...path, name], at: 'name' as const }
    if (Object.hasOwn(notYet, name)) return { ...at, message: notYetMessage, suggestion: notYet[name] ?? '' }
    const near = nearestName(name, [...known, ...Object.keys(notYet)])
    const suggestion = near ? `did you mean ${JSON.stringify(near)}?` : `known here: ${known.join(', ')}`
    return { ...at, message: 'is not a known field', suggestion }
  })
}

const wrongKind = (issue: Issue & { code: 'invalid_type' }, value: unknown): Omit<Finding, 'path' | 'at'> => {
  const wanted = kindWords[issue.expected] ?? issue.expected
  if (value === undefined) return { message: missingMessage, suggestion: `write ${wanted}` }
  const found = wordFor(value)
  const message = `must be ${wanted}, ${found === 'empty' ? 'but is empty' : `not ${found}`}`
  const scalar = typeof value === 'number' || typeof value === 'boolean'
  return issue.expected === 'string' && scalar
    ? { message, suggestion: `put it in quotes: "${String(value)}"` }
    : { message }
}

const bound = (issue: Issue & { code: 'too_small' | 'too_big' }): string => {
  const [side, limit] = issue.code === 'too_small' ? ['at least', issue.minimum] : (['at most', issue.maximum] as const)
  return issue.origin === 'array'
    ? `must have ${side} ${limit} ${Number(limit) === 1 ? 'entry' : 'entries'}`
    : `must be ${side} ${limit}`
}

const choice = (issue: Issue & { code: 'invalid_value' }, value: unknown): Omit<Finding, 'path' | 'at'> => {
  const known = issue.values.map(String)
  const message = value === undefined ? missingMessage : `must be ${known.join(' or ')}`
  const near = typeof value === 'string' ? nearestName(value, known) : undefined
  if (near) return { message, suggestion: `did you mean ${JSON.stringify(near)}?` }
  return value === undefined ? { message, suggestion: `write ${known.join(' or ')}` } : { message }
}

/** Of a choice between shapes, what the shape says that the writer seems to have meant. */
const meantBranch = (issue: Issue & { code: 'invalid_union' }): number => {
  const fits = issue.errors.findIndex(
    (branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
  )
  return fits
}

const findingsOf = (schema: Schema, issue: Issue, prefix: FieldPath, value: unknown): readonly Finding[] => {
  const own = issue.path as FieldPath
  const path = [...prefix, ...own]
  const inside = valueAt(value, own)
  if (issue.code === 'unrecognized_keys') return unknownFields(schema, issue, path)
  if (issue.code === 'invalid_type') return [{ path, at: 'value', ...wrongKind(issue, inside) }]
  if (issue.code === 'too_small' || issue.code === 'too_big') return [{ path, at: 'value', message: bound(issue) }]
  if (issue.code === 'invalid_value') return [{ path, at: 'value', ...choice(issue, inside) }]
  if (issue.code === 'invalid_key')
    return [{ path, at: 'name', message: issue.issues[0]?.message ?? 'is not a name that fits here' }]
  if (issue.code === 'invalid_union') {
    const chosen = meantBranch(issue)
    const options = (schemaAt(schema, own)?._zod.def as { options?: readonly Schema[] } | undefined)?.options
    const option = options?.[chosen]
    if (!option)
      return [{ path, at: 'value', message: inside === undefined ? missingMessage : `cannot be ${wordFor(inside)}` }]
    return (issue.errors[chosen] ?? []).flatMap((inner) => findingsOf(option, inner as Issue, path, inside))
  }
  const suggestion = issue.code === 'custom' ? issue.params?.suggestion : undefined
  return [{ path, at: 'value', message: issue.message, ...(typeof suggestion === 'string' && { suggestion }) }]
}

/** A field that is not supported yet often stands in for one that is: then its absence is not a second problem. */
const withoutFollowing = (findings: readonly Finding[]): readonly Finding[] => {
  const parent = ({ path }: Finding) => fieldText(path.slice(0, -1))
  const notYet = new Set(findings.filter(({ message }) => message === notYetMessage).map(parent))
  return findings.filter((finding) => finding.message !== missingMessage || !notYet.has(parent(finding)))
}

/** Everything `schema` has against `value`, in words; or the value as the schema gives it. */
export const checkFields = <S extends z.ZodType>(
  schema: S,
  value: unknown,
): { readonly value: z.output<S> } | { readonly findings: readonly Finding[] } => {
  const checked = schema.safeParse(value)
  return checked.success
    ? { value: checked.data }
    : { findings: withoutFollowing(checked.error.issues.flatMap((issue) => findingsOf(schema, issue, [], value))) }
}
