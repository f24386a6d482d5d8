import type { Blocked, Certificate, KeyId } from '../../../crdt/index.ts'
import type { ExpectedHost } from './expected.ts'
import type { JoinHello } from './join-messages.ts'
import { isSameHash } from './join-token.ts'
import type { MemberRecord, TokenRecord } from './member-records.ts'
import { blockId } from './next-blocks.ts'

/** A host the topology names now, and where. */
export interface ExpectedPlace {
  readonly scope: string
  readonly role: 'aggregator' | 'edge'
  /** Of the site, or of the zone's owner. */
  readonly id: string
  readonly host: ExpectedHost
}

/** One call. */
export interface JoinCall {
  readonly hello: JoinHello
  /** Proved by the link: the raw public key, and its id. */
  readonly key: string
  readonly keyId: KeyId
  /** The token it shows, where it is one of this node's: whom it is for, and the hash of its whole text. */
  readonly token: { readonly host: string; readonly hash: string } | undefined
  /** The certificate it shows, where this zone issued it to this key and it allows to join now. */
  readonly shown: Certificate | undefined
}

/** What a parent knows when it judges. */
export interface JoinDesk {
  readonly networkId: string
  /** The name of this node, for words. */
  readonly parent: string
  expected(host: string): ExpectedPlace | undefined
  member(host: string): MemberRecord | undefined
  /** The host that is enrolled with a key. */
  hostOfKey(key: string): string | undefined
  /** The host whose machine has an id: as the topology says, or as it said when it was enrolled. */
  hostOfHostId(hostId: string): string | undefined
  token(host: string): TokenRecord | undefined
  /** `blockedAt` the parent's scope. */
  readonly blocked: Blocked
  readonly keyIdOf: (key: string) => KeyId
}

export type JoinRefusalCode = 'wrong-network' | 'blocked' | 'duplicate' | 'wrong-place'

export type JoinDecision =
  | {
      readonly kind: 'admit'
      readonly host: string
      readonly place: ExpectedPlace
      /** `known` was enrolled here before; `shown` by another node of this zone; `token` is enrolled now. */
      readonly how: 'known' | 'shown' | 'token'
      /** The key that is the host's no more. */
      readonly replaces: string | undefined
    }
  | {
      readonly kind: 'list'
      readonly as: 'waiting' | 'duplicate'
      /** The expected host whose id the caller has. */
      readonly match: string | undefined
      readonly message: string
    }
  | { readonly kind: 'refuse'; readonly code: JoinRefusalCode; readonly message: string }

/** What is asked of every call before anybody is let in. Tests and proofs leave one out to see what it stops. */
export const joinGuards = [
  'network',
  'blocked-key',
  'blocked-scope',
  'place',
  'token-secret',
  'token-unused',
  'host-id',
  'vacant',
] as const
export type JoinGuard = (typeof joinGuards)[number]

const refuse = (code: JoinRefusalCode, message: string): JoinDecision => ({ kind: 'refuse', code, message })

/** Whether a host's scope, or the key it was enrolled with, is cut off. */
const isCutOff = (host: string, place: ExpectedPlace, { blocked, member, keyIdOf }: JoinDesk): boolean => {
  const key = member(host)?.key ?? undefined
  return blocked.sites.has(blockId(place.id)) || (key !== undefined && blocked.keys.has(keyIdOf(key)))
}

const blockedWords = (who: string, parent: string) =>
  `${who} is blocked: an operator can allow it again, at ${parent} or where it was blocked`

/**
 * Decides what becomes of a call (docs/adr/0025-enrolment.md). A function of what is known: it reads no clock, as an
 * enrolled key that is not blocked may come back however old its certificate is.
 */
export const judgeJoin = (
  call: JoinCall,
  desk: JoinDesk,
  guards: ReadonlySet<JoinGuard> = new Set(joinGuards),
): JoinDecision => {
  const { hello, key, keyId, token, shown } = call
  const { parent } = desk
  const asks = (guard: JoinGuard) => guards.has(guard)

  const byHostId = desk.hostOfHostId(hello.hostId)
  const rival = byHostId === undefined ? undefined : (desk.member(byHostId)?.key ?? undefined)
  const isVacant = (host: string) => (desk.member(host)?.key ?? null) === null
  const duplicate = (host: string, why: string): JoinDecision => ({
    kind: 'list',
    as: 'duplicate',
    match: host,
    message: `${why}: an operator there has to say which is right`,
  })
  const list = (why: string): JoinDecision =>
    byHostId !== undefined && rival !== undefined && rival !== key
      ? duplicate(byHostId, `${byHostId} is enrolled at ${parent} with another key`)
      : { kind: 'list', as: 'waiting', match: byHostId, message: why }

  const admit = (host: string, how: 'known' | 'shown' | 'token'): JoinDecision => {
    const place = desk.expected(host)
    if (place === undefined) return list(`the topology of ${parent} has no ${host}: an operator there has to name it`)
    if (asks('blocked-scope') && isCutOff(host, place, desk)) return refuse('blocked', blockedWords(host, parent))
    if (asks('place') && (hello.scope !== place.scope || hello.role !== place.role))
      return refuse(
        'wrong-place',
        `${host} was set up as ${hello.role} of ${hello.scope}, ${parent} has it as ${place.role} of ${place.scope}`,
      )
    const wanted = place.host.hostId
    if (asks('host-id') && how === 'token' && wanted !== undefined && wanted !== hello.hostId)
      return list(`${parent} expects ${host} on another machine: its token is for the host-id in the topology`)
    const held = desk.member(host)?.key ?? undefined
    return { kind: 'admit', host, place, how, replaces: held === key ? undefined : held }
  }

  if (asks('network') && hello.network !== desk.networkId)
    return refuse('wrong-network', `the caller belongs to another network than ${parent}`)
  if (asks('blocked-key') && desk.blocked.keys.has(keyId)) return refuse('blocked', blockedWords('the key', parent))

  const known = desk.hostOfKey(key)
  if (known !== undefined) return admit(known, 'known')

  // Enrolled by another node of this zone: good here too, unless this node knows the host by another key.
  if (shown?.host !== undefined) {
    const isHere = desk.expected(shown.host)?.scope === shown.scope
    if (isHere && (isVacant(shown.host) || !asks('vacant'))) return admit(shown.host, 'shown')
    if (isHere) return duplicate(shown.host, `${shown.host} is enrolled at ${parent} with another key`)
  }

  if (token !== undefined) {
    const held = desk.token(token.host)
    const isRight = held !== undefined && (isSameHash(held.hash, token.hash) || !asks('token-secret'))
    // Whoever used it is known by its key, but for a parent that lost what it kept of the host.
    const isUsedUp = held !== undefined && held.usedBy !== null && !(held.usedBy === key && isVacant(token.host))
    if (isRight && isUsedUp && asks('token-unused'))
      return duplicate(token.host, `the token of ${token.host} was used before at ${parent}`)
    if (isRight) return admit(token.host, 'token')
  }
  return list(
    hello.token === null
      ? `an operator at ${parent} has to claim this host`
      : `${parent} does not know the token: an operator there has to claim this host, or give it a new one`,
  )
}
