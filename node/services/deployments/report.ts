import type { HostStatus } from '../../../runtime/index.ts'
import type { IntentEntry } from './config-store.ts'
import type { SitePlace } from './placement.ts'

/** Why a host does not start what it was told; what it accepted before stays. */
export interface StartRefusal {
  /** Name of the application, or its id where nobody told the name. */
  readonly application: string
  /** Stable and kebab-case. */
  readonly code: string
  readonly message: string
  /** The record of the deployment version that was refused. */
  readonly version?: string
}

/** What is known of one host: the link to it, and the last it said of itself. Ages in milliseconds. */
export interface HostReport {
  readonly site: string
  readonly host: string
  /** The node that runs the host's edge. */
  readonly node: string
  /** `never` when the host has not been heard of since this node began to listen. */
  readonly link: 'up' | 'down' | 'never'
  /** How long the link has been as it is. */
  readonly linkForMs: number
  /** The order number of the last intent the host accepted. */
  readonly acceptedOrder?: number
  /**
   * The order number of the newest intent its direct parent has for the host's site, as that parent says.
   * @default what the node that reads this intends for the site
   */
  readonly intendedOrder?: number
  /** What of its intent it refused. @default nothing */
  readonly refusals?: readonly StartRefusal[]
  /** How long ago the host last said that `status` stands, or said it. */
  readonly receivedAgeMs?: number
  /** How long ago it said `status`: what its own ages count from. @default `receivedAgeMs` */
  readonly statusAgeMs?: number
  readonly status?: HostStatus
  /** Where its host ports are open: one address, or `0.0.0.0` for all of the host. */
  readonly ingressAddress?: string
}

/** Where to ask for reports: of ten thousand hosts they are put together only where something needs them. */
export type ReportsNow = () => readonly HostReport[]

/**
 * A host that was last heard longer ago is as it was, and not as it is. Its own parent hears it on a link that is up, and
 * tells those above at least every ten seconds. In milliseconds.
 */
export const staleAfterMs = 30_000

/** Why a host's last report cannot be taken for how things are now; since when, in milliseconds. */
export interface Unsure {
  readonly reason: 'never-heard' | 'link-down' | 'report-old' | 'engine-unavailable'
  readonly sinceMs?: number
  /** In words, like `link down for 5m`. */
  readonly text: string
}

/** How long ago what a host signed was true as it stands there. */
export const statusAgeMs = ({ statusAgeMs: ageMs, receivedAgeMs = 0 }: HostReport): number => ageMs ?? receivedAgeMs

/** The age of what a host last saw of its containers, or undefined when it never said. */
export const seenAgeMs = (report: HostReport | undefined): number | undefined => {
  const seenMs = report?.status?.observedAgeMs
  return seenMs === undefined || report?.receivedAgeMs === undefined ? undefined : report.receivedAgeMs + seenMs
}

const gap = (entry: IntentEntry, host: string, report: HostReport | undefined): boolean => {
  if (report?.host !== host || report.link !== 'up' || !report.status || report.status.observedAgeMs === undefined)
    return true
  const application = report.status.applications.find(({ application: name }) => name === entry.application)
  if (application?.phase === 'run') return true
  return application?.instances.some(({ containers }) => containers.some(({ state }) => state !== 'absent')) ?? false
}

export interface DoneQuestion {
  readonly entries: readonly IntentEntry[]
  /** Per site the order number of the intent it must have accepted. */
  readonly orders: ReadonlyMap<string, number>
  readonly places: readonly SitePlace[]
  readonly reports: readonly HostReport[]
}

/**
 * Retired entries that nothing is left of: every host of the site has accepted the newest intent and reports no
 * container of the application. A site that left the topology keeps its entry: nobody can say what it still runs.
 */
export const sitesDone = ({ entries, orders, places, reports }: DoneQuestion): readonly IntentEntry[] => {
  const placeOf = new Map(places.map((place) => [place.site, place]))
  const reportsOf = Map.groupBy(reports, ({ site }) => site)
  return entries.filter((entry) => {
    const hosts = placeOf.get(entry.site)?.hosts ?? []
    if (entry.phase !== 'retired' || hosts.length === 0) return false
    return hosts.every(({ name }) => {
      const report = reportsOf.get(entry.site)?.find(({ host }) => host === name)
      const newest = report?.intendedOrder ?? orders.get(entry.site)
      return report?.acceptedOrder === newest && !gap(entry, name, report)
    })
  })
}
