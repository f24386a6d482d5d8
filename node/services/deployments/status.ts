import type { ApplicationStatus, InstanceStatus, WaitingReason } from '../../../runtime/index.ts'
import type { IntentEntry, StoredApplication } from './config-store.ts'
import type { SitePlace } from './placement.ts'
import { byName } from './placement.ts'
import { type HostReport, seenAgeMs, staleAfterMs, statusAgeMs, type Unsure } from './report.ts'
import type { Hash } from './revision.ts'
import { type PlacedInstance, spreadInstances } from './spread.ts'
import { type ZoneSummary, zoneRows } from './summary-rows.ts'
import { unsureOf } from './unsure.ts'

/** How many instances, and how old the oldest report is that says so, in milliseconds; no age where none does. */
export interface Count {
  readonly count: number
  readonly ageMs?: number
}

/** Each of downloaded, running and ready holds the next; an instance is in `unknown` or in those, never in both. */
export interface Counts {
  readonly wanted: Count
  readonly downloaded: Count
  readonly running: Count
  readonly ready: Count
  /** Something stands in the way that waiting alone may not cure. */
  readonly failing: Count
  /** The host's last word is too old to count; the age is that of the oldest last word. */
  readonly unknown: Count
}

/** What was last known of an instance whose host cannot be asked. Never how things are. */
export interface LastKnown {
  readonly instance: string
  readonly host: string
  readonly unsure: Unsure
  readonly state: 'ready' | 'running' | 'downloaded' | 'nothing' | 'never-heard'
  readonly ageMs?: number
}

export interface SiteRow extends Counts {
  /** Name of the site, or the path of a zone that lets out counts alone. */
  readonly site: string
  /** `run` and `retired` as the site was told; `former` for a version that only still runs there. */
  readonly phase: 'run' | 'retired' | 'former'
  readonly lastKnown: readonly LastKnown[]
  /** What a person needs to know of the row. */
  readonly note?: string
}

export interface VersionRow extends Counts {
  /** Empty where the application has none. */
  readonly version: string
  readonly sites: readonly SiteRow[]
}

export interface ApplicationRow extends Counts {
  readonly application: string
  readonly deployment?: string
  readonly versions: readonly VersionRow[]
}

export interface StatusQuestion {
  readonly applications: readonly StoredApplication[]
  readonly entries: readonly IntentEntry[]
  readonly places: readonly SitePlace[]
  readonly reports: readonly HostReport[]
  readonly hash: Hash
  /** What zones said that let out counts alone. @default none */
  readonly summaries?: readonly ZoneSummary[]
  /** @default 30000, in milliseconds */
  readonly staleMs?: number
}

const failingReasons: ReadonlySet<WaitingReason> = new Set([
  'engine-unavailable',
  'image-refused',
  'needs-containerd',
  'no-free-port',
  'port-taken',
  'network-failed',
  'disk-full',
  'start-failed',
  'crash-loop',
  'backing-off',
  'out-of-memory',
  'probe-failing',
])

const none: Counts = {
  wanted: { count: 0 },
  downloaded: { count: 0 },
  running: { count: 0 },
  ready: { count: 0 },
  failing: { count: 0 },
  unknown: { count: 0 },
}

const kinds = Object.keys(none) as readonly (keyof Counts)[]

const addCount = (a: Count, b: Count): Count => {
  const ages = [a.ageMs, b.ageMs].filter((age) => age !== undefined)
  return { count: a.count + b.count, ...(ages.length > 0 && { ageMs: Math.max(...ages) }) }
}

const addCounts = (rows: readonly Counts[]): Counts =>
  rows.reduce<Counts>(
    (sum, row) => Object.fromEntries(kinds.map((kind) => [kind, addCount(sum[kind], row[kind])])) as unknown as Counts,
    none,
  )

const one = (yes: boolean, ageMs: number): Count => ({ count: yes ? 1 : 0, ageMs })

const isRunning = (instance: InstanceStatus | undefined): boolean =>
  instance !== undefined &&
  instance.containers.length > 0 &&
  instance.containers.every(({ state }) => state === 'running')

const isDownloaded = (application: ApplicationStatus | undefined): boolean =>
  application?.images.every(({ state }) => state === 'present') ?? false

/** For how long an application has been failing at a site, in milliseconds; the longest counts. */
export const failingForMs = (reports: readonly HostReport[], site: string, application: string): number =>
  Math.max(
    0,
    ...reports
      .filter((report) => report.site === site)
      .flatMap((report) =>
        (report.status?.applications ?? [])
          .filter((one) => one.application === application)
          .flatMap(({ waiting }) => waiting)
          .filter(({ reason }) => failingReasons.has(reason))
          .map(({ forMs }) => forMs + statusAgeMs(report)),
      ),
  )

const isFailing = (application: ApplicationStatus, instance: string): boolean =>
  application.waiting.some(
    (waiting) =>
      failingReasons.has(waiting.reason) && (waiting.instance === undefined || waiting.instance === instance),
  )

interface Site {
  readonly site: string
  readonly application: string
  readonly reports: readonly HostReport[]
  readonly staleMs: number
}

const applicationOn = (site: Site, report: HostReport | undefined) =>
  report?.status?.applications.find(({ application }) => application === site.application)

/** An instance as the host's last word has it, for one revision. */
const instanceOf = (application: ApplicationStatus | undefined, revision: string, id: string) =>
  application?.revision === revision ? application.instances.find((instance) => instance.id === id) : undefined

const lastKnownOf = (
  site: Site,
  placed: PlacedInstance,
  revision: string,
  report: HostReport | undefined,
  unsure: Unsure,
): LastKnown => {
  const application = applicationOn(site, report)
  const instance = instanceOf(application, revision, placed.id)
  const ageMs = seenAgeMs(report)
  const downloaded = application?.revision === revision && isDownloaded(application)
  const state = !report?.status
    ? 'never-heard'
    : instance?.ready
      ? 'ready'
      : isRunning(instance)
        ? 'running'
        : downloaded
          ? 'downloaded'
          : 'nothing'
  return { instance: placed.id, host: placed.host, unsure, state, ...(ageMs !== undefined && { ageMs }) }
}

const countInstance = (
  site: Site,
  placed: PlacedInstance,
  revision: string,
): { counts: Counts; lastKnown: LastKnown[] } => {
  const report = site.reports.find(({ host }) => host === placed.host)
  const wanted = { count: 1 }
  const unsure = unsureOf(report, site.staleMs)
  if (unsure) {
    const known = lastKnownOf(site, placed, revision, report, unsure)
    const unknown = { count: 1, ...(known.ageMs !== undefined && { ageMs: known.ageMs }) }
    return { counts: { ...none, wanted, unknown }, lastKnown: [known] }
  }
  const ageMs = seenAgeMs(report) ?? 0
  const application = applicationOn(site, report)
  const accepted = application?.revision === revision ? application : undefined
  const instance = instanceOf(application, revision, placed.id)
  const running = isRunning(instance)
  const counts = {
    wanted,
    downloaded: one(running || isDownloaded(accepted), ageMs),
    running: one(running, ageMs),
    ready: one(running && (instance?.ready ?? false), ageMs),
    failing: one(accepted !== undefined && isFailing(accepted, placed.id), ageMs),
    unknown: { count: 0 },
  }
  return { counts, lastKnown: [] }
}

/** Instances a host still runs of a revision that it is no longer to run. */
const countFormer = (site: Site, report: HostReport): { version: string; counts: Counts } | undefined => {
  const application = applicationOn(site, report)
  const ageMs = seenAgeMs(report)
  if (!application || ageMs === undefined) return undefined
  const running = application.instances.filter(isRunning)
  if (running.length === 0) return undefined
  if (unsureOf(report, site.staleMs))
    return { version: application.version, counts: { ...none, unknown: { count: running.length, ageMs } } }
  const ready = running.filter((instance) => instance.ready)
  return {
    version: application.version,
    counts: { ...none, running: { count: running.length, ageMs }, ready: { count: ready.length, ageMs } },
  }
}

/** What is looked up for every site: looked for in ten thousand each time, it would be a hundred million steps. */
interface BySite {
  readonly places: ReadonlyMap<string, SitePlace>
  readonly reports: ReadonlyMap<string, readonly HostReport[]>
}

const siteRows = (
  entry: IntentEntry,
  question: StatusQuestion,
  bySite: BySite,
): { version: string; row: SiteRow }[] => {
  const place = bySite.places.get(entry.site)
  const reports = bySite.reports.get(entry.site) ?? []
  const site: Site = {
    site: entry.site,
    application: entry.application,
    reports,
    staleMs: question.staleMs ?? staleAfterMs,
  }
  const spec = question.applications
    .find(({ name }) => name === entry.application)
    ?.revisions.find(({ revision }) => revision === entry.revision)?.spec
  const placed = entry.phase === 'run' && spec && place ? spreadInstances(spec, place, question.hash) : []
  const counted = placed.map((instance) => countInstance(site, instance, entry.revision))
  const told: SiteRow = {
    site: entry.site,
    phase: entry.phase,
    ...addCounts(counted.map(({ counts }) => counts)),
    lastKnown: counted.flatMap(({ lastKnown }) => lastKnown),
  }
  const others = reports
    .filter((report) => entry.phase === 'retired' || applicationOn(site, report)?.revision !== entry.revision)
    .flatMap((report) => countFormer(site, report) ?? [])
  const former = [...Map.groupBy(others, ({ version }) => version)].map(([version, rows]) => ({
    version,
    row: { site: entry.site, phase: 'former' as const, ...addCounts(rows.map(({ counts }) => counts)), lastKnown: [] },
  }))
  if (entry.phase === 'retired' && former.some(({ version }) => version === entry.version))
    return former.map(({ version, row }) => ({
      version,
      row: version === entry.version ? { ...row, phase: 'retired' as const } : row,
    }))
  return [{ version: entry.version, row: told }, ...former]
}

/**
 * Rolls the reports of hosts up to sites, versions and applications: what is wanted, and what of it is downloaded,
 * running, ready, failing or unknown. What a host said before its link broke, or too long ago, counts as unknown and
 * is shown as last known. Applications that no site was told of have a row without versions. A zone that lets out counts
 * alone is one row, by its path.
 */
export const rollUpStatus = (question: StatusQuestion): readonly ApplicationRow[] => {
  const byApplication = Map.groupBy(question.entries, ({ application }) => application)
  const bySite = {
    places: new Map(question.places.map((place) => [place.site, place])),
    reports: Map.groupBy(question.reports, ({ site }) => site),
  }
  const zones = zoneRows(question.summaries ?? [], question.staleMs ?? staleAfterMs)
  const names = [
    ...new Set([...question.applications.map(({ name }) => name), ...byApplication.keys(), ...zones.keys()]),
  ].toSorted(byName)
  return names.map((application) => {
    const entries = (byApplication.get(application) ?? []).toSorted((a, b) => byName(a.site, b.site))
    const rows = [...entries.flatMap((entry) => siteRows(entry, question, bySite)), ...(zones.get(application) ?? [])]
    const versions = [...Map.groupBy(rows, ({ version }) => version)].map(([version, found]) => {
      const sites = found.map(({ row }) => row)
      return { version, ...addCounts(sites), sites }
    })
    const deployment = entries.find(({ phase }) => phase === 'run')?.deployment ?? entries[0]?.deployment
    return { application, ...(deployment !== undefined && { deployment }), ...addCounts(versions), versions }
  })
}
