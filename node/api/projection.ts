import { refusal } from './problem-report.ts'

/** The fields wanted of an object; an empty map means the whole value. */
export type Projection = ReadonlyMap<string, Projection>

const maxLength = 2_000
const maxDepth = 16
const whole: Projection = new Map()

const merge = (a: Projection | undefined, b: Projection): Projection => {
  if (a === undefined) return b
  if (a.size === 0 || b.size === 0) return whole
  const both = new Map(a)
  for (const [name, inner] of b) both.set(name, merge(both.get(name), inner))
  return both
}

/**
 * Reads a `fields` parameter: `name`, `name,version`, `sites/[site,ready/count]`, `[a,b]`.
 * @throws {SkerryError} `bad-request` with the position where it stops being one
 */
export const parseProjection = (text: string): Projection => {
  let at = 0
  const bad = (what: string) =>
    refusal('bad-request', `fields: ${what} at character ${at + 1}: write it like name,sites/[site,ready]`)
  if (text.length > maxLength) throw refusal('bad-request', `fields: longer than ${maxLength} characters`)
  const name = (): string => {
    const found = /^[A-Za-z0-9._:@-]+/.exec(text.slice(at))?.[0]
    if (found === undefined)
      throw bad(at < text.length ? `unexpected ${JSON.stringify(text[at])}` : 'a name is missing')
    at += found.length
    return found
  }
  const after = (depth: number): Projection => {
    if (depth > maxDepth) throw bad(`deeper than ${maxDepth} levels`)
    if (text[at] === '[') {
      at++
      const inner = list(depth)
      if (text[at] !== ']') throw bad('a "]" is missing')
      at++
      return inner
    }
    const field = name()
    if (text[at] !== '/') return new Map([[field, whole]])
    at++
    return new Map([[field, after(depth + 1)]])
  }
  const list = (depth: number): Projection => {
    let fields: Projection | undefined
    for (;;) {
      fields = merge(fields, after(depth))
      if (text[at] !== ',') return fields
      at++
    }
  }
  const projection = list(1)
  if (at < text.length) throw bad(`unexpected ${JSON.stringify(text[at])}`)
  return projection
}

/** Keeps of `value` what is wanted; lists are projected element by element, fields that are not there stay absent. */
export const project = (value: unknown, wanted: Projection): unknown => {
  if (wanted.size === 0) return value
  if (Array.isArray(value)) return value.map((item) => project(item, wanted))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const deeper = wanted.get(name)
      return deeper === undefined ? [] : [[name, project(inner, deeper)]]
    }),
  )
}
