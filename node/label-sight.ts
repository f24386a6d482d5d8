import { type AuthorityPowers, type Book, type DeploymentVersion, fromHex, keyIdOf } from '../crdt/index.ts'
import { labelsSeenFrom, type SeenLabels, siteNamed, type Topology } from '../topologies/index.ts'

/** What whoever signed a version may see of a site. */
export interface LabelSight {
  /** The scope a version speaks from: the tenant's home, or the one its signer was delegated. */
  authorOf(version: Pick<DeploymentVersion, 'tenant' | 'signer'>): string
  /** Undefined for a site that the topology does not name here. */
  seen(site: string, author: string): SeenLabels | undefined
}

export const createLabelSight = (
  tree: () => Topology | undefined,
  book: Book,
  powers: Pick<AuthorityPowers, 'hash'>,
): LabelSight => ({
  authorOf: ({ tenant, signer }) => {
    const owner = book.owner(tenant)
    const delegation = book
      .delegationsOf(tenant)
      .find(({ body }) => body.isGranted && keyIdOf(fromHex(body.key), powers.hash) === signer)
    // Who is not known speaks from furthest away: sees least.
    return (owner?.keys.has(signer) ? owner.scope : delegation?.body.scope) ?? '/'
  },
  seen: (name, author) => {
    const topology = tree()
    const site = topology === undefined ? undefined : siteNamed(topology, name)
    return topology === undefined || site === undefined ? undefined : labelsSeenFrom(topology, site, author)
  },
})
