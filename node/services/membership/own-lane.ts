import * as z from 'zod'
import { canonicalJson, namePattern, parseScopePath } from '../../../base/index.ts'
import type { LaneName, Put } from '../../../crdt/index.ts'
import type { PolicyKind, Zone, ZonePolicy } from '../../../topologies/index.ts'
import type { ExpectedScope } from './expected.ts'

/** The format of the values in a zone's own lane, and of what its parent narrows. */
const laneFormat = 1

/** The lane in which a zone says what it is: written under its own authority alone. */
export const ownLaneOf = (scope: string): LaneName => ({ kind: 'zone', scope: parseScopePath(scope), side: 'own' })

/** What a zone's own slice of the topology says of the zone itself. */
export type OwnZone = Pick<Zone, 'policy' | 'settle'>

/**
 * All that the lane should hold: what may leave the zone, who may end a conflict, the scopes right below with their labels,
 * and who may join them. What is not expected any more stays, and is said to be gone.
 * @param standing keys that stand in the lane now
 */
export const ownLaneValues = (
  { policy, settle }: OwnZone,
  expected: readonly ExpectedScope[],
  standing: Iterable<string>,
): ReadonlyMap<string, string> => {
  const text = (value: object) => canonicalJson({ _v: laneFormat, ...value })
  const values = new Map([
    ['policy', text({ levels: { ...policy } })],
    ['settle', text({ by: settle })],
  ])
  for (const { kind, scope, name, labels, hosts, isWithheld } of expected) {
    values.set(`child/${name}`, text({ kind, labels, scope }))
    // The lane goes up: a name that a zone inside keeps back does not go with it.
    if (isWithheld) continue
    for (const host of hosts) values.set(`join/${host.name}`, text({ child: name, hostId: host.hostId ?? null }))
  }
  for (const key of standing) if (/^(child|join)\//.test(key) && !values.has(key)) values.set(key, text({ gone: true }))
  return values
}

/** Only what does not stand in the lane already, alone under its key. */
export const ownLaneEdits = (
  values: ReadonlyMap<string, string>,
  standing: ReadonlyMap<string, readonly Put[]>,
): ReadonlyMap<string, string> =>
  new Map(
    [...values].filter(([key, text]) => standing.get(key)?.length !== 1 || standing.get(key)?.[0]?.value !== text),
  )

const levelsSchema = z.object({ _v: z.number(), levels: z.record(z.string(), z.string()) })
const settleSchema = z.object({ _v: z.number(), by: z.enum(['zone', 'ancestor']) })
const childSchema = z.object({
  _v: z.number(),
  kind: z.enum(['site', 'zone']),
  labels: z.record(z.string(), z.string()),
  scope: z.string(),
})
const joinSchema = z.object({ _v: z.number(), child: z.string(), hostId: z.string().nullable() })

const parse = <Value>(schema: z.ZodType<Value>, { value }: Put): readonly Value[] => {
  if (typeof value !== 'string') return []
  try {
    const parsed = schema.safeParse(JSON.parse(value))
    return parsed.success ? [parsed.data] : []
  } catch {
    return []
  }
}

/** Levels by kind, as they were written. */
export type WrittenLevels = Readonly<Partial<Record<PolicyKind, string>>>

/** What a zone's own lane says. What is not understood is passed over. */
export interface SaidOfZone {
  /** Each value that stands, one after the other: the tightest of all counts. */
  readonly policies: readonly WrittenLevels[]
  /** `zone` unless every value says otherwise. */
  readonly settle: 'zone' | 'ancestor'
  readonly children: readonly {
    readonly kind: 'site' | 'zone'
    readonly scope: string
    readonly labels: Readonly<Record<string, string>>
  }[]
  /** Hosts that may join, with the child they are of. */
  readonly hosts: readonly { readonly name: string; readonly child: string; readonly hostId: string | null }[]
}

const named = <Value>(
  standing: ReadonlyMap<string, readonly Put[]>,
  prefix: string,
  schema: z.ZodType<Value>,
): readonly (readonly [string, Value])[] =>
  [...standing].flatMap(([key, puts]) => {
    const name = key.startsWith(`${prefix}/`) ? key.slice(prefix.length + 1) : ''
    const [first] = puts
      .toSorted((a, b) => (String(a.value) < String(b.value) ? -1 : 1))
      .flatMap((put) => parse(schema, put))
    return namePattern.test(name) && first !== undefined ? [[name, first] as const] : []
  })

export const readOwnLane = (standing: ReadonlyMap<string, readonly Put[]>): SaidOfZone => {
  const settles = (standing.get('settle') ?? []).flatMap((put) => parse(settleSchema, put))
  return {
    policies: (standing.get('policy') ?? []).flatMap((put) => parse(levelsSchema, put).map(({ levels }) => levels)),
    settle: settles.length > 0 && settles.every(({ by }) => by === 'ancestor') ? 'ancestor' : 'zone',
    children: named(standing, 'child', childSchema)
      .map(([, { kind, scope, labels }]) => ({ kind, scope, labels }))
      .toSorted((a, b) => (a.scope < b.scope ? -1 : 1)),
    hosts: named(standing, 'join', joinSchema)
      .map(([name, { child, hostId }]) => ({ name, child, hostId }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

/** The key of a parent's zone lane under which it narrows what may leave the zone. */
export const narrowingKey = 'narrowing'

export const narrowingText = (levels: Readonly<Partial<ZonePolicy>>): string =>
  canonicalJson({ _v: laneFormat, levels: { ...levels } })

/** What a parent narrows: each value that stands. One that is not understood is none: the zone's own policy holds. */
export const readNarrowings = (standing: ReadonlyMap<string, readonly Put[]>): readonly WrittenLevels[] =>
  (standing.get(narrowingKey) ?? []).flatMap((put) => parse(levelsSchema, put).map(({ levels }) => levels))
