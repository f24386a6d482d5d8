import * as z from 'zod'
import { canonicalJson } from '../../base/index.ts'
import type { AuthorityPowers, OwnerId, Signer } from '../authority/index.ts'
import type { Outcome } from '../effective/index.ts'
import { leafLimits } from './leaves.ts'
import { agesOf, compareRows, counted, type RollUpRow } from './rows.ts'
import { openReport, type ReportHead, type ReportRefused, refuseReport, sealReport } from './signed-report.ts'

/** What a zone's owner says of all below it (docs/adr/0027-reports.md). */
export interface RollUpBody {
  readonly zone: OwnerId
  /** The owner's when it signed. */
  readonly generation: number
  /** Sorted by application and version, each once. */
  readonly rows: readonly RollUpRow[]
  /** How many applications of the zone's own there are beside these, unnamed. */
  readonly own: number
  /** What became of the decisions from above; sorted by application and decision, each once. */
  readonly outcomes: readonly Outcome[]
  /** How many hosts, and zones that keep theirs to themselves, the rows were made from. */
  readonly leaves: number
  /** Over those leaves, 64 hexadecimal digits; null when there are none. */
  readonly root: string | null
}

export interface RollUp extends RollUpBody, ReportHead {
  /** 64 hexadecimal digits: SHA-256 of what is signed. */
  readonly hash: string
}

export type OpenedRollUp = { readonly ok: true; readonly rollUp: RollUp } | ReportRefused

export const rollUpLimits = {
  rows: 2_048,
  outcomes: 2_048,
  /** Opaque ids of one outcome. */
  by: 16,
  leaves: leafLimits.leaves,
} as const

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
const amount = z.number().int().min(0).max(0xffffffff)
const age = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullable()
const scalar = z.union([z.string().max(1_024), z.number(), z.boolean(), z.null()])
/** Keys a later program adds are kept and ignored when they hold a scalar. */
const shape = (fields: z.ZodRawShape) => z.object(fields).catchall(scalar)

const row = shape({
  application: hex(16),
  version: hex(32).nullable(),
  ...Object.fromEntries(counted.map((name) => [name, amount])),
  reportAgeMs: age,
  ...Object.fromEntries(Object.values(agesOf).map((name) => [name, age])),
}).refine(
  (one) => Object.entries(agesOf).every(([of, name]) => (one[of] === 0) === (one[name] === null)),
  'an age is there exactly when there is something it is the age of',
)

const isSorted = <Item>(items: readonly Item[], compare: (a: Item, b: Item) => number) =>
  items.every((item, at) => at === 0 || compare(items[at - 1] as Item, item) < 0)
const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const compareOutcomes = (a: Pick<Outcome, 'application' | 'decision'>, b: typeof a) =>
  compareTexts(a.application + a.decision, b.application + b.decision)

const outcome = shape({
  application: hex(16),
  decision: hex(16),
  outcome: z.enum(['accepted', 'overridden', 'conflict']),
  by: z
    .array(hex(16))
    .max(rollUpLimits.by)
    .refine((ids) => isSorted(ids, compareTexts), 'not sorted, or one is there twice'),
})

const body = shape({
  zone: z.union([hex(16), hex(24)]),
  generation: z.number().int().min(1).max(0xffffffff),
  rows: z
    .array(row)
    .max(rollUpLimits.rows)
    .refine((rows) => isSorted(rows as unknown as RollUpRow[], compareRows), 'not sorted, or one is there twice'),
  own: amount,
  outcomes: z
    .array(outcome)
    .max(rollUpLimits.outcomes)
    .refine((all) => isSorted(all as unknown as Outcome[], compareOutcomes), 'not sorted, or one is there twice'),
  leaves: z.number().int().min(0).max(rollUpLimits.leaves),
  root: hex(32).nullable(),
}).refine(({ leaves, root }) => (leaves === 0) === (root === null), 'a root is there exactly when there are leaves')

/**
 * Writes and signs a zone's roll-up in its one form.
 * @throws {RangeError} when the body is not in its shape or over 1 MiB: nothing is signed that others would refuse
 */
export const sealRollUp = (fields: Omit<ReportHead, 'key'> & RollUpBody, signer: Signer): Uint8Array => {
  const { networkId, session, seq, ...said } = fields
  const problem = body.safeParse(said).error?.issues[0]
  if (problem) throw new RangeError(`cannot seal the roll-up: ${problem.path.join('.')} ${problem.message}`)
  return sealReport('roll-up', { networkId, session, seq, payload: Buffer.from(canonicalJson(said)) }, signer)
}

const parseBody = (payload: Uint8Array): RollUpBody | undefined => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
    const said: unknown = JSON.parse(text)
    // The shape first: what passes is shallow, so writing it again cannot run deep.
    return body.safeParse(said).success && canonicalJson(said) === text ? (said as RollUpBody) : undefined
  } catch {
    return undefined
  }
}

/** Whose roll-up it is to be, as this node believes. */
export interface RollUpPlace {
  readonly networkId: string
  readonly zone: OwnerId
  /** Of the owner's newest key list. */
  readonly generation: number
  /** Its raw public keys, 64 hexadecimal digits each. */
  readonly keys: ReadonlySet<string>
}

/**
 * Whether received bytes are the roll-up of this zone, signed by one key of its owner. The signature is verified before a
 * byte of the payload is decoded; `mayReplace` then says whether it is the newest. Never throws.
 */
export const openRollUp = (bytes: Uint8Array, place: RollUpPlace, powers: AuthorityPowers): OpenedRollUp => {
  const opened = openReport('roll-up', bytes, place, powers)
  if (!opened.ok) return opened
  const { payload, ...head } = opened.report
  const said = parseBody(payload)
  if (said === undefined) return refuseReport('bad-report', 'the roll-up is not in the one form of its kind')
  if (said.zone !== place.zone) return refuseReport('wrong-zone', 'the roll-up is of another zone')
  if (said.generation !== place.generation)
    return refuseReport(
      'unknown-generation',
      `the roll-up is of generation ${said.generation}, not ${place.generation}`,
    )
  return { ok: true, rollUp: { ...said, ...head } }
}
