import type {
  ApplicationStateView,
  ApplicationZoneView,
  ConflictView,
  CountsView,
  CountView,
  DeploymentStateView,
  IngressView,
  ServiceInstanceView,
  WaitingView,
} from '../api/index.ts'
import type { Knowledge } from '../knowledge.ts'
import {
  type Count,
  type Counts,
  deployedRevision,
  type Hash,
  type HostReport,
  placementMatches,
  rollUpStatus,
  type SiteRow,
  staleAfterMs,
  statusAgeMs,
  unsureOf,
} from '../services/deployments/index.ts'

const countView = ({ count, ageMs }: Count): CountView => ({ count, ...(ageMs !== undefined && { 'age-ms': ageMs }) })

const countsView = (counts: Counts): CountsView => ({
  wanted: countView(counts.wanted),
  downloaded: countView(counts.downloaded),
  running: countView(counts.running),
  ready: countView(counts.ready),
  failing: countView(counts.failing),
  unknown: countView(counts.unknown),
})

/** @param reports of one site */
const waitingOf = (application: string, reports: readonly HostReport[]): readonly WaitingView[] =>
  reports.flatMap((report) =>
    (report.status?.applications ?? [])
      .filter((one) => one.application === application)
      .flatMap(({ waiting }) => waiting)
      .map(({ reason, detail, instance, container, forMs, retryInMs }) => ({
        reason,
        detail,
        ...(instance !== undefined && { instance }),
        ...(container !== undefined && { container }),
        'for-ms': forMs + statusAgeMs(report),
        ...(retryInMs !== undefined && { 'retry-in-ms': Math.max(0, retryInMs - statusAgeMs(report)) }),
      })),
  )

/** Host ports of an application at a site, as far as its hosts can be asked now. @param reports of that site */
const ingressOf = (application: string, reports: readonly HostReport[]): readonly IngressView[] =>
  reports
    .filter((report) => unsureOf(report, staleAfterMs) === undefined)
    .flatMap((report) => {
      const { host, ingressAddress: bound = '0.0.0.0', status } = report
      const address = bound === '0.0.0.0' ? host : bound
      return (status?.applications ?? [])
        .filter((one) => one.application === application)
        .flatMap(({ instances }) => instances)
        .flatMap(({ id, ports }) =>
          ports.map(({ protocol, containerPort, hostPort }) => ({
            instance: id,
            host,
            address,
            protocol,
            'host-port': hostPort,
            'container-port': containerPort,
          })),
        )
    })

/** One word for an application: the worst that is known of any of its sites. */
const operStatus = (rows: readonly SiteRow[]): string => {
  if (rows.length === 0) return 'not-deployed'
  const sum = (kind: keyof Counts) => rows.reduce((total, row) => total + row[kind].count, 0)
  if (sum('failing') > 0) return 'error'
  if (sum('unknown') > 0) return 'unknown'
  const former = rows.some(({ phase, running }) => phase !== 'run' && running.count > 0)
  return !former && sum('ready') >= sum('wanted') ? 'running' : 'deploying'
}

const zoneView = (
  known: Knowledge,
  application: string,
  { version, row }: { readonly version: string; readonly row: SiteRow },
): ApplicationZoneView => {
  const summary = known.summaries.find(({ scope }) => scope === row.site)
  const conflicts = (summary?.rows ?? []).filter(
    ({ application: id, version: record, conflict }) =>
      conflict > 0 && summary?.names(id, record)?.application === application,
  )
  const { wanted, running, ready, failing, unknown } = countsView(row)
  return {
    zone: row.site,
    version,
    wanted,
    running,
    ready,
    failing,
    unknown,
    conflict: { count: conflicts.reduce((sum, { conflict }) => sum + conflict, 0) },
    ...(summary && { 'age-ms': summary.receivedAgeMs }),
    note: row.note ?? 'counts only',
  }
}

/** Applications as this node knows them; with `site` only what that site does. */
export const applicationViews = (known: Knowledge, hash: Hash, site?: string): readonly ApplicationStateView[] => {
  const rows = rollUpStatus({ ...known, hash })
  const reportsOf = Map.groupBy(known.reports, (report) => report.site)
  const entriesOf = Map.groupBy(known.entries, (entry) => entry.site)
  return rows.map(({ application, deployment, versions }) => {
    const all = versions.flatMap(({ version, sites: found }) => found.map((row) => ({ version, row })))
    const asked = all.filter(({ row }) => site === undefined || row.site === site)
    // A zone that lets out counts alone stands as one row, under its path.
    const zones = asked.filter(({ row }) => row.site.startsWith('/'))
    const here = asked.filter(({ row }) => !row.site.startsWith('/'))
    const held = known.applications.find(({ name }) => name === application)
    const deployed = known.deployments.find(({ spec }) => spec.application === application)
    const wanted = deployed && deployedRevision(deployed, held)
    return {
      name: application,
      version: held?.revisions.at(-1)?.version ?? '',
      ...(deployment !== undefined && { deployment }),
      ...(wanted && { 'wanted-revision': wanted.revision, 'wanted-version': wanted.version }),
      'oper-status': operStatus(asked.map(({ row }) => row)),
      ...(zones.length > 0 && { zones: zones.map((one) => zoneView(known, application, one)) }),
      sites: here.map(({ version, row }) => {
        const reports = reportsOf.get(row.site) ?? []
        const age = reports[0]?.receivedAgeMs
        const entry = entriesOf.get(row.site)?.find((one) => one.application === application)
        return {
          site: row.site,
          version,
          phase: row.phase,
          ...(row.phase !== 'former' && entry && { revision: entry.revision }),
          ...countsView(row),
          ...(age !== undefined && { 'age-ms': age }),
          waiting: waitingOf(application, reports),
          ingress: row.phase === 'run' ? ingressOf(application, reports) : [],
        }
      }),
    }
  })
}

const instanceViewsOf = (report: HostReport, application: string, site: string): readonly ServiceInstanceView[] =>
  (report.status?.applications ?? [])
    .filter((one) => one.application === application)
    .flatMap(({ instances, version, images }) =>
      instances.map((instance) => {
        const sure = report.link === 'up' && (report.receivedAgeMs ?? 0) <= staleAfterMs
        const running = instance.containers.every(({ state }) => state === 'running')
        return {
          name: instance.id,
          service: instance.service,
          site,
          host: report.host,
          'application-version': version,
          'oper-status': !sure ? 'unknown' : instance.ready ? 'running' : running ? 'starting' : 'error',
          ready: sure && instance.ready,
          ips: instance.addresses,
          ports: instance.ports.map(({ protocol, containerPort, hostPort }) => ({
            protocol,
            'container-port': containerPort,
            'host-port': hostPort,
          })),
          containers: instance.containers.map((container) => ({
            name: container.name,
            'oper-status': container.state,
            ...(container.id !== undefined && { id: container.id }),
            pid: container.pid,
            image: images.find(({ digest }) => digest === container.imageDigest)?.name ?? '',
            ...(container.imageDigest !== undefined && { 'image-digest': container.imageDigest }),
            'spec-hash': container.specHash,
            ready: sure && container.ready,
            'current-restarts': container.currentRestarts,
            'total-restarts': container.totalRestarts,
            ...(container.lastExit && { 'last-exit': container.lastExit }),
            probes: Object.fromEntries(
              Object.entries(container.probes).map(([kind, status]) => [kind, { status: status ?? 'pending' }]),
            ),
          })),
          ...(report.receivedAgeMs !== undefined && { 'age-ms': report.receivedAgeMs }),
        }
      }),
    )

/** Instances of an application on every host known here; undefined when nobody knows the application. */
export const instanceViews = (
  known: Knowledge,
  application: string,
  site?: string,
): readonly ServiceInstanceView[] | undefined => {
  const found = known.reports
    .filter((report) => site === undefined || report.site === site)
    .flatMap((report) => instanceViewsOf(report, application, report.site))
    .toSorted((a, b) => (a.site === b.site ? (a.name < b.name ? -1 : 1) : a.site < b.site ? -1 : 1))
  const named =
    known.applications.some(({ name }) => name === application) ||
    known.entries.some((entry) => entry.application === application)
  return named || found.length > 0 ? found : undefined
}

/** Deployments with the sites they reach and the state of their images. */
export const deploymentViews = (known: Knowledge, hash: Hash): readonly DeploymentStateView[] => {
  const rolledUp = rollUpStatus({ ...known, hash })
  return known.deployments.map((deployment) => {
    const { name, application, placement } = deployment.spec
    const held = known.applications.find((one) => one.name === application)
    const revision = deployedRevision(deployment, held)
    const rows = rolledUp
      .filter((row) => row.application === application)
      .flatMap(({ versions }) => versions.flatMap(({ sites }) => sites))
    return {
      name,
      application,
      'application-version': deployment.spec['application-version'],
      'oper-status': operStatus(rows),
      'version-history': [...new Set(deployment.history.toReversed())],
      images: (revision?.images ?? []).map(({ name: image, digest }) => ({ name: image, digest, status: 'present' })),
      sites: known.places
        .filter((place) =>
          placementMatches(placement, { ...place, labels: known.seen?.(place.site, name)?.labels ?? place.labels }),
        )
        .map(({ site }) => site),
    }
  })
}

/** Applications with the conflicts about them, and the zones that decided otherwise. */
export const withConflicts = (
  applications: readonly ApplicationStateView[],
  conflicts: readonly ConflictView[],
  overrides: readonly { readonly application: string; readonly scope: string }[],
): readonly ApplicationStateView[] =>
  applications.map((application) => {
    const about = conflicts.filter((one) => one.application === application.name)
    const by = overrides.filter((one) => one.application === application.name).map(({ scope }) => scope)
    const shown = about.map(({ scope, candidates, withheld, note }) => ({
      scope,
      candidates: candidates.length + withheld.reduce((sum, { count }) => sum + count, 0),
      note,
    }))
    return {
      ...application,
      ...(about.length > 0 && { 'oper-status': 'conflict', conflicts: shown }),
      ...(by.length > 0 && { 'overridden-by': by }),
    }
  })

/** What bears on an application at a site from its zone: that words do not agree there, or that it decided otherwise. */
export const conflictNote = (
  application: string,
  scope: string,
  conflicts: readonly ConflictView[],
  overrides: readonly { readonly application: string; readonly scope: string }[],
): string | undefined => {
  const isHere = (one: { readonly application: string; readonly scope: string }) =>
    one.application === application && scope.startsWith(`${one.scope}/`)
  const open = conflicts.find(isHere)
  if (open !== undefined)
    return `${application} is in conflict in ${open.scope}, sites keep what they have: ${open.note}`
  const other = overrides.find(isHere)
  return (
    other &&
    `${other.scope} decided otherwise of ${application} for itself: "skerry status" at ${other.scope} shows what it wants`
  )
}
