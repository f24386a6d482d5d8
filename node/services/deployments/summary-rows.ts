import { formatDuration } from '../../../base/index.ts'
import type { DeploymentVersion, RollUpRow } from '../../../crdt/index.ts'
import type { SiteIntent } from './intent.ts'
import { byName } from './placement.ts'
import type { SiteRow } from './status.ts'
import type { TenantConfig } from './tenant-config.ts'

/** The counts a zone signed of all below it, as this node heard them last. */
export interface ZoneSummary {
  /** Like `/de/bavaria`. */
  readonly scope: string
  readonly rows: readonly RollUpRow[]
  /** How long ago they were received, in milliseconds. */
  readonly receivedAgeMs: number
  /** Names of the applications and versions of the rows. */
  readonly names: RowNames
}

/** What people call an application and a version of it, by their ids; undefined where nobody here knows. */
export type RowNames = (
  application: string,
  version: string | null,
) => { readonly application: string; readonly version: string } | undefined

/** Names as a tower has them: in its configuration, and the versions it signed. */
export const namesOfConfig =
  (config: TenantConfig, versions: (id: string) => DeploymentVersion | undefined): RowNames =>
  (id, record) => {
    const application = config.applications.get(id)
    const revision = record === null ? undefined : versions(record)?.revision
    const version = application?.revisions.find((one) => one.revision === revision)?.version
    return application && { application: application.name, version: version ?? '' }
  }

/** Names as a node below the tower has them: in what it told its sites. */
export const namesOfIntents =
  (intents: readonly SiteIntent[]): RowNames =>
  (id, record) => {
    const told = intents.flatMap(({ applications }) => applications.filter(({ origin }) => origin?.application === id))
    const exact = told.find(({ origin }) => origin?.version === record)
    const [any] = told
    return any && { application: any.application, version: exact?.version ?? '' }
  }

const shortId = (id: string) => id.slice(0, 12)

/** A count with the age of what says so; what nobody counted has none. */
const countOf = (count: number, ageMs: number | null) => ({ count, ...(ageMs !== null && { ageMs }) })

const siteRowOf = (row: RollUpRow, { scope, receivedAgeMs }: ZoneSummary, staleMs: number): SiteRow => {
  const ageMs = row.reportAgeMs === null ? null : row.reportAgeMs + receivedAgeMs
  const isStale = receivedAgeMs > staleMs
  const said = (count: number) => countOf(isStale ? 0 : count, isStale ? null : ageMs)
  const conflict = row.conflict === 0 ? [] : [`${row.conflict} in conflict`]
  const stale = isStale ? [`last report is ${formatDuration(receivedAgeMs)} old`] : []
  return {
    site: scope,
    phase: row.wanted > 0 || row.running === 0 ? 'run' : 'former',
    wanted: { count: row.wanted },
    // Each holds the next, so at least what runs is downloaded.
    downloaded: said(row.running),
    running: said(row.running),
    ready: said(row.ready),
    failing: said(row.failing),
    unknown: isStale
      ? { count: Math.max(row.wanted, row.running), ageMs: receivedAgeMs + (row.reportAgeMs ?? 0) }
      : countOf(row.unknown, row.unknownMs === null ? null : row.unknownMs + receivedAgeMs),
    lastKnown: [],
    note: ['counts only', ...conflict, ...stale].join(', '),
  }
}

/**
 * What zones that let out counts alone add to `status`, per application: one row per zone and version. What such a zone
 * said too long ago counts as unknown.
 * @param staleMs age from which a summary is too old, in milliseconds
 */
export const zoneRows = (
  summaries: readonly ZoneSummary[],
  staleMs: number,
): ReadonlyMap<string, readonly { readonly version: string; readonly row: SiteRow }[]> => {
  const rows = summaries
    .toSorted((a, b) => byName(a.scope, b.scope))
    .flatMap((summary) =>
      summary.rows.map((one) => ({
        named: summary.names(one.application, one.version) ?? {
          application: shortId(one.application),
          version: shortId(one.version ?? ''),
        },
        row: siteRowOf(one, summary, staleMs),
      })),
    )
  const groups = Map.groupBy(rows, ({ named }) => named.application)
  return new Map(
    [...groups].map(([application, found]) => [
      application,
      found.map(({ named, row }) => ({ version: named.version, row })),
    ]),
  )
}
