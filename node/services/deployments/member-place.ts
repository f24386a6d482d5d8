import * as z from 'zod'
import { namePattern } from '../../../base/index.ts'
import type { LaneValue } from '../../../crdt/index.ts'
import { byName, type SitePlace } from './placement.ts'
import { byHostName } from './spread.ts'

/** What stands under each key of a lane, as far as it is read here; several are concurrent. */
export type StandingValues = ReadonlyMap<string, readonly { readonly value: LaneValue }[]>

const labels = z.record(z.string(), z.string())
const siteSchema = z.looseObject({ _v: z.literal(1), name: z.string().regex(namePattern), labels })
const hostSchema = z.looseObject({ _v: z.literal(1), labels, removed: z.literal(true).optional() })

const parsed = (value: LaneValue): unknown => {
  try {
    return typeof value === 'string' ? JSON.parse(value) : undefined
  } catch {
    return undefined
  }
}

/** Of concurrent values the same one everywhere: the last by its text among those that can be read. */
const readLast = <Schema extends z.ZodType>(schema: Schema, values: readonly { readonly value: LaneValue }[]) =>
  values
    .map(({ value }) => String(value))
    .toSorted(byName)
    .map((text) => schema.safeParse(parsed(text)))
    .findLast((read) => read.success)?.data as z.output<Schema> | undefined

/**
 * The site as its member lane has it; undefined while the lane does not say what the site is. A host whose value cannot
 * be read is left out: it takes no share until it can.
 * @param scope of the lane
 */
export const placeOfMember = (standing: StandingValues, scope: string): SitePlace | undefined => {
  const site = readLast(siteSchema, standing.get('site') ?? [])
  if (site === undefined) return undefined
  const hosts = [...standing]
    .filter(([key]) => key.startsWith('host/'))
    .flatMap(([key, values]) => {
      const host = readLast(hostSchema, values)
      return host === undefined || host.removed ? [] : [{ name: key.slice('host/'.length), labels: host.labels }]
    })
    .toSorted((a, b) => byHostName(a.name, b.name))
  return { site: site.name, scope, labels: site.labels, hosts }
}
