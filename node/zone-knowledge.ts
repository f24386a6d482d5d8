import type { Book } from '../crdt/index.ts'
import type { NodeLinks } from './links-of-node.ts'
import type { Membership } from './services/membership/index.ts'
import type { ZoneKnowledge } from './views/index.ts'

/** What a node knows of the authority of zones, and of its links to the nodes that run them. */
export const createZoneKnowledge = (
  book: Book,
  membership: Pick<Membership, 'authorityStaleForMs'>,
  { uplink, downlinks }: NodeLinks,
): ZoneKnowledge => ({
  authority: (scope) => {
    const owner = book.ownerAt(scope, 'zone')
    const staleForMs = membership.authorityStaleForMs()
    return owner && { generation: owner.generation, ...(staleForMs !== undefined && { 'stale-for-ms': staleForMs }) }
  },
  link: (node) => {
    const child = downlinks?.children().find(({ peer }) => peer === node)
    if (child) return { state: child.up ? 'up' : 'down', forMs: child.forMs }
    const up = uplink.state()
    return up.parent === node ? { state: up.up ? 'up' : 'down', forMs: up.forMs } : undefined
  },
})
