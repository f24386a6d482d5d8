import type { ObservedHost } from './containers.ts'

type Data = { readonly [key: string]: unknown }

const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null

/** Plain data alone: in the order of lists, and with a key that is absent no other than one that is undefined. */
const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (!isData(a) || !isData(b) || Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a) && a.length !== (b as unknown as readonly unknown[]).length) return false
  for (const key in a) if (!isSame(a[key], b[key])) return false
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false
  return true
}

/**
 * Whether two lists say the same of a host, without making anything of either: asked for every list of every host at rest.
 * Lists in another order are not the same, which costs a look and nothing else.
 */
export const isSameHost = (a: ObservedHost, b: ObservedHost): boolean => isSame(a, b)
