import * as z from 'zod'
import { canonicalJson, namePattern, SkerryError } from '../../../base/index.ts'

/** What a parent keeps of one host below it, under `m/host/<name>`. */
export interface MemberRecord {
  readonly host: string
  readonly scope: string
  readonly role: 'aggregator' | 'edge'
  /** The key it is enrolled with, 64 hexadecimal digits; null before. */
  readonly key: string | null
  /** What its machine said when it was enrolled. */
  readonly hostId: string | null
  /** Of the view its site shares; never given again in its scope. */
  readonly client: number
  /** The number of its newest certificate; 0 before the first. */
  readonly certificate: number
  /** The last it was given; 0 before the first. */
  readonly session: number
  /** The X25519 key that others seal to; null or absent while it has said none. */
  readonly sealing?: string | null
  /** Scopes it was of before, with its client there: their lanes say that it is gone. */
  readonly past: readonly { readonly scope: string; readonly client: number }[]
}

/** What a parent keeps of one site or zone below it, under `m/scope/<scope>`. */
export interface ScopeRecord {
  readonly scope: string
  readonly kind: 'site' | 'zone'
  /** For life: of the site, 32 random digits; or of the zone's owner, 48 digits of its first list if it renews itself. */
  readonly id: string
  /** The lowest client that was never given. */
  readonly nextClient: number
  /** SHA-256 of what its lane was last written to hold; null when that is not known. */
  readonly written: string | null
  /** The id of the key that granted a zone its newest list here; null for a site, and where another node did. */
  readonly grantedBy: string | null
}

/** What a parent keeps of a token it gave out, under `m/token/<host>`. */
export interface TokenRecord {
  readonly host: string
  readonly hash: string
  /** The key that used it. */
  readonly usedBy: string | null
}

/** What a child keeps of itself, under `m/self`. */
export interface SelfRecord {
  readonly name: string
  /** The highest session it was given. */
  readonly session: number
  readonly site: string | null
  readonly parent: { readonly name: string; readonly scope: string }
}

export const recordFormat = 1
/** Scopes a host was of before that are remembered: their lanes were written when it left. */
export const maxPast = 16

const digits = (count: number) => z.string().regex(new RegExp(`^[0-9a-f]{${count}}$`))
const name = z.string().regex(namePattern)
const count = z.number().int().min(0).max(0xffffffff)
const v = z.literal(recordFormat)

const schemas = {
  host: z.object({
    v,
    host: name,
    scope: z.string(),
    role: z.enum(['aggregator', 'edge']),
    key: digits(64).nullable(),
    hostId: z.string().nullable(),
    client: count.min(1),
    certificate: count,
    session: count,
    sealing: digits(64).nullable().optional(),
    past: z.array(z.object({ scope: z.string(), client: count.min(1) })).max(maxPast),
  }),
  scope: z.object({
    v,
    scope: z.string(),
    kind: z.enum(['site', 'zone']),
    id: z.union([digits(32), digits(48)]),
    nextClient: count.min(1),
    written: digits(64).nullable(),
    grantedBy: digits(64).nullable(),
  }),
  token: z.object({ v, host: name, hash: digits(64), usedBy: digits(64).nullable() }),
  self: z.object({
    v,
    name,
    session: count,
    site: digits(32).nullable(),
    parent: z.object({ name, scope: z.string() }),
  }),
} as const

export type RecordKind = keyof typeof schemas
interface Records {
  readonly host: MemberRecord
  readonly scope: ScopeRecord
  readonly token: TokenRecord
  readonly self: SelfRecord
}

export const recordPrefix = 'm/'
export const recordKey = {
  host: (host: string): string => `${recordPrefix}host/${host}`,
  scope: (scope: string): string => `${recordPrefix}scope${scope}`,
  token: (host: string): string => `${recordPrefix}token/${host}`,
  self: `${recordPrefix}self`,
} as const

export const encodeRecord = (record: Records[RecordKind]): Uint8Array =>
  Buffer.from(canonicalJson({ v: recordFormat, ...record }))

/**
 * Reads what is stored.
 * @returns undefined when it is not what this kind looks like
 * @throws {SkerryError} `newer-format`
 */
export const decodeRecord = <Kind extends RecordKind>(
  kind: Kind,
  key: string,
  bytes: Uint8Array,
): Records[Kind] | undefined => {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
  const format = typeof value === 'object' && value !== null ? (value as { v?: unknown }).v : undefined
  if (typeof format === 'number' && format > recordFormat)
    throw new SkerryError('newer-format', `${key} has a newer format than ${recordFormat}: update this node to read it`)
  const parsed = schemas[kind].safeParse(value)
  if (!parsed.success) return undefined
  const { v: _, ...record } = parsed.data as { v: number }
  return record as Records[Kind]
}
