/** Where something stands in a document: keys of maps and indexes of lists from the top. */
export type FieldPath = readonly (string | number)[]

/** `zones[0].policy.logs`; keys that are more than letters, digits and dashes stand in quotes. */
export const fieldText = (path: FieldPath): string =>
  path.reduce<string>(
    (text, step) =>
      typeof step === 'number'
        ? `${text}[${step}]`
        : `${text}${text === '' ? '' : '.'}${/^[\w-]+$/.test(step) ? step : JSON.stringify(step)}`,
    '',
  )

/** What stands at a path of plain data; undefined when nothing does. */
export const valueAt = (value: unknown, path: FieldPath): unknown =>
  path.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null && Object.hasOwn(inside, key)
        ? (inside as Record<string | number, unknown>)[key]
        : undefined,
    value,
  )

/** What a person calls the kinds of value a schema asks for. */
export const kindWords: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  string: 'text',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
}
