/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * The one text of a JSON value: keys sorted by code unit, no white space, absent for undefined (RFC 8785 for the
 * values used here: finite numbers, well-formed strings). Equal values give equal text.
 *
 * @throws {TypeError} when a value has no JSON form (a function, NaN, an infinite number, a lone surrogate).
 */
export const canonicalJson = (value: unknown): string => {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`no canonical form for the number ${value}`)
    return JSON.stringify(value)
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('no canonical form for a string with a lone surrogate')
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value === 'object') {
    // Without arrays in between: much of what a node does is to write and to hash small objects.
    let text = ''
    for (const key of Object.keys(value).toSorted()) {
      const item: unknown = (value as Readonly<Record<string, unknown>>)[key]
      if (item !== undefined) text += `${text === '' ? '' : ','}${canonicalJson(key)}:${canonicalJson(item)}`
    }
    return `{${text}}`
  }
  throw new TypeError(`no canonical form for a ${typeof value}`)
}
