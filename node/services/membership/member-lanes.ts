import * as z from 'zod'
import { canonicalJson, namePattern, parseScopePath } from '../../../base/index.ts'
import type { LaneName, Put } from '../../../crdt/index.ts'
import type { Labels } from '../../../topologies/index.ts'
import { type SiblingPeer, siblingsPerSite } from './choose-siblings.ts'
import type { ExpectedScope } from './expected.ts'
import type { MemberRecord, ScopeRecord } from './member-records.ts'

/** The format of the values in these lanes. */
export const laneFormat = 1

/** The lane in which a parent says who is of a site or zone below it. */
export const laneOf = ({ kind, scope }: Pick<ScopeRecord, 'kind' | 'scope'>): LaneName =>
  kind === 'site'
    ? { kind: 'member', scope: parseScopePath(scope) }
    : { kind: 'zone', scope: parseScopePath(scope), side: 'parent' }

/** Siblings by id of site, key and address: no names, a site need not know who else there is. */
const peersKey = 'peers'
const hostKey = (name: string) => `host/${name}`

/** What the lane says of one host: expected and not enrolled while its key is null. */
const hostText = (member: MemberRecord, labels: Labels, isGone: boolean): string =>
  canonicalJson({
    _v: laneFormat,
    ...(member.certificate > 0 && { certificate: member.certificate }),
    client: member.client,
    ...(isGone && { gone: true }),
    hostId: member.hostId,
    key: member.key,
    labels,
    ...(typeof member.sealing === 'string' && { sealing: member.sealing }),
  })

/** A host that was of this scope and is of another one now. */
const leftText = (client: number): string =>
  canonicalJson({ _v: laneFormat, client, gone: true, hostId: null, key: null, labels: {} })

/**
 * All that the lane of a scope should hold. What is not among it stays as it was: a host that is gone is marked, never
 * taken out, so its client is never given again.
 * @param expected undefined when the topology names the scope no more: all its hosts are gone
 * @param members of this scope, now or before
 * @param peers siblings that keep what the site may need; undefined in a zone where nobody does
 */
export const laneValues = (
  record: Omit<ScopeRecord, 'id'> & { readonly id: string | undefined },
  expected: ExpectedScope | undefined,
  members: readonly MemberRecord[],
  peers: readonly SiblingPeer[] | undefined,
): ReadonlyMap<string, string> => {
  const values = new Map<string, string>()
  if (expected !== undefined && record.id !== undefined)
    values.set(
      record.kind,
      canonicalJson({ _v: laneFormat, id: record.id, labels: expected.labels, name: expected.name }),
    )
  const labels = new Map((expected?.hosts ?? []).map((host) => [host.name, host.labels]))
  for (const member of members) {
    const past = member.past.find(({ scope }) => scope === record.scope)
    if (member.scope === record.scope)
      values.set(hostKey(member.host), hostText(member, labels.get(member.host) ?? {}, !labels.has(member.host)))
    else if (past !== undefined) values.set(hostKey(member.host), leftText(past.client))
  }
  if (record.kind === 'site' && peers !== undefined)
    values.set(peersKey, canonicalJson({ _v: laneFormat, peers: peers.map((peer) => ({ ...peer })) }))
  return values
}

/** Part of what to write, and that there are no siblings where the lane names some and all that it should hold names none. */
export const withPeersCleared = (
  part: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, string>,
  standing: ReadonlyMap<string, readonly Put[]>,
): ReadonlyMap<string, string> =>
  values.has(peersKey) || !standing.has(peersKey)
    ? part
    : new Map([...part, [peersKey, canonicalJson({ _v: laneFormat, peers: [] })]])

/** A host as the lane of its site or zone lists it. */
export interface ListedHost {
  readonly name: string
  /** Its raw public key, 64 hexadecimal digits; null while it is expected. */
  readonly key: string | null
  readonly hostId: string | null
  /** Of the view the site's hosts share. */
  readonly client: number
  /** The number of its newest certificate; 0 before the first. */
  readonly certificate: number
  /** The key that others seal to. */
  readonly sealing: string | null
  readonly labels: Labels
  readonly isGone: boolean
}

/** What a member lane, or a parent's zone lane, says. */
export interface ListedScope {
  /** Undefined until the lane says so. */
  readonly id: string | undefined
  readonly name: string | undefined
  readonly labels: Labels
  /** By name. */
  readonly hosts: readonly ListedHost[]
  /** Hosts of other sites that keep what this one may need while its parent is away. */
  readonly peers: readonly SiblingPeer[]
}

const labels = z.record(z.string(), z.string())
const headSchema = z.object({
  _v: z.number(),
  id: z.string().regex(/^([0-9a-f]{32}|[0-9a-f]{48})$/),
  labels,
  name: z.string(),
})
const hostSchema = z.object({
  _v: z.number(),
  certificate: z.number().int().min(1).default(0),
  client: z.number().int().min(1).max(0xffffffff),
  gone: z.boolean().default(false),
  hostId: z.string().nullable(),
  key: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  labels,
  sealing: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .default(null),
})
const peersSchema = z.object({
  _v: z.number(),
  peers: z
    .array(
      z.object({
        site: z.string().regex(/^[0-9a-f]{32}$/),
        key: z.string().regex(/^[0-9a-f]{64}$/),
        address: z.string().max(300),
      }),
    )
    .max(siblingsPerSite),
})

const parse = <Value>(schema: z.ZodType<Value>, put: Put): readonly Value[] => {
  if (typeof put.value !== 'string') return []
  try {
    const parsed = schema.safeParse(JSON.parse(put.value))
    return parsed.success ? [parsed.data] : []
  } catch {
    return []
  }
}

/**
 * Reads such a lane. What is not understood is passed over. Where nodes of one zone wrote a host at the same time, the value
 * with a key, then with the higher certificate, then the later text counts: the same at every reader.
 */
export const readListedScope = (standing: ReadonlyMap<string, readonly Put[]>): ListedScope => {
  const head = ['site', 'zone']
    .flatMap((key) => standing.get(key) ?? [])
    .toSorted((a, b) => (String(a.value) < String(b.value) ? -1 : 1))
    .flatMap((put) => parse(headSchema, put))[0]
  const hosts = [...standing].flatMap(([key, puts]): readonly ListedHost[] => {
    const name = key.startsWith('host/') ? key.slice('host/'.length) : ''
    if (!namePattern.test(name)) return []
    const [best] = puts
      .flatMap((put) => parse(hostSchema, put).map((value) => ({ value, text: String(put.value) })))
      .toSorted(
        (a, b) =>
          Number(b.value.key !== null) - Number(a.value.key !== null) ||
          b.value.certificate - a.value.certificate ||
          (a.text > b.text ? -1 : 1),
      )
    if (best === undefined) return []
    const { key: hostKeyText, hostId, client, certificate, sealing, gone, labels: of } = best.value
    return [{ name, key: hostKeyText, hostId, client, certificate, sealing, labels: of, isGone: gone }]
  })
  return {
    id: head?.id,
    name: head?.name,
    labels: head?.labels ?? {},
    hosts: hosts.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    // Aggregators of one zone that wrote at the same time: every reader tries the siblings of all.
    peers: [
      ...new Map(
        (standing.get(peersKey) ?? [])
          .flatMap((put) => parse(peersSchema, put).flatMap(({ peers }) => peers))
          .map((peer) => [peer.key, peer] as const),
      ).values(),
    ].toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  }
}
