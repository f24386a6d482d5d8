import type { ScopePath } from '../../base/index.ts'
import { ancestorsOf, parentOf, type ZonePolicy } from '../../topologies/index.ts'
import { type Capability, mayDo, type Standing } from './certificate.ts'
import { type Lane, laneOwner } from './lane.ts'
import { isWithin } from './scope.ts'

/** What decides who may hold a document. */
export interface ReadableDocument {
  readonly lane: Lane
  /** Of a tenant's lanes: its home scope, and the zones it is delegated to. */
  readonly home?: ScopePath
  readonly delegatedTo?: readonly ScopePath[]
  /** The lane's scope is a site, not a zone. */
  readonly isSite: boolean
  /** Policies of the zones at and above the lane's scope. One that is not known lets nothing out. */
  readonly policies: ReadonlyMap<string, ZonePolicy>
}

/** The zones whose border a document crosses on its way up from its scope to `reader`. */
const bordersTo = ({ isSite }: ReadableDocument, scope: ScopePath, reader: string): readonly string[] =>
  [...(isSite ? [] : [scope]), ...ancestorsOf(scope)].filter((zone) => zone !== reader && isWithin(zone, reader))

const leavesUp = (
  document: ReadableDocument,
  scope: ScopePath,
  reader: string,
  lets: (policy: ZonePolicy) => boolean,
): boolean =>
  isWithin(scope, reader) &&
  bordersTo(document, scope, reader).every((zone) => {
    const policy = document.policies.get(zone)
    return policy !== undefined && lets(policy)
  })

/** Whether a document gets as far as a scope, whoever is there. */
export const reaches = (document: ReadableDocument, reader: string): boolean => {
  const { lane, home, delegatedTo = [] } = document
  switch (lane.kind) {
    case 'tenant':
      return reader === home || delegatedTo.some((zone) => zone === reader)
    case 'access':
      return reader === lane.scope || reader === home
    case 'intent':
    case 'member': {
      const owner = laneOwner(lane)
      return reader === lane.scope || (owner !== undefined && 'scope' in owner && reader === owner.scope)
    }
    case 'local':
      // Whole envelopes say who wrote them; where only the intents may leave, the zone exports a view it signs.
      return leavesUp(
        document,
        lane.scope,
        reader,
        (zone) => zone.intents === 'all' && zone['changes-author'] === 'all',
      )
    case 'zone':
      if (reader === lane.scope) return true
      if (reader !== parentOf(lane.scope)) return false
      return lane.side === 'parent' || leavesUp(document, lane.scope, reader, (zone) => zone.names === 'all')
    case 'report':
      if (reader !== lane.scope && reader !== parentOf(lane.scope)) return false
      return leavesUp(document, lane.scope, reader, (zone) => zone.reports !== 'none')
  }
}

/**
 * Whether a link to a member carries a document. Unknown, forbidden and absent are one answer, so the caller sends the
 * same for all three (DESIGN.md section 3, rule 8).
 *
 * @param document undefined when the id that was asked for is not known here
 * @param trustedNowMs as for `mayDo`
 */
export const mayRead = (
  document: ReadableDocument | undefined,
  member: Standing,
  trustedNowMs: number | undefined,
): boolean => {
  const joins: Capability = 'join'
  return document !== undefined && mayDo(member, joins, trustedNowMs).ok && reaches(document, member.certificate.scope)
}
