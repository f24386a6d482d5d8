import type { Store } from '../../../crdt/index.ts'
import {
  decodeRecord,
  encodeRecord,
  type MemberRecord,
  recordKey,
  recordPrefix,
  type ScopeRecord,
  type SelfRecord,
  type TokenRecord,
} from './member-records.ts'

/** Records to keep; null takes a token away. */
export interface RegisterChange {
  readonly members?: readonly MemberRecord[]
  readonly scopes?: readonly ScopeRecord[]
  readonly tokens?: readonly (TokenRecord | { readonly host: string; readonly hash: null })[]
  readonly self?: SelfRecord
}

/** What membership keeps, in memory and in the store. */
export interface MemberRegister {
  /**
   * Reads what is stored.
   * @returns hosts and scopes whose record is damaged
   * @throws {SkerryError} `newer-format`
   */
  load(): Promise<{ readonly damaged: readonly string[] }>
  /** All or nothing, in the store before it counts here. @param options.sync @default true */
  save(change: RegisterChange, options?: { readonly sync: boolean }): Promise<void>
  member(host: string): MemberRecord | undefined
  members(): readonly MemberRecord[]
  /** Hosts that are or were of a scope. */
  membersOf(scope: string): readonly MemberRecord[]
  hostOfKey(key: string): string | undefined
  hostOfHostId(hostId: string): string | undefined
  scope(scope: string): ScopeRecord | undefined
  scopes(): readonly ScopeRecord[]
  token(host: string): TokenRecord | undefined
  self(): SelfRecord | undefined
}

/** Changes of one batch: a first start writes tens of thousands. */
const batchChanges = 1_000

export const createRegister = (store: Store): MemberRegister => {
  const members = new Map<string, MemberRecord>()
  const byKey = new Map<string, string>()
  const byHostId = new Map<string, string>()
  const byScope = new Map<string, Set<string>>()
  const scopes = new Map<string, ScopeRecord>()
  const tokens = new Map<string, TokenRecord>()
  let self: SelfRecord | undefined

  const forget = (index: Map<string, string>, at: string | null | undefined, host: string) => {
    if (typeof at === 'string' && index.get(at) === host) index.delete(at)
  }
  const putMember = (record: MemberRecord) => {
    const before = members.get(record.host)
    forget(byKey, before?.key, record.host)
    forget(byHostId, before?.hostId, record.host)
    members.set(record.host, record)
    if (record.key !== null) byKey.set(record.key, record.host)
    if (record.hostId !== null) byHostId.set(record.hostId, record.host)
    for (const scope of [record.scope, ...record.past.map((one) => one.scope)]) {
      const there = byScope.get(scope)
      if (there === undefined) byScope.set(scope, new Set([record.host]))
      else there.add(record.host)
    }
  }

  const take = (key: string, value: Uint8Array): boolean => {
    if (key === recordKey.self) {
      self = decodeRecord('self', key, value)
      return self !== undefined
    }
    const kind = key.slice(recordPrefix.length).split('/')[0]
    if (kind === 'host') {
      const record = decodeRecord('host', key, value)
      if (record !== undefined) putMember(record)
      return record !== undefined
    }
    if (kind === 'scope') {
      const record = decodeRecord('scope', key, value)
      if (record !== undefined) scopes.set(record.scope, record)
      return record !== undefined
    }
    if (kind === 'token') {
      const record = decodeRecord('token', key, value)
      if (record !== undefined) tokens.set(record.host, record)
      // A token that cannot be read is worth nothing: another one is made.
      return true
    }
    return true
  }

  return {
    load: async () => {
      const damaged: string[] = []
      for await (const { key, value } of store.scan({ prefix: recordPrefix }))
        if (value === undefined || !take(key, value)) damaged.push(key)
      return { damaged }
    },
    save: async (change, { sync } = { sync: true }) => {
      const put = (key: string, record: Parameters<typeof encodeRecord>[0]) =>
        ({ kind: 'put', key, value: encodeRecord(record) }) as const
      const batch = [
        ...(change.scopes ?? []).map((record) => put(recordKey.scope(record.scope), record)),
        ...(change.members ?? []).map((record) => put(recordKey.host(record.host), record)),
        ...(change.tokens ?? []).map((token) =>
          token.hash === null
            ? ({ kind: 'delete', key: recordKey.token(token.host) } as const)
            : put(recordKey.token(token.host), token),
        ),
        ...(change.self === undefined ? [] : [put(recordKey.self, change.self)]),
      ]
      for (let at = 0; at < batch.length; at += batchChanges)
        await store.write(batch.slice(at, at + batchChanges), { sync: sync && at + batchChanges >= batch.length })
      for (const record of change.scopes ?? []) scopes.set(record.scope, record)
      for (const record of change.members ?? []) putMember(record)
      for (const token of change.tokens ?? [])
        if (token.hash === null) tokens.delete(token.host)
        else tokens.set(token.host, token)
      if (change.self !== undefined) self = change.self
    },
    member: (host) => members.get(host),
    members: () => [...members.values()],
    membersOf: (scope) => [...(byScope.get(scope) ?? [])].flatMap((host) => members.get(host) ?? []),
    hostOfKey: (key) => byKey.get(key),
    hostOfHostId: (hostId) => byHostId.get(hostId),
    scope: (scope) => scopes.get(scope),
    scopes: () => [...scopes.values()],
    token: (host) => tokens.get(host),
    self: () => self,
  }
}
