import type { Book, Conflict, DeploymentVersion, Effective, LaneView, ReadEntry } from '../crdt/index.ts'
import {
  hostLabels,
  matchesLabels,
  parseLabelExpression,
  type Site,
  siteLabels,
  sites,
  type Topology,
} from '../topologies/index.ts'
import type { LabelSight } from './label-sight.ts'
import {
  allSites,
  type Placement,
  type RowNames,
  type SiteIntent,
  type SitePlace,
  type Specification,
  siteIntentOf,
} from './services/deployments/index.ts'
import type { Specifications } from './specifications.ts'
import { isWithin } from './tree-node.ts'

/** One deployment as a zone was handed it, whether any of its own sites is meant or not. */
export interface HandedDown {
  readonly entry: ReadEntry
  /** Id of the tenant. */
  readonly tenant: string
  /** Id of the signed record. */
  readonly id: string
  readonly version: DeploymentVersion
  readonly specification: Specification
  /** Undefined where the version names no sites. */
  readonly placement: Placement | undefined
  /** The scope whose word it is: its expression sees what that scope may see. */
  readonly author: string
}

export interface HandedQuestion {
  readonly scope: string
  /** What this node may read of the tree, as it stands now. */
  readonly topology: Topology | undefined
  /** What the lanes of the zone come to, per tenant. */
  readonly effective: ReadonlyMap<string, ReadonlyMap<string, Effective>>
  /** What stands in the intent lane of a child. */
  readonly told: (child: string, tenant: string) => Promise<LaneView | undefined>
  readonly book: Book
  readonly specifications: Specifications
  readonly sight: LabelSight
  /** Name of the one tenant. */
  readonly tenant: string
}

const placementOf = (expression: string): Placement | undefined => {
  if (expression === '') return undefined
  return expression === allSites ? { 'all-sites': true } : { 'match-site-labels': expression }
}

/** Candidates that are another application of the name are found under their own id. */
const ownEntries = ({ candidates }: Conflict): readonly ReadEntry[] =>
  candidates.filter((one) => one.application === undefined).map(({ entry }) => entry)

/** What a zone is to run somewhere inside it, as far as all of it is here; of a conflict every candidate. */
export const handedDown = async ({
  effective,
  book,
  specifications,
  sight,
}: Pick<HandedQuestion, 'effective' | 'book' | 'specifications' | 'sight'>): Promise<readonly HandedDown[]> => {
  const found: HandedDown[] = []
  for (const [tenant, applications] of effective)
    for (const one of applications.values())
      for (const entry of one.kind === 'entry' ? [one.entry] : ownEntries(one)) {
        const version = entry.version === null ? undefined : book.version(entry.version)?.body
        const specification = version && (await specifications.read(version.revision))
        if (entry.version === null || version === undefined || specification === undefined) continue
        const placement = placementOf(version.placement)
        found.push({
          entry,
          tenant,
          id: entry.version,
          version,
          specification,
          placement,
          author: sight.authorOf(version),
        })
      }
  return found
}

const placeOf = (topology: Topology, site: Site): SitePlace => ({
  site: site.name,
  scope: site.path,
  labels: siteLabels(topology, site),
  hosts: site.hosts.map((host) => ({ name: host.name, labels: hostLabels(host) })),
})

const matches = ({ version, author }: HandedDown, site: string, sight: LabelSight): boolean => {
  try {
    return matchesLabels(parseLabelExpression(version.placement), sight.seen(site, author)?.labels ?? {})
  } catch {
    return false
  }
}

/**
 * What the zone wants of sites further down, as the tower works it out for all: what it told the zone in between, where
 * the placement matches. The zone in between decides, and may decide otherwise.
 */
export const intentsInside = async (
  question: HandedQuestion,
  handed: readonly HandedDown[],
): Promise<readonly SiteIntent[]> => {
  const { topology, scope, told, sight, tenant } = question
  if (topology === undefined) return []
  const base = scope === '/' ? '/' : `${scope}/`
  const inside = sites(topology).filter(
    ({ type, path }) => type === 'edge' && isWithin(path, scope) && path.slice(base.length).includes('/'),
  )
  const standing = new Map<string, ReadonlySet<string>>()
  const toldTo = async (child: string): Promise<ReadonlySet<string>> => {
    const known = standing.get(child)
    if (known !== undefined) return known
    const tenants = [...new Set(handed.map((one) => one.tenant))]
    const views = await Promise.all(tenants.map((one) => told(child, one)))
    const found = new Set(
      views.flatMap((view) => [...(view?.entries.values() ?? [])].flat().flatMap(({ version }) => version ?? [])),
    )
    standing.set(child, found)
    return found
  }
  const intents: SiteIntent[] = []
  for (const site of inside) {
    const child = `${base}${site.path.slice(base.length).split('/')[0]}`
    const standsThere = await toldTo(child)
    const wanted = handed.filter((one) => standsThere.has(one.id) && matches(one, site.name, sight))
    const { intent } = siteIntentOf({
      place: placeOf(topology, site),
      entries: new Map(wanted.map(({ version, entry }) => [version.application, entry])),
      versions: (id) => wanted.find((one) => one.id === id)?.version,
      specifications: (revision) => wanted.find(({ version }) => version.revision === revision)?.specification,
      tenant,
      order: 0,
    })
    intents.push(intent)
  }
  return intents
}

/** What people call the applications and versions of counts, as far as they were handed down here. */
export const namesOfHanded =
  (handed: readonly HandedDown[]): RowNames =>
  (application, record) => {
    const told = handed.filter(({ version }) => version.application === application)
    const exact = told.find(({ id }) => id === record)
    const [any] = told
    return (
      any && {
        application: any.specification.application.name,
        version: exact?.specification.application.version ?? '',
      }
    )
  }
