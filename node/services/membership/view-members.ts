import type { MemberRecord } from './member-records.ts'
import type { MemberView } from './membership.ts'
import type { Caller, Unclaimed } from './unclaimed.ts'
import type { ZoneDesk } from './zone-desk.ts'

/** When and from where each host called last, by name; in memory alone. */
export type Calls = ReadonlyMap<string, { readonly atMs: number; readonly address: string | undefined }>

const stateOf = (member: MemberRecord, desk: ZoneDesk): MemberView['state'] => {
  if (desk.place(member.host) === undefined) return 'gone'
  if (desk.isCutOff(member.host)) return 'blocked'
  return member.key === null ? 'expected' : 'enrolled'
}

export const viewMember = (member: MemberRecord, desk: ZoneDesk, calls: Calls): MemberView => {
  const { book, clock } = desk.options
  const { host, role, scope, key, hostId } = member
  const fingerprint = key === null ? undefined : desk.keyIdOf(key)
  const body = fingerprint === undefined ? undefined : book.certificateOf(fingerprint)?.body
  const call = calls.get(host)
  return {
    state: stateOf(member, desk),
    name: host,
    role,
    scope,
    fingerprint,
    hostId: hostId ?? desk.place(host)?.host.hostId,
    address: call?.address,
    calledAgoMs: call === undefined ? undefined : clock.monotonicMs() - call.atMs,
    certificate: body === undefined ? undefined : { number: body.number, untilMs: body.untilMs },
    hasToken: desk.register.token(host)?.usedBy === null,
  }
}

const viewCaller = (caller: Caller, desk: ZoneDesk): MemberView => ({
  state: caller.state,
  name: caller.match ?? (caller.name === '' ? undefined : caller.name),
  role: caller.role,
  scope: caller.scope,
  fingerprint: caller.keyId,
  hostId: caller.hostId,
  address: caller.address,
  calledAgoMs: desk.options.clock.monotonicMs() - caller.calledMs,
  certificate: undefined,
  hasToken: false,
})

const states: readonly MemberView['state'][] = ['waiting', 'duplicate', 'blocked', 'expected', 'enrolled', 'gone']

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What a person has to act on first, then by name. */
export const viewAll = (desk: ZoneDesk, unclaimed: Unclaimed, calls: Calls): readonly MemberView[] =>
  [
    ...desk.register.members().map((member) => viewMember(member, desk, calls)),
    ...unclaimed.list().map((caller) => viewCaller(caller, desk)),
  ].toSorted(
    (a, b) =>
      states.indexOf(a.state) - states.indexOf(b.state) ||
      compare(a.name ?? '', b.name ?? '') ||
      compare(a.fingerprint ?? '', b.fingerprint ?? ''),
  )
