import { nameHint, SkerryError } from '../../../base/index.ts'
import type { MemberView } from '../member-views.ts'
import type { AskedMember, BlockTarget, MemberServices } from '../services.ts'

const key = (digit: string) => digit.repeat(64)

/** One member of each kind: enrolled, expected, behind a border, waiting, and a duplicate. */
const firstMembers: readonly MemberView[] = [
  {
    name: 'bavaria-aggregator',
    scope: '/de/bavaria',
    role: 'aggregator',
    'oper-status': 'enrolled',
    fingerprint: key('b'),
    'last-call-ms': 1_000,
    address: '192.0.2.7:52100',
    note: 'beyond here /de/bavaria answers',
  },
  {
    name: 'shop-1-a',
    scope: '/shop-1',
    site: 'shop-1',
    role: 'edge',
    'oper-status': 'enrolled',
    fingerprint: key('a'),
    'host-id': 'SN-1',
    'last-call-ms': 2_000,
  },
  { name: 'shop-1-b', scope: '/shop-1', site: 'shop-1', role: 'edge', 'oper-status': 'expected' },
  {
    scope: '/shop-1',
    role: 'edge',
    'oper-status': 'waiting',
    fingerprint: key('c'),
    'host-id': 'SN-2',
    'last-call-ms': 61_000,
    address: '192.0.2.9:40000',
  },
  { scope: '/shop-1', role: 'edge', 'oper-status': 'duplicate', fingerprint: key('d'), 'host-id': 'SN-1' },
]

const targets = (target: BlockTarget, member: MemberView): boolean =>
  target.kind === 'host'
    ? member.name === target.host
    : target.kind === 'site'
      ? member.site === target.site
      : member.scope === target.zone

const wordsOf = (target: BlockTarget): string =>
  target.kind === 'host'
    ? `host ${target.host}`
    : target.kind === 'site'
      ? `site ${target.site}`
      : `zone ${target.zone}`

/** Membership in memory, of one scope with a border below it. */
export const createMemoryMembers = (): MemberServices => {
  let members = firstMembers
  let tokens = 0
  const names = () => members.flatMap(({ name }) => name ?? [])
  const check = ({ zone = '/' }: AskedMember) => {
    if (zone.startsWith('/de')) throw new SkerryError('beyond-border', `beyond here ${zone} answers`)
    if (zone !== '/') throw new SkerryError('not-found', `there is no zone ${zone}; there is /`)
  }
  const named = (name: string): MemberView => {
    const member = members.find((one) => one.name === name)
    if (member) return member
    throw new SkerryError('not-found', `no host ${name} is expected here; ${nameHint(name, names())}`)
  }
  const put = (changed: readonly MemberView[], without: readonly MemberView[]): readonly MemberView[] => {
    const kept = members.filter((one) => !without.includes(one) && !changed.some(({ name }) => name === one.name))
    members = [...kept, ...changed].toSorted((a, b) => ((a.name ?? '~') < (b.name ?? '~') ? -1 : 1))
    return changed
  }
  const mark = (target: BlockTarget, status: 'blocked' | 'enrolled'): readonly MemberView[] => {
    const found = members.filter((one) => targets(target, one) && one.name !== undefined)
    if (found.length === 0)
      throw new SkerryError('not-found', `there is no ${wordsOf(target)} here; ${nameHint('', names())}`)
    if (status === 'enrolled' && found.every((one) => one['oper-status'] !== 'blocked'))
      throw new SkerryError('not-blocked', `${wordsOf(target)} is not blocked`)
    const after = (one: MemberView) => (status === 'enrolled' && !one.fingerprint ? 'expected' : status)
    return put(
      found.map((one) => ({ ...one, 'oper-status': after(one) })),
      found,
    )
  }
  return {
    list: async (asked) => {
      check(asked)
      return members
    },
    token: async (host, asked) => {
      check(asked)
      if (named(host)['oper-status'] === 'enrolled')
        throw new SkerryError('already-enrolled', `${host} is enrolled: a token is for a host that nobody is yet`)
      return { name: host, token: `token-${++tokens}-of-${host}` }
    },
    claim: async (who, name, asked) => {
      check(asked)
      const calls = members.filter((one) =>
        'fingerprint' in who ? one.fingerprint === who.fingerprint : one['host-id'] === who.hostId && !one.name,
      )
      const [caller] = calls
      if (!caller) throw new SkerryError('not-found', 'nobody calls so; "skerry hosts" lists who does')
      const expected = named(name)
      if (expected.fingerprint !== undefined && expected.fingerprint !== caller.fingerprint)
        throw new SkerryError('already-enrolled', `another key is ${name} already`)
      const enrolled: MemberView = { ...caller, ...expected, 'oper-status': 'enrolled' }
      put([enrolled], [caller])
      return enrolled
    },
    block: async (target, asked) => {
      check(asked)
      return mark(target, 'blocked')
    },
    allow: async (target, asked) => {
      check(asked)
      return mark(target, 'enrolled')
    },
  }
}
