import type { Clock } from '../base/index.ts'
import type { SeenLabels } from '../topologies/index.ts'
import type { HandedDown } from './handed-down.ts'
import type { LabelSight } from './label-sight.ts'
import type { LinkedChild } from './links/index.ts'
import type { CarriedHost, StillHost } from './reports.ts'
import type {
  HostReport,
  IntentEntry,
  IntentOrigin,
  SignedChange,
  SiteIntent,
  SitePlace,
  StoredApplication,
  StoredDeployment,
  ZoneSummary,
} from './services/deployments/index.ts'

/** All a node knows of applications and sites at one moment; what `status` and `explain` rest on. */
export interface Knowledge {
  readonly applications: readonly StoredApplication[]
  readonly deployments: readonly StoredDeployment[]
  readonly places: readonly SitePlace[]
  readonly entries: readonly IntentEntry[]
  readonly reports: readonly HostReport[]
  readonly intentOrder: (site: string) => number
  /** The signed changes known here, the last of each deployment. */
  readonly signed: readonly SignedChange[]
  /** Zones below that let out counts alone. */
  readonly summaries: readonly ZoneSummary[]
  /** The labels of a site that the placement of a deployment sees. @default all it has */
  readonly seen?: (site: string, deployment: string) => SeenLabels | undefined
}

const signedOf = ({ version, signer, order }: Pick<IntentOrigin, 'version' | 'signer' | 'order'>) => ({
  version,
  signer,
  order,
})

/**
 * What a node below the tower knows of configuration: what it was handed for its sites. At an edge a deployment appears as
 * one that names its site, because its placement was judged above; a zone says what it was handed down, also for no site.
 */
export const knowledgeOfIntents = (
  intents: readonly SiteIntent[],
  reports: readonly HostReport[],
  summaries: readonly ZoneSummary[],
  { handed = [], sight }: { readonly handed?: readonly HandedDown[]; readonly sight?: LabelSight } = {},
): Knowledge => {
  const applications = new Map<string, StoredApplication>()
  const deployments = new Map<string, StoredDeployment>()
  const entries: IntentEntry[] = []
  for (const { version, placement, specification } of handed) {
    const { application: spec, images } = specification
    const held = applications.get(spec.name)?.revisions ?? []
    const revision = { spec, version: spec.version ?? '', revision: version.revision, images, changedAtMs: 0 }
    applications.set(spec.name, { name: spec.name, order: 0, revisions: [...held, revision] })
    if (placement === undefined) continue
    const placed = { name: version.name, application: spec.name, 'application-version': spec.version ?? '*', placement }
    deployments.set(version.name, { spec: placed, order: 0, changedAtMs: 0, history: [spec.version ?? ''] })
  }
  for (const { site, order, applications: intended } of intents)
    for (const one of intended) {
      const { application: name, version, revision, deployment } = one
      entries.push({ site, application: name, deployment, version, revision, phase: one.phase })
      if (one.phase === 'retired') continue
      const held = applications.get(name)?.revisions.filter((other) => other.revision !== revision) ?? []
      const { spec, images } = one
      const revisions = [...held, { spec, version, revision, images, changedAtMs: 0 }]
      applications.set(name, { name, order, revisions })
      const placed = { name: deployment, application: name, 'application-version': version || '*' }
      const placement = deployments.get(deployment)?.spec.placement ?? { 'all-sites': true as const }
      deployments.set(deployment, {
        spec: { ...placed, placement },
        order,
        changedAtMs: 0,
        history: [version],
      })
    }
  const orders = new Map(intents.map(({ site, order }) => [site, order]))
  return {
    applications: [...applications.values()],
    deployments: [...deployments.values()],
    places: intents.map(({ place }) => place),
    entries,
    reports,
    intentOrder: (site) => orders.get(site) ?? 0,
    signed: [
      ...intents.flatMap(({ applications: intended }) =>
        intended.flatMap(({ application, deployment, revision, origin }) =>
          origin === undefined ? [] : [{ application, deployment, revision, ...signedOf(origin) }],
        ),
      ),
      ...handed.map(({ id, version: { name, revision, signer, order }, specification }) => ({
        application: specification.application.name,
        deployment: name,
        revision,
        ...signedOf({ version: id, signer, order }),
      })),
    ],
    summaries,
    ...(sight && {
      seen: (site, deployment) => {
        const author = handed.find(({ version }) => version.name === deployment)?.author
        return author === undefined ? undefined : sight.seen(site, author)
      },
    }),
  }
}

/** What is known of the hosts below this node, aged to now. */
export interface Fleet {
  /** Takes what a linked child said of itself and of all below it. */
  note(child: string, hosts: readonly CarriedHost[]): void
  /** Takes that hosts of which nothing changed were heard again. */
  still(child: string, hosts: readonly StillHost[]): void
  /** Every expected host, sorted by site and name; silent ones as `never`. */
  reports(): readonly HostReport[]
  /** The same of the hosts of one site. */
  reportsOf(site: string): readonly HostReport[]
  /** What was heard of hosts, as it goes on to a parent. */
  carried(): readonly CarriedHost[]
}

interface Heard {
  readonly child: string
  readonly host: CarriedHost
  /** When it was last heard of, and when what it said and its link were told. */
  readonly atMs: number
  readonly toldMs: number
}

export interface FleetOptions {
  readonly clock: Clock
  /** Hosts that belong below this node. */
  readonly expected: readonly { readonly site: string; readonly host: string; readonly node: string }[]
  /** Links to children, as they are now. */
  readonly children: () => readonly LinkedChild[]
  /** The order number of what this node intends for a site right below it; undefined for other sites. */
  readonly intendedOrder: (site: string) => number | undefined
}

/** Remembers the last word of each host. A word heard through a child whose link broke is as old as that break. */
export const createFleet = ({ clock, expected, children, intendedOrder }: FleetOptions): Fleet => {
  const heard = new Map<string, Heard>()
  const startedMs = clock.monotonicMs()
  const known = new Map(expected.map((host) => [host.node, host]))
  const bySite = Map.groupBy(expected, ({ site }) => site)
  /** Once for all hosts that are looked at: there may be ten thousand, and five hundred links. */
  const linksNow = () => new Map(children().map((one) => [one.peer, one]))
  const aged = (
    { child: peer, host: { report }, atMs, toldMs }: Heard,
    nowMs: number,
    links: ReturnType<typeof linksNow>,
  ): HostReport => {
    const child = links.get(peer)
    const isOwn = report.node === peer
    const passedMs = nowMs - atMs
    const up = child?.up === true && report.link === 'up'
    const sinceTold = nowMs - toldMs
    const linkForMs = child?.up && !isOwn ? report.linkForMs + sinceTold : (child?.forMs ?? sinceTold)
    const order = intendedOrder(report.site)
    // Signs of life say that all is as it was, up to the last that came before a link was lost.
    const silentMs = isOwn && child ? child.heardAgeMs : Number.POSITIVE_INFINITY
    const heardAgeMs = (ageMs: number) => Math.min(ageMs, silentMs)
    return {
      ...report,
      link: up ? 'up' : 'down',
      linkForMs,
      ...(report.receivedAgeMs !== undefined && { receivedAgeMs: heardAgeMs(report.receivedAgeMs + passedMs) }),
      ...(report.statusAgeMs !== undefined && { statusAgeMs: report.statusAgeMs + sinceTold }),
      ...(order !== undefined && { intendedOrder: order }),
    }
  }
  const reportsOf = (some: FleetOptions['expected']): readonly HostReport[] => {
    const [nowMs, links] = [clock.monotonicMs(), linksNow()]
    return some.map(({ site, host, node }) => {
      const last = heard.get(node)
      if (last) return aged(last, nowMs, links)
      return { site, host, node, link: 'never' as const, linkForMs: nowMs - startedMs }
    })
  }
  return {
    note: (child, hosts) => {
      const atMs = clock.monotonicMs()
      for (const host of hosts) {
        const place = known.get(host.report.node)
        if (place?.host === host.report.host && place.site === host.report.site)
          heard.set(host.report.node, { child, host, atMs, toldMs: atMs })
      }
    },
    still: (child, hosts) => {
      const nowMs = clock.monotonicMs()
      for (const { node, ageMs } of hosts) {
        const last = heard.get(node)
        if (last?.child !== child) continue
        const host = { ...last.host, report: { ...last.host.report, receivedAgeMs: ageMs } }
        heard.set(node, { ...last, host, atMs: nowMs })
      }
    },
    reports: () => reportsOf(expected),
    reportsOf: (site) => reportsOf(bySite.get(site) ?? []),
    carried: () => {
      const [nowMs, links] = [clock.monotonicMs(), linksNow()]
      return [...heard.values()].map((one) => ({ ...one.host, report: aged(one, nowMs, links) }))
    },
  }
}
