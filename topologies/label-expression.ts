import { nearestName, SkerryError } from '../base/index.ts'
import { type Token, tokenize } from './label-tokens.ts'
import { labelKeyProblem } from './labels.ts'
import type { Labels } from './topology.ts'

/** Which labels a site or host must have. */
export type LabelExpression =
  | { readonly kind: 'has'; readonly key: string }
  | { readonly kind: 'equals' | 'differs'; readonly key: string; readonly value: string }
  | { readonly kind: 'not'; readonly of: LabelExpression }
  /** Two or more. */
  | { readonly kind: 'and' | 'or'; readonly of: readonly LabelExpression[] }

/** Thrown when a label expression cannot be read; `details` has `text` and the 1-based `column`. */
export class LabelExpressionError extends SkerryError {
  static override readonly name = 'LabelExpressionError'
  /** 1-based column in the text. */
  readonly column: number

  constructor(text: string, column: number, message: string, suggestion: string) {
    super('invalid-label-expression', `label expression, column ${column}: ${message}; ${suggestion}`, {
      details: { text, column, suggestion },
    })
    this.column = column
  }
}

/** Bounds of an expression, so that a hostile one costs nothing. */
export const labelExpressionLimits = { characters: 2_048, depth: 32, terms: 128 } as const

const example = 'write it like: system/type = edge and not shop.example/canary'

/**
 * Reads `key`, `key = value`, `key != value`, `not`, `and`, `or` and parentheses; `and` binds tighter than `or`. Words
 * and labels are case-sensitive; a value with other characters than letters, digits and `._-+/:@` stands in quotes.
 *
 * @throws {LabelExpressionError} with the column and what to write instead.
 */
export const parseLabelExpression = (text: string): LabelExpression => {
  const fail = (column: number, message: string, suggestion: string): never => {
    throw new LabelExpressionError(text.slice(0, 200), column, message, suggestion)
  }
  if (text.length > labelExpressionLimits.characters)
    fail(1, `it is longer than ${labelExpressionLimits.characters} characters`, 'give those sites a label in common')
  const tokens = tokenize(text, fail)
  let at = 0
  let terms = 0
  const next = (): Token => tokens[at] as Token
  const takeWord = (word: string): boolean => {
    if (next().kind !== 'word' || next().text !== word) return false
    at += 1
    return true
  }
  const chain = (word: 'and' | 'or', part: (depth: number) => LabelExpression, depth: number): LabelExpression => {
    const of = [part(depth)]
    while (takeWord(word)) of.push(part(depth))
    return of.length === 1 ? (of[0] as LabelExpression) : { kind: word, of }
  }
  const any = (depth: number): LabelExpression => chain('or', all, depth)
  const all = (depth: number): LabelExpression => chain('and', one, depth)
  const one = (depth: number): LabelExpression => {
    const { column } = next()
    if (depth > labelExpressionLimits.depth)
      fail(column, `it is nested deeper than ${labelExpressionLimits.depth}`, 'leave out parentheses')
    if (takeWord('not')) return { kind: 'not', of: one(depth + 1) }
    if (next().kind !== '(') return term()
    at += 1
    const inside = any(depth + 1)
    if (next().kind !== ')') fail(next().column, `the parenthesis of column ${column} is not closed`, 'add )')
    at += 1
    return inside
  }
  const term = (): LabelExpression => {
    const { kind, text: key, column } = next()
    if (kind !== 'word' || key === 'and' || key === 'or')
      fail(column, `a label is wanted, not ${shown(next())}`, kind === 'quoted' ? 'keys take no quotes' : example)
    const problem = labelKeyProblem(key)
    if (problem !== undefined) fail(column, `${JSON.stringify(key)} is not a label: ${problem}`, example)
    at += 1
    terms += 1
    if (terms > labelExpressionLimits.terms)
      fail(column, `it has more than ${labelExpressionLimits.terms} terms`, 'give those sites a label in common')
    if (next().kind !== '=' && next().kind !== '!=') return { kind: 'has', key }
    const comparison = next().kind === '=' ? 'equals' : 'differs'
    at += 1
    return { kind: comparison, key, value: value() }
  }
  const value = (): string => {
    const token = next()
    const { kind, text: found, column } = token
    if (kind !== 'word' && kind !== 'quoted')
      fail(column, `a value is wanted, not ${shown(token)}`, 'write "" for empty')
    if (kind === 'word' && /^(and|or|not)$/.test(found))
      fail(column, `a value is wanted, not ${found}`, `put it in quotes if it is the value: "${found}"`)
    at += 1
    return found
  }
  const result = any(1)
  const left = next()
  if (left.kind === 'end') return result
  const near = left.kind === 'word' ? nearestName(left.text.toLowerCase(), ['and', 'or']) : undefined
  return fail(
    left.column,
    `"and" or "or" is wanted, not ${shown(left)}`,
    near === undefined ? example : `did you mean "${near}"?`,
  )
}

const shown = ({ kind, text }: Token): string => (kind === 'end' ? 'the end' : JSON.stringify(text))

/**
 * Whether labels meet an expression. A label that is not there matches nothing: not `key`, not `key = value` and not
 * `key != value`, so a label a zone keeps back never places anything; `not key = value` also takes its absence.
 */
export const matchesLabels = (expression: LabelExpression, labels: Labels): boolean => {
  switch (expression.kind) {
    case 'not':
      return !matchesLabels(expression.of, labels)
    case 'and':
      return expression.of.every((part) => matchesLabels(part, labels))
    case 'or':
      return expression.of.some((part) => matchesLabels(part, labels))
    default: {
      if (!Object.hasOwn(labels, expression.key)) return false
      if (expression.kind === 'has') return true
      return (labels[expression.key] === expression.value) === (expression.kind === 'equals')
    }
  }
}

const describeValue = (value: string): string =>
  /^[A-Za-z0-9._\-+/:@]+$/.test(value) && !/^(and|or|not)$/.test(value)
    ? value
    : `"${value.replaceAll(/["\\]/g, (char) => `\\${char}`)}"`

const isChain = ({ kind }: LabelExpression): boolean => kind === 'and' || kind === 'or'

/** The text of an expression, which parses back to the same one. */
export const describeExpression = (expression: LabelExpression): string => {
  const inside = (part: LabelExpression) => (isChain(part) ? `(${describeExpression(part)})` : describeExpression(part))
  switch (expression.kind) {
    case 'has':
      return expression.key
    case 'equals':
      return `${expression.key} = ${describeValue(expression.value)}`
    case 'differs':
      return `${expression.key} != ${describeValue(expression.value)}`
    case 'not':
      return `not ${inside(expression.of)}`
    default:
      return expression.of.map(inside).join(` ${expression.kind} `)
  }
}
