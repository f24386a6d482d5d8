import { nearestName, parseName, parseScopePath } from '../../base/index.ts'
import { refusal } from './problem-report.ts'
import { parseProjection } from './projection.ts'

const flag = (text: string): boolean => {
  if (text !== 'true' && text !== 'false') throw new Error('use true or false')
  return text === 'true'
}

const wholeNumber = (max: number) => (text: string) => {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= max)) throw new Error(`use a whole number from 0 to ${max}`)
  return value
}

/** Bytes of log one request may ask for from the past. */
const maxTailBytes = 64 * 2 ** 20

/** Every query parameter of the API: how it is read, and what it is for. */
export const queryKeys = {
  fields: { read: parseProjection, text: 'only these fields, like name,sites/[site,ready]', type: 'string' },
  keys: { read: flag, text: 'only the names of the objects', type: 'boolean' },
  count: { read: flag, text: 'only how many objects there are', type: 'boolean' },
  validate: { read: flag, text: 'only judge the body; change nothing', type: 'boolean' },
  'dry-run': { read: flag, text: 'say what would change; change nothing', type: 'boolean' },
  'version-list': { read: flag, text: 'the kept versions, newest first', type: 'boolean' },
  site: { read: parseName, text: 'the site that is to answer, or that is asked about', type: 'string' },
  zone: { read: parseScopePath, text: 'path of a zone, like /de/bavaria', type: 'string' },
  a: { read: parseName, text: 'the first site', type: 'string' },
  b: { read: parseName, text: 'the second site', type: 'string' },
  container: { read: parseName, text: 'the container of the instance; needed where it has several', type: 'string' },
  'tail-bytes': { read: wholeNumber(maxTailBytes), text: 'bytes of the past to begin with [default: all kept]', type: 'integer' },
  follow: { read: flag, text: 'go on with what comes until the client leaves', type: 'boolean' },
} satisfies Record<string, { read: (text: string) => unknown; text: string; type: string }> // biome-ignore format: a table

export type QueryKey = keyof typeof queryKeys

/** The parameters of one request, read. */
export type Query = { readonly [Key in QueryKey]?: ReturnType<(typeof queryKeys)[Key]['read']> }

const readOne = (key: QueryKey, text: string): unknown => {
  try {
    return queryKeys[key].read(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw refusal('bad-request', message.startsWith(`${key}:`) ? message : `${key}: ${message}`)
  }
}

/**
 * Reads the query of a request.
 * @throws {SkerryError} `bad-request` for an unknown, repeated, malformed or missing parameter
 */
export const parseQuery = (
  given: URLSearchParams,
  accepted: readonly QueryKey[],
  required: readonly QueryKey[] = [],
): Query => {
  const query: Partial<Record<QueryKey, unknown>> = {}
  for (const [name, text] of given) {
    const key = accepted.find((candidate) => candidate === name)
    if (key === undefined) {
      const near = nearestName(name, accepted)
      const known = accepted.length === 0 ? 'this path takes none' : `this path takes ${accepted.join(', ')}`
      throw refusal(
        'bad-request',
        `unknown parameter ${JSON.stringify(name.slice(0, 80))}${near ? `; did you mean ${near}?` : `: ${known}`}`,
      )
    }
    if (key in query) throw refusal('bad-request', `parameter ${key} is given twice`)
    query[key] = readOne(key, text)
  }
  for (const key of required)
    if (query[key] === undefined) throw refusal('bad-request', `parameter ${key} is missing: ${queryKeys[key].text}`)
  return query as Query
}
