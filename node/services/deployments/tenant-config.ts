import * as z from 'zod'
import { canonicalJson, namePattern, SkerryError, versionPattern } from '../../../base/index.ts'
import { entryLimits, type LaneValue } from '../../../crdt/index.ts'
import { type DeploymentSpec, deploymentSchema } from './deployment-specification.ts'
import { byName } from './placement.ts'

/** An application as its tenant's lane has it: the specifications themselves are blobs, by their revision. */
export interface ConfiguredApplication {
  /** 32 hexadecimal digits, for life (config-ids.ts). */
  readonly id: string
  readonly name: string
  readonly order: number
  /** Oldest first. */
  readonly revisions: readonly {
    /** Empty where the application has none. */
    readonly version: string
    readonly revision: string
    readonly changedAtMs: number
  }[]
}

export interface ConfiguredDeployment {
  /** 32 hexadecimal digits, for life. For one application: one that goes to another is another one. */
  readonly id: string
  readonly spec: DeploymentSpec
  readonly order: number
  readonly changedAtMs: number
  readonly history: readonly string[]
}

/** What was decided of a deployment last. */
export interface Decision {
  /** Ids for life. */
  readonly deployment: string
  readonly application: string
  /** 32 hexadecimal digits, fresh for every choice. */
  readonly decision: string
  /** The signed version that is to run; null when the application is retired. */
  readonly version: string | null
  /** The number of the last version signed of this deployment, whoever signed it. */
  readonly order: number
  /** Decisions it replaces; sorted, each once. */
  readonly seen: readonly string[]
}

/** All that stands in the lane `tenant/<tenant>/config`. */
export interface TenantConfig {
  /** By id. */
  readonly applications: ReadonlyMap<string, ConfiguredApplication>
  readonly deployments: ReadonlyMap<string, ConfiguredDeployment>
  /** By the id of the deployment. */
  readonly decisions: ReadonlyMap<string, Decision>
  /** Ids of applications and deployments that were removed: lanes know no deletes, and an id never comes back. */
  readonly removed: ReadonlySet<string>
  /** The highest order number of any object, removed ones included. */
  readonly order: number
}

const format = 1
const id = z.string().regex(/^[0-9a-f]{32}$/)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().min(0)
const name = z.string().regex(namePattern)
const version = z.union([z.literal(''), z.string().regex(versionPattern)])
const head = { _v: z.literal(format) }

const applicationSchema = z.looseObject({
  ...head,
  name,
  order: count,
  revisions: z.array(z.looseObject({ version, revision: hash, changedAtMs: count })).min(1),
})
const deploymentValue = z.looseObject({
  ...head,
  spec: deploymentSchema,
  order: count,
  changedAtMs: count,
  history: z.array(version),
})
const decisionSchema = z.looseObject({
  ...head,
  application: id,
  decision: id,
  version: hash.nullable(),
  order: count,
  seen: z.array(id).max(entryLimits.seen).default([]),
})
const removedSchema = z.looseObject({ ...head, removed: z.literal(true), order: count })

const refuse = (key: string, why: string): never => {
  throw new SkerryError('bad-config', `the configuration of the tenant cannot be read at ${key}: ${why}`)
}

const readObject = (key: string, value: LaneValue): Readonly<Record<string, unknown>> => {
  let raw: unknown
  try {
    raw = JSON.parse(String(value))
  } catch {
    return refuse(key, 'it is no JSON')
  }
  if (typeof raw !== 'object' || raw === null) return refuse(key, 'it is no object')
  const { _v } = raw as { readonly _v?: unknown }
  if (typeof _v === 'number' && _v > format)
    throw new SkerryError(
      'newer-format',
      `the configuration of the tenant has format ${_v} at ${key}, this program knows ${format}: run a later release`,
    )
  return raw as Readonly<Record<string, unknown>>
}

const read = <Schema extends z.ZodType>(key: string, schema: Schema, raw: unknown): z.output<Schema> => {
  const result = schema.safeParse(raw)
  return result.success
    ? result.data
    : (refuse(key, result.error.issues[0]?.message ?? 'it is not in its form') as never)
}

/**
 * Reads the whole lane; keys of other prefixes are passed over.
 * @throws {SkerryError} `newer-format`, `bad-config`: half a configuration would retire the other half
 */
export const readTenantConfig = (values: ReadonlyMap<string, LaneValue>): TenantConfig => {
  const applications = new Map<string, ConfiguredApplication>()
  const deployments = new Map<string, ConfiguredDeployment>()
  const decisions = new Map<string, Decision>()
  const removed = new Set<string>()
  const orders = [0]
  for (const [key, value] of [...values].toSorted(([a], [b]) => byName(a, b))) {
    const [kind, own = ''] = key.split('/')
    if (kind !== 'application' && kind !== 'deployment' && kind !== 'decision') continue
    if (!id.safeParse(own).success) refuse(key, 'it is no id')
    const raw = readObject(key, value)
    if (kind === 'decision') {
      const { application, decision, version: record, order, seen } = read(key, decisionSchema, raw)
      decisions.set(own, { deployment: own, application, decision, version: record, order, seen })
      continue
    }
    if (raw.removed === true) {
      orders.push(read(key, removedSchema, raw).order)
      removed.add(own)
      continue
    }
    if (kind === 'application') {
      const { name: label, order, revisions } = read(key, applicationSchema, raw)
      applications.set(own, { id: own, name: label, order, revisions })
      orders.push(order)
    } else {
      const { spec, order, changedAtMs, history } = read(key, deploymentValue, raw)
      deployments.set(own, { id: own, spec, order, changedAtMs, history })
      orders.push(order)
    }
  }
  return { applications, deployments, decisions, removed, order: Math.max(...orders) }
}

export const applicationEdit = ({ id: own, ...fields }: ConfiguredApplication): readonly [string, string] => [
  `application/${own}`,
  canonicalJson({ _v: format, ...fields }),
]

export const deploymentEdit = ({ id: own, ...fields }: ConfiguredDeployment): readonly [string, string] => [
  `deployment/${own}`,
  canonicalJson({ _v: format, name: fields.spec.name, ...fields }),
]

export const decisionEdit = ({ deployment, seen, ...fields }: Decision): readonly [string, string] => [
  `decision/${deployment}`,
  canonicalJson({ _v: format, ...fields, ...(seen.length > 0 && { seen }) }),
]

/** What stays of a removed object: that it is removed, and what it was called. */
export const removalEdit = (
  kind: 'application' | 'deployment',
  { id: own, name: label, order }: { readonly id: string; readonly name: string; readonly order: number },
): readonly [string, string] => [`${kind}/${own}`, canonicalJson({ _v: format, name: label, order, removed: true })]

const orderOf = (text: string): number => {
  try {
    const order = (JSON.parse(text) as { readonly order?: unknown } | null)?.order
    return typeof order === 'number' ? order : -1
  } catch {
    return -1
  }
}

/**
 * One value per key of a lane: of concurrent ones, written by two towers that did not hear of each other, the one with
 * the highest order number, then the last by its text, so that every reader takes the same.
 */
export const pickConfigValues = (
  standing: ReadonlyMap<string, readonly { readonly value: LaneValue }[]>,
): ReadonlyMap<string, LaneValue> =>
  new Map(
    [...standing].flatMap(([key, values]) => {
      const texts = values.map(({ value }) => String(value))
      const picked = texts.toSorted((a, b) => orderOf(a) - orderOf(b) || byName(a, b)).at(-1)
      return picked === undefined ? [] : [[key, picked] as const]
    }),
  )
