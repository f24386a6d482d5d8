import { chooseSiblings, ringOf, type SiblingPeer, type SiblingRing } from './choose-siblings.ts'
import type { ExpectedScope } from './expected.ts'
import type { MemberRecord, ScopeRecord } from './member-records.ts'

/** Who keeps what for which site of one zone, as its hosts are now. */
export interface ZoneSiblings {
  /** The siblings of a site; undefined where no site of the zone has an address for siblings. */
  of(scope: string): readonly SiblingPeer[] | undefined
  /** Looks at the hosts anew. @returns sites whose siblings are others than when it was last called */
  changed(): readonly ScopeRecord[]
}

export interface ZoneSiblingsOptions {
  readonly expected: () => Iterable<ExpectedScope>
  readonly member: (host: string) => MemberRecord | undefined
  readonly scope: (scope: string) => ScopeRecord | undefined
  readonly scopes: () => readonly ScopeRecord[]
  /** Whether a host may keep sealed bytes: its certificate says so, and neither it nor its site is cut off. */
  readonly mayStore: (member: MemberRecord & { readonly key: string }) => boolean
}

export const createZoneSiblings = (options: ZoneSiblingsOptions): ZoneSiblings => {
  let ring: SiblingRing | undefined
  const before = new Map<string, string>()

  const peersOf = ({ scope, hosts, siblings = [] }: ExpectedScope): readonly SiblingPeer[] => {
    const site = options.scope(scope)
    if (site?.kind !== 'site') return []
    return hosts.flatMap(({ name }, at) => {
      const [member, address] = [options.member(name), siblings[at]]
      if (member === undefined || member.key === null || member.scope !== scope || address === undefined) return []
      const { key } = member
      return options.mayStore({ ...member, key }) ? [{ site: site.id, key, address }] : []
    })
  }
  const look = (): SiblingRing | undefined => {
    const withAddress = [...options.expected()].filter(({ siblings = [] }) => siblings.length > 0)
    return withAddress.length === 0 ? undefined : ringOf(withAddress.flatMap(peersOf))
  }
  const of = (scope: string): readonly SiblingPeer[] | undefined => {
    const site = options.scope(scope)
    return ring === undefined || site?.kind !== 'site' ? undefined : chooseSiblings(site.id, ring)
  }

  return {
    of,
    changed: () => {
      ring = look()
      if (ring === undefined) return []
      return options.scopes().filter((record) => {
        if (record.kind !== 'site') return false
        const now = JSON.stringify(of(record.scope))
        const isOther = before.get(record.scope) !== now
        before.set(record.scope, now)
        return isOther
      })
    },
  }
}
