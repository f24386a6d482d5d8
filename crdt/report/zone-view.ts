import * as z from 'zod'
import { canonicalJson } from '../../base/index.ts'
import type { AuthorityPowers, Signer } from '../authority/index.ts'
import { entryLimits, parseEntry, type ReadEntry } from '../effective/index.ts'
import type { RollUpPlace } from './roll-up.ts'
import { openReport, type ReportHead, type ReportRefused, refuseReport, sealReport } from './signed-report.ts'

/** One application as a zone's own operators want it, without who said so. */
export interface ZoneWish {
  /** Ids. */
  readonly tenant: string
  readonly application: string
  /** The entry's one text. */
  readonly entry: string
  /** Of the version the entry names; null where it retires the application. */
  readonly revision: string | null
  /** What people call the deployment; empty where it retires the application. */
  readonly deployment: string
}

/**
 * What a zone exports of its own lane where intents may leave and their authors may not (DESIGN.md section 3, rule 9): made
 * and signed by the zone, never the envelopes.
 */
export interface ZoneViewBody {
  readonly zone: string
  readonly generation: number
  /** Sorted by tenant and application, each once. */
  readonly wishes: readonly ZoneWish[]
}

export type OpenedZoneView =
  | { readonly ok: true; readonly wishes: readonly (ZoneWish & { readonly read: ReadEntry })[] }
  | ReportRefused

export const zoneViewLimits = { wishes: 2_048 } as const

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))
const scalar = z.union([z.string().max(1_024), z.number(), z.boolean(), z.null()])
const shape = (fields: z.ZodRawShape) => z.object(fields).catchall(scalar)
const body = shape({
  zone: z.union([hex(32), hex(48)]),
  generation: z.number().int().min(1).max(0xffffffff),
  wishes: z
    .array(
      shape({
        tenant: z.union([hex(32), hex(48)]),
        application: hex(32),
        entry: z.string().max(entryLimits.textBytes),
        revision: hex(64).nullable(),
        deployment: z.string().max(63),
      }),
    )
    .max(zoneViewLimits.wishes)
    .refine((all) => {
      const keys = (all as unknown as ZoneWish[]).map(({ tenant, application }) => `${tenant} ${application}`)
      return keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') < key)
    }, 'not sorted, or one is there twice'),
})

/** @throws {RangeError} when the body is not in its shape or over 1 MiB: nothing is signed that others would refuse */
export const sealZoneView = (fields: Omit<ReportHead, 'key'> & ZoneViewBody, signer: Signer): Uint8Array => {
  const { networkId, session, seq, ...said } = fields
  const problem = body.safeParse(said).error?.issues[0]
  if (problem) throw new RangeError(`cannot seal the view: ${problem.path.join('.')} ${problem.message}`)
  return sealReport('zone-view', { networkId, session, seq, payload: Buffer.from(canonicalJson(said)) }, signer)
}

const parseBody = (payload: Uint8Array): ZoneViewBody | undefined => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
    const said: unknown = JSON.parse(text)
    return body.safeParse(said).success && canonicalJson(said) === text ? (said as ZoneViewBody) : undefined
  } catch {
    return undefined
  }
}

/** Whether received bytes are what a zone exports of its own lane, signed by one key of its owner. Never throws. */
export const openZoneView = (bytes: Uint8Array, place: RollUpPlace, powers: AuthorityPowers): OpenedZoneView => {
  const opened = openReport('zone-view', bytes, place, powers)
  if (!opened.ok) return opened
  const said = parseBody(opened.report.payload)
  if (said === undefined) return refuseReport('bad-report', 'the view of a zone is not in the one form of its kind')
  if (said.zone !== place.zone) return refuseReport('wrong-zone', 'the view is of another zone')
  if (said.generation !== place.generation)
    return refuseReport('unknown-generation', `the view is of generation ${said.generation}, not ${place.generation}`)
  const wishes: (ZoneWish & { readonly read: ReadEntry })[] = []
  for (const wish of said.wishes) {
    const read = parseEntry(wish.entry, powers.hash)
    if (!read.ok)
      return refuseReport('bad-report', `the view of a zone has an entry that is none: ${read.refusal.message}`)
    wishes.push({ ...wish, read: read.entry })
  }
  return { ok: true, wishes }
}
