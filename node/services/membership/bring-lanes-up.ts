import { canonicalJson, randomHex } from '../../../base/index.ts'
import { type LaneWrite, toHex } from '../../../crdt/index.ts'
import { laneOf, laneValues, readListedScope, withPeersCleared } from './member-lanes.ts'
import { type MemberRecord, maxPast, type ScopeRecord } from './member-records.ts'
import { rulesItself } from './own-zone.ts'
import type { Authority, ZoneDesk } from './zone-desk.ts'

/** What one signed change of a lane holds at most. */
const changeBytes = 96 * 1024
const changeEdits = 250
/** Lanes that are begun, or written in one synced batch, at a time. */
const lanesAtOnce = 128

const chunksOf = <Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))

type Values = ReadonlyMap<string, string>

/** The values cut so that each part fits one change. */
export const partsOf = (values: Values): readonly Values[] => {
  const parts: Map<string, string>[] = []
  let [part, sizeBytes] = [new Map<string, string>(), 0]
  for (const [key, value] of values) {
    const bytes = key.length + Buffer.byteLength(value)
    if (part.size > 0 && (part.size >= changeEdits || sizeBytes + bytes > changeBytes)) {
      parts.push(part)
      ;[part, sizeBytes] = [new Map(), 0]
    }
    part.set(key, value)
    sizeBytes += bytes
  }
  return part.size === 0 ? parts : [...parts, part]
}

/**
 * Makes records for scopes and hosts that have none. Where a lane is there already, what it says comes first: a store that
 * lost records must not give an id or a client twice.
 */
const fillRegister = async ({ options, register, expectedScopes }: ZoneDesk): Promise<void> => {
  const { documents, random, book } = options
  const scopes = new Map<string, ScopeRecord>()
  const members = new Map<string, MemberRecord>()
  const member = (host: string) => members.get(host) ?? register.member(host)
  for (const expected of expectedScopes()) {
    const { kind, scope } = expected
    const role = kind === 'site' ? ('edge' as const) : ('aggregator' as const)
    const known = register.scope(scope)
    // What was a site and is a zone now is another thing in the same place.
    let record = known?.kind === kind ? known : undefined
    const isWhole = record !== undefined && expected.hosts.every(({ name }) => member(name) !== undefined)
    const lane = isWhole ? undefined : documents.idOf(laneOf(expected))
    const listed = lane === undefined ? undefined : readListedScope(await documents.standing(lane))
    const owner = kind === 'zone' && record === undefined ? book.ownerAt(scope, 'zone')?.id : undefined
    record ??= {
      scope,
      kind,
      id: listed?.id ?? owner ?? randomHex(random, 16),
      nextClient: 1,
      written: null,
      grantedBy: null,
    }
    let nextClient = Math.max(record.nextClient, ...(listed?.hosts ?? []).map(({ client }) => client + 1))
    for (const { name, key, hostId, client, certificate, sealing } of listed?.hosts ?? [])
      if (member(name) === undefined)
        members.set(name, { host: name, scope, role, key, hostId, client, certificate, sealing, session: 0, past: [] })
    for (const { name } of expected.hosts) {
      const held = member(name)
      if (held?.scope === scope && held.role === role) continue
      const client = nextClient++
      const past = held === undefined ? [] : [{ scope: held.scope, client: held.client }, ...held.past]
      members.set(name, {
        ...(held ?? { host: name, key: null, hostId: null, certificate: 0, session: 0 }),
        scope,
        role,
        client,
        past: past.filter((one) => one.scope !== scope).slice(0, maxPast),
      })
    }
    if (record !== register.scope(scope) || nextClient !== record.nextClient)
      scopes.set(scope, { ...record, nextClient, written: null })
  }
  if (scopes.size > 0 || members.size > 0)
    await register.save({ scopes: [...scopes.values()], members: [...members.values()] })
}

interface DueLane {
  readonly record: ScopeRecord
  readonly values: Values
  readonly hash: string
}

const hashOf = (values: Values, { options }: ZoneDesk): string =>
  toHex(options.powers.hash.sha256(Buffer.from(canonicalJson(Object.fromEntries(values)))))

/** A privacy zone has no id before its authority was enrolled: what the register keeps until then is said to nobody. */
const isUnnamed = ({ options: { book }, expectedScope }: ZoneDesk, { kind, id, scope }: ScopeRecord): boolean =>
  kind === 'zone' && id.length === 32 && rulesItself({ id }, expectedScope(scope), book.owner(id))

/** Those of some scopes whose lane does not hold what it should. */
const dueLanes = (desk: ZoneDesk, scopes: readonly ScopeRecord[]): readonly DueLane[] =>
  scopes
    .map((record) => {
      const { scope } = record
      const values = laneValues(
        isUnnamed(desk, record) ? { ...record, id: undefined } : record,
        desk.expectedScope(scope),
        desk.register.membersOf(scope),
        desk.siblings.of(scope),
      )
      return { record, values, hash: hashOf(values, desk) }
    })
    .filter(({ record, hash }) => record.written !== hash)

const writeLanes = async (desk: ZoneDesk, { owner }: Authority, due: readonly DueLane[]): Promise<void> => {
  const { options, register } = desk
  const { documents, self, log } = options
  const ids = await Promise.all(due.map(({ record }) => documents.create(laneOf(record), owner, self.signer)))
  const refused = new Set<DueLane>()
  const parts = due.map(({ values }) => partsOf(values))
  for (let round = 0; round < Math.max(...parts.map(({ length }) => length)); round++) {
    const turn = due.flatMap((one, at): readonly { one: DueLane; write: LaneWrite }[] => {
      const [part, documentId] = [parts[at]?.[round], ids[at]]
      return part === undefined || documentId === undefined
        ? []
        : [{ one, write: { documentId, edit: ({ standing }) => withPeersCleared(part, one.values, standing) } }]
    })
    const results = await documents.write(
      turn.map(({ write }) => write),
      self.signer,
    )
    for (const [at, result] of results.entries()) {
      const one = turn[at]?.one
      if (one === undefined || result.ok || result.refusal.code === 'no-change') continue
      refused.add(one)
      log.warn('a member lane could not be written', {
        scope: one.record.scope,
        code: result.refusal.code,
        why: result.refusal.message,
      })
    }
  }
  const written = due.filter((one) => !refused.has(one))
  // Lost in a crash, this makes for one more comparison.
  await register.save({ scopes: written.map(({ record, hash }) => ({ ...record, written: hash })) }, { sync: false })
}

/**
 * Brings the lanes of all sites and zones below up to what the topology and the register say. Lanes that were written so
 * before are not opened.
 */
export const bringLanesUp = async (desk: ZoneDesk, authority: Authority): Promise<void> => {
  desk.reread()
  await fillRegister(desk)
  desk.siblings.changed()
  const due = dueLanes(desk, desk.register.scopes())
  for (const some of chunksOf(due, lanesAtOnce)) await writeLanes(desk, authority, some)
}

/** Writes the lanes of some hosts' scopes, on disk when it resolves. */
export const writeHosts = async (
  desk: ZoneDesk,
  authority: Authority,
  members: readonly MemberRecord[],
): Promise<void> => {
  const scopes = new Set(members.flatMap(({ scope, past }) => [scope, ...past.map((one) => one.scope)]))
  const due = dueLanes(
    desk,
    [...scopes].flatMap((scope) => desk.register.scope(scope) ?? []),
  )
  if (due.length > 0) await writeLanes(desk, authority, due)
}

/** Writes the lane of one scope. */
export const writeScope = async (desk: ZoneDesk, authority: Authority, scope: string): Promise<void> => {
  const record = desk.register.scope(scope)
  const due = record === undefined ? [] : dueLanes(desk, [record])
  if (due.length > 0) await writeLanes(desk, authority, due)
}

/** Writes the lanes of sites whose siblings are others than before: hosts of other sites came, went or were blocked. */
export const writePeers = async (desk: ZoneDesk, authority: Authority): Promise<void> => {
  const due = dueLanes(desk, desk.siblings.changed())
  if (due.length > 0) await writeLanes(desk, authority, due)
}
