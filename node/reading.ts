import type { ScopePath } from '../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  blockedAt,
  fromHex,
  keyIdOf,
  type LaneName,
  laneOwner,
  mayRead,
  reaches,
  type Standing,
} from '../crdt/index.ts'
import { type Topology, type ZonePolicy, zones } from '../topologies/index.ts'

const nothing: ReadonlyMap<string, ZonePolicy> = new Map()
// A tree never changes: what is worked out of one stays true as long as it lives.
const policies = new WeakMap<Topology, ReadonlyMap<string, ZonePolicy>>()

/** Policies of the zones this node knows. One that is not known lets nothing out. */
export const policiesOf = (topology: Topology | undefined): ReadonlyMap<string, ZonePolicy> => {
  const known = topology === undefined ? nothing : policies.get(topology)
  if (known !== undefined) return known
  const found = new Map(
    topology === undefined ? [] : zones(topology).map(({ path, policy }) => [path, policy] as const),
  )
  if (topology !== undefined) policies.set(topology, found)
  return found
}

/** Lanes that a parent and one child of it share: what they can both hold at all. */
export const isShared = (lane: LaneName, parent: ScopePath, child: ScopePath): boolean => {
  if (lane.kind === 'tenant' || lane.scope !== child) return false
  const owner = laneOwner(lane)
  return owner !== undefined && 'scope' in owner && (owner.scope === parent || owner.scope === child)
}

/**
 * Whether a lane of a zone gets up to its parent, as far as the zones this node knows let it. The parent asks too: what left before
 * it was kept back is still there, and the two ends would compare it for ever.
 */
export const getsUp = (lane: LaneName, parent: ScopePath, policies: ReadonlyMap<string, ZonePolicy>): boolean =>
  reaches({ lane, home: '/' as ScopePath, isSite: false, policies }, parent)

/** Whether a link to a member carries a lane. */
export const carries = (
  lane: LaneName,
  member: Standing | undefined,
  {
    isSite,
    policies,
    trustedNowMs,
  }: {
    readonly isSite: boolean
    readonly policies: ReadonlyMap<string, ZonePolicy>
    readonly trustedNowMs: number | undefined
  },
): boolean => member !== undefined && mayRead({ lane, home: '/' as ScopePath, isSite, policies }, member, trustedNowMs)

/** What a key may do by its newest certificate here; undefined when none is known. */
export const standingByCertificate = (peerKey: string, book: Book, powers: AuthorityPowers): Standing | undefined => {
  const keyId = keyIdOf(fromHex(peerKey), powers.hash)
  const record = book.certificateOf(keyId)
  const trust = book.trust()
  if (record === undefined || trust === undefined) return undefined
  const certificate = record.body
  const { keys, sites } = blockedAt(trust, certificate.scope)
  const isBlocked = keys.has(keyId) || (certificate.site !== null && sites.has(certificate.site))
  return { certificate, keyId, isBlocked, isSuperseded: (book.highestNumbers().get(keyId) ?? 0) > certificate.number }
}
