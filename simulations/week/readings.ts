import type { DoneStep, SiteRow, WeekRecord } from './record.ts'

/** Questions to a record, each a pure function of it. */

const overlapMs = (a: { fromMs: number; toMs: number }, fromMs: number, toMs: number): number =>
  Math.max(0, Math.min(a.toMs, toMs) - Math.max(a.fromMs, fromMs))

export const isHarm = ({ kind }: Pick<DoneStep, 'kind'>): boolean =>
  kind === 'cut' || kind === 'power' || kind === 'clock' || kind === 'label'

export const isChange = ({ kind }: Pick<DoneStep, 'kind'>): boolean => kind === 'upgrade' || kind === 'rollback'

export const endOf = ({ tookMs }: WeekRecord, { endMs }: DoneStep): number => endMs ?? tookMs

/** How long a site ran the application on no host at all, within a time. */
export const stoodStillMs = (site: SiteRow, fromMs: number, toMs: number): number =>
  site.ran.reduce((sum, span) => sum + (span.running + span.others === 0 ? overlapMs(span, fromMs, toMs) : 0), 0)

/** When a site first ran a version on every host, at or after a moment; undefined when it did not by `untilMs`. */
export const ranFrom = (site: SiteRow, version: string, fromMs: number, untilMs: number): number | undefined => {
  const span = site.ran.find(
    (one) => one.version === version && one.running === site.hosts.length && one.others === 0 && one.toMs >= fromMs,
  )
  const atMs = span && Math.max(span.fromMs, fromMs)
  return atMs !== undefined && atMs <= untilMs ? atMs : undefined
}

/** The version a site ran at a moment; empty when none. */
export const versionAt = (site: SiteRow, atMs: number): string =>
  site.ran.findLast(({ fromMs }) => fromMs <= atMs)?.version ?? ''

/** What was wanted at a moment. */
export const wantedAt = ({ wanted }: WeekRecord, atMs: number): string =>
  wanted.findLast((one) => one.atMs <= atMs)?.version ?? ''

/** Until when a version was the wanted one, once a change had asked for it. */
export const wantedUntil = (record: WeekRecord, atMs: number): number =>
  record.wanted.find((one) => one.atMs > atMs)?.atMs ?? record.tookMs

/** The tower is asked this often, so a silence may be seen to end so much before it does. */
const askedEveryMs = 10_000

/** For how long, at a moment, the tower had heard nothing of some sites: the longest. */
export const silenceMs = (sites: readonly SiteRow[], atMs: number): number =>
  Math.max(
    0,
    ...sites.flatMap(({ unheard }) =>
      unheard
        .filter(({ fromMs, toMs }) => fromMs < atMs && toMs >= atMs - askedEveryMs)
        .map(({ fromMs }) => atMs - fromMs),
    ),
  )

/** Cuts and power cuts that stood between a site and the tower, or took its power, at a moment. */
export const inTheWay = (record: WeekRecord, site: SiteRow, atMs: number): readonly DoneStep[] =>
  record.steps.filter(
    (step) =>
      (step.kind === 'cut' || step.kind === 'power') &&
      step.atMs <= atMs &&
      endOf(record, step) > atMs &&
      step.sites.includes(site.name),
  )

/** Machines need so long to start a container again after the power is back. */
const bootMs = 15_000

/** How long a site stood still although none of its hosts was without power. */
export const unexplainedMs = (record: WeekRecord, site: SiteRow): number => {
  const dark = record.steps.filter(
    ({ kind, machines }) => kind === 'power' && machines.some((one) => site.hosts.includes(one)),
  )
  const explainedMs = dark.reduce(
    (sum, step) => sum + stoodStillMs(site, step.atMs, Math.min(record.tookMs, endOf(record, step) + bootMs)),
    0,
  )
  return Math.max(0, stoodStillMs(site, 0, record.tookMs) - explainedMs)
}

/** How long each site needed to be as wanted once a harm that had kept it from that was over. */
export const catchUps = (record: WeekRecord): readonly number[] =>
  record.steps
    .filter((step) => step.kind === 'cut' || step.kind === 'power')
    .flatMap((step) => {
      const endMs = endOf(record, step)
      const wanted = wantedAt(record, endMs)
      return record.sites
        .filter((site) => step.sites.includes(site.name) && inTheWay(record, site, endMs).length === 0)
        .filter((site) => ranFrom(site, wanted, endMs, endMs) === undefined)
        .flatMap((site) => {
          const atMs = ranFrom(site, wanted, endMs, wantedUntil(record, endMs))
          return atMs === undefined ? [] : [atMs - endMs]
        })
    })
