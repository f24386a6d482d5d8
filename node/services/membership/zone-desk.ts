import {
  type Blocked,
  blockedAt,
  fromHex,
  type KeyId,
  keyIdOf,
  nothingBlocked,
  type Owner,
  type Trust,
} from '../../../crdt/index.ts'
import type { ExpectedScope } from './expected.ts'
import type { ExpectedPlace } from './judge-join.ts'
import type { RivalAuthority } from './lead-own-zone.ts'
import type { MemberRegister } from './member-register.ts'
import type { MembershipOptions } from './membership.ts'
import { blockId } from './next-blocks.ts'
import { createZoneSiblings, type ZoneSiblings } from './zone-siblings.ts'

/** In whose name a node admits others: the zone it runs. */
export interface Authority {
  readonly networkId: string
  readonly trust: Trust
  readonly owner: Owner
}

/** Hosts the topology names, by what they are looked for. */
interface ExpectedIndex {
  readonly scopes: ReadonlyMap<string, ExpectedScope>
  readonly hosts: ReadonlyMap<string, { readonly scope: ExpectedScope; readonly at: number }>
  readonly hostIds: ReadonlyMap<string, string>
}

/** What all parts of a parent share. */
export interface ZoneDesk {
  readonly options: MembershipOptions
  readonly register: MemberRegister
  /** Undefined while this node's own key is not on the list of its zone: it admits nobody. */
  authority(): Authority | undefined
  keyIdOf(key: string): KeyId
  /** Reads anew what the topology names. */
  reread(): void
  expectedScope(scope: string): ExpectedScope | undefined
  expectedScopes(): readonly ExpectedScope[]
  /** Where the topology has a host now. */
  place(host: string): ExpectedPlace | undefined
  hostOfHostId(hostId: string): string | undefined
  /** What is blocked at this zone, by it or above. */
  blocked(): Blocked
  /** Whether a host's scope or the key it has is cut off. */
  isCutOff(host: string): boolean
  readonly siblings: ZoneSiblings
  /** By scope: authorities that zones below showed beside the one they have; in memory, they show them again. */
  readonly rivals: Map<string, RivalAuthority>
}

const indexOf = (expected: readonly ExpectedScope[]): ExpectedIndex => ({
  scopes: new Map(expected.map((scope) => [scope.scope, scope])),
  hosts: new Map(expected.flatMap((scope) => scope.hosts.map(({ name }, at) => [name, { scope, at }] as const))),
  hostIds: new Map(
    expected.flatMap(({ hosts }) =>
      hosts.flatMap(({ name, hostId }) => (hostId === undefined ? [] : [[hostId, name] as const])),
    ),
  ),
})

export const createZoneDesk = (options: MembershipOptions, register: MemberRegister): ZoneDesk => {
  const { book, self, powers } = options
  let index = indexOf([])
  const keyIds = (key: string) => keyIdOf(fromHex(key), powers.hash)

  let folded: { readonly trust: Trust; readonly blocked: Blocked } | undefined
  const blocked = (): Blocked => {
    const trust = book.trust()
    if (trust === undefined) return nothingBlocked
    // A book makes a new trust when it believes something new.
    if (folded?.trust !== trust) folded = { trust, blocked: blockedAt(trust, self.scope) }
    return folded.blocked
  }

  const place = (host: string): ExpectedPlace | undefined => {
    const found = index.hosts.get(host)
    const named = found?.scope.hosts[found.at]
    const id = found === undefined ? undefined : register.scope(found.scope.scope)?.id
    if (found === undefined || named === undefined || id === undefined) return undefined
    const { scope, kind } = found.scope
    return { scope, role: kind === 'site' ? 'edge' : 'aggregator', id, host: named }
  }

  const isCutOff = (host: string): boolean => {
    const member = register.member(host)
    if (member === undefined) return false
    const { keys, sites } = blocked()
    const id = register.scope(member.scope)?.id
    return (id !== undefined && sites.has(blockId(id))) || (member.key !== null && keys.has(keyIds(member.key)))
  }

  return {
    options,
    register,
    authority: () => {
      const trust = book.trust()
      const owner = trust === undefined ? undefined : book.ownerAt(self.scope, 'zone')
      if (trust === undefined || owner === undefined || !owner.keys.has(self.signer.keyId)) return undefined
      // Nobody outside believes a first list before the parent countersigned it.
      if (owner.succession === 'own' && owner.generation === 1 && !owner.isCountersigned) return undefined
      return { networkId: trust.root.networkId, trust, owner }
    },
    keyIdOf: keyIds,
    reread: () => {
      index = indexOf(options.expected())
    },
    expectedScope: (scope) => index.scopes.get(scope),
    expectedScopes: () => [...index.scopes.values()],
    place,
    hostOfHostId: (hostId) => index.hostIds.get(hostId) ?? register.hostOfHostId(hostId),
    blocked,
    isCutOff,
    rivals: new Map(),
    siblings: createZoneSiblings({
      expected: () => index.scopes.values(),
      member: register.member,
      scope: register.scope,
      scopes: register.scopes,
      mayStore: ({ host, key }) =>
        !isCutOff(host) && book.certificateOf(keyIds(key))?.body.capabilities.includes('store') === true,
    }),
  }
}
