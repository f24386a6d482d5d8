import { errorText, type Log, type ScopePath } from '../base/index.ts'
import type { Book, Documents, ReadEntry } from '../crdt/index.ts'
import { hostLabels, siteLabels, type Topology, zoneAt } from '../topologies/index.ts'
import { createRounds } from './rounds.ts'
import {
  intentOrderOf,
  type SiteIntent,
  type SitePlace,
  type Specification,
  siteIntentOf,
} from './services/deployments/index.ts'
import type { Specifications } from './specifications.ts'
import type { ZoneDesk } from './zone-desk.ts'

/** What each site right below a zone is to do, worked out as the site itself does. */
export interface SiteIntents {
  refresh(): Promise<void>
  all(): readonly SiteIntent[]
  /** False until they were worked out for the first time: this node has to know its network for that. */
  isKnown(): boolean
  /** The order number of the newest intent of a site right below; undefined for others. */
  orderOf(site: string): number | undefined
}

export interface SiteIntentsOptions {
  readonly topology: Topology | undefined
  readonly scope: ScopePath
  readonly documents: Documents
  readonly book: Book
  readonly specifications: Specifications
  readonly zoneDesk: ZoneDesk | undefined
  /** Name of the one tenant. */
  readonly tenant: string
  readonly log: Log
}

const placesOf = (topology: Topology | undefined, scope: ScopePath): readonly SitePlace[] =>
  (topology === undefined ? undefined : zoneAt(topology, scope))?.sites
    .filter(({ type }) => type === 'edge')
    .map((site) => ({
      site: site.name,
      scope: site.path,
      labels: topology === undefined ? {} : siteLabels(topology, site),
      hosts: site.hosts.map((host) => ({ name: host.name, labels: hostLabels(host) })),
    })) ?? []

export const createSiteIntents = (options: SiteIntentsOptions): SiteIntents => {
  const { documents, book, specifications, zoneDesk, tenant, log } = options
  const places = placesOf(options.topology, options.scope)
  const scopes = new Map(places.map(({ site, scope }) => [site, scope as ScopePath]))
  const intents = new Map<string, SiteIntent>()

  const intentLanes = (scope: ScopePath) =>
    book
      .tenants()
      .flatMap(({ id }) => documents.idOf({ kind: 'intent', scope, tenant: id, owner: options.scope }) ?? [])

  const orderOf = (site: string): number | undefined => {
    const scope = scopes.get(site)
    if (scope === undefined) return undefined
    const fences = intentLanes(scope).flatMap((id) => documents.summaryOf(id)?.fence ?? [])
    return Math.max(0, ...fences.map(intentOrderOf))
  }

  const refreshOne = async (place: SitePlace): Promise<void> => {
    const entries = new Map<string, ReadEntry>()
    for (const { id } of book.tenants())
      for (const [application, [entry]] of (await zoneDesk?.told(place.scope, id))?.entries ?? [])
        if (entry !== undefined) entries.set(application, entry)
    const held = new Map<string, Specification>()
    for (const { version } of entries.values()) {
      const revision = version === null ? undefined : book.version(version)?.body.revision
      const read = revision === undefined ? undefined : await specifications.read(revision)
      if (revision !== undefined && read !== undefined) held.set(revision, read)
    }
    const { intent } = siteIntentOf({
      place,
      entries,
      versions: (id) => book.version(id)?.body,
      specifications: (revision) => held.get(revision),
      tenant,
      order: orderOf(place.site) ?? 0,
      last: intents.get(place.site),
    })
    intents.set(place.site, intent)
  }

  return {
    refresh: createRounds(async () => {
      if (zoneDesk === undefined || book.trust() === undefined) return
      for (const place of places)
        await refreshOne(place).catch((error: unknown) =>
          log.warn('what a site is to do is not known here', { site: place.site, error: errorText(error) }),
        )
    }),
    all: () => [...intents.values()],
    isKnown: () => zoneDesk === undefined || intents.size > 0 || places.length === 0,
    orderOf,
  }
}
