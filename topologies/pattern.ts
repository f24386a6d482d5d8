/** What `{…}` in a name, label value, host-id or address may stand for. */
export interface TemplateValues {
  /** The zone it stands in. */
  readonly zone?: string
  /** The site it stands in. */
  readonly site?: string
  /** The number of the nearest range, as written: `0007`. */
  readonly n?: string
}

/** What is wrong with a pattern or template, and what to write instead. */
export interface PatternProblem {
  readonly message: string
  readonly suggestion: string
}

interface Range {
  readonly from: number
  readonly to: number
  readonly width: number
}

type Part = { readonly text: string } | { readonly variable: keyof TemplateValues } | { readonly range: Range }

export type Parsed<Value> = { readonly value: Value } | { readonly problem: PatternProblem }

const refuse = (message: string, suggestion: string): { readonly problem: PatternProblem } => ({
  problem: { message, suggestion },
})

const parseRange = (inside: string): Parsed<Range> => {
  const [, first, last] = /^(\d{1,6})\.\.(\d{1,6})$/.exec(inside) ?? []
  if (first === undefined || last === undefined)
    return refuse(`{${inside}} is not a range of numbers`, 'write it like {0001..0500}')
  const [from, to] = [Number(first), Number(last)]
  if (from > to) return refuse(`the range {${inside}} goes down`, `write {${last}..${first}}`)
  const padded = first.length > 1 && first.startsWith('0')
  if ((padded || last.startsWith('0')) && first.length !== last.length)
    return refuse(
      `both ends of {${inside}} need the same number of digits`,
      `write {${first.padStart(last.length, '0')}..${last.padStart(first.length, '0')}}`,
    )
  return { value: { from, to, width: padded ? first.length : 0 } }
}

const parsePart = (inside: string, values: TemplateValues): Parsed<Part> => {
  if (inside === 'zone' || inside === 'site' || inside === 'n') {
    if (values[inside] !== undefined) return { value: { variable: inside } }
    const why = { zone: 'there is no zone around it', site: 'it is not in a site', n: 'no range gives it a number' }
    return refuse(`{${inside}} means nothing here: ${why[inside]}`, 'write the text out')
  }
  if (!/\d|\./.test(inside))
    return refuse(`{${inside.slice(0, 40)}} is not known`, 'use {zone}, {site}, {n} or a range like {01..20}')
  const range = parseRange(inside)
  return 'problem' in range ? range : { value: { range: range.value } }
}

const parseParts = (text: string, values: TemplateValues): Parsed<readonly Part[]> => {
  const parts: Part[] = []
  for (const [piece] of text.matchAll(/\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (piece === '{' || piece === '}')
      return refuse(`a ${piece} stands alone`, 'write a range like {01..20}, and quotes around the whole')
    if (!piece.startsWith('{')) parts.push({ text: piece })
    else {
      const part = parsePart(piece.slice(1, -1), values)
      if ('problem' in part) return part
      parts.push(part.value)
    }
  }
  return { value: parts }
}

const render = (parts: readonly Part[], values: TemplateValues, number: string): string =>
  parts.map((part) => ('text' in part ? part.text : 'range' in part ? number : (values[part.variable] ?? ''))).join('')

/** Fills the variables of a text; a range has no place in it. */
export const fillTemplate = (text: string, values: TemplateValues): Parsed<string> => {
  const parts = parseParts(text, values)
  if ('problem' in parts) return parts
  if (parts.value.some((part) => 'range' in part))
    return refuse('only a name can hold a range', 'write {n} for the number of the name')
  return { value: render(parts.value, values, '') }
}

/** Names a pattern stands for, in the order of its range, each with its number if it has one. */
export interface Expansion {
  readonly count: number
  readonly names: () => Iterable<{ readonly name: string; readonly n?: string }>
}

/** A name with at most one range, such as `{zone}-shop-{0001..0500}`. Nothing is written out before `names` is read. */
export const parsePattern = (text: string, values: TemplateValues): Parsed<Expansion> => {
  const parts = parseParts(text, values)
  if ('problem' in parts) return parts
  const ranges = parts.value.flatMap((part) => ('range' in part ? [part.range] : []))
  if (ranges.length > 1) return refuse('a name holds at most one range', 'put the outer range into a zone')
  const [range] = ranges
  if (range === undefined) return { value: { count: 1, names: () => [{ name: render(parts.value, values, '') }] } }
  const names = function* () {
    for (let number = range.from; number <= range.to; number++) {
      const n = String(number).padStart(range.width, '0')
      yield { name: render(parts.value, values, n), n }
    }
  }
  return { value: { count: range.to - range.from + 1, names } }
}
