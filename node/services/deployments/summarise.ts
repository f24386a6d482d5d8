import { addRows, ageRows, type RollUpRow } from '../../../crdt/index.ts'
import type { IntentOrigin } from './intent.ts'
import { type Count, failingForMs, rollUpStatus, type SiteRow, type StatusQuestion } from './status.ts'

export interface SummaryQuestion extends StatusQuestion {
  /** The signed records behind what a site was told of an application, by their names. */
  readonly origins: (site: string, application: string) => IntentOrigin | undefined
  /** Ids of applications that lanes of this zone disagree about, each scope once, and for how many milliseconds. */
  readonly conflicts: readonly { readonly application: string; readonly forMs: number }[]
}

const none = {
  wanted: 0,
  running: 0,
  ready: 0,
  failing: 0,
  unknown: 0,
  conflict: 0,
  reportAgeMs: null,
  failingMs: null,
  unknownMs: null,
  conflictMs: null,
} as const

const whole = (ms: number) => Math.max(0, Math.round(ms))

const oldest = (counts: readonly Count[]): number | null => {
  const ages = counts.flatMap(({ ageMs }) => ageMs ?? [])
  return ages.length === 0 ? null : whole(Math.max(...ages))
}

const rowOf = (row: SiteRow, application: string, origin: IntentOrigin, { reports }: StatusQuestion): RollUpRow => {
  const { wanted, downloaded, running, ready, failing, unknown, lastKnown } = row
  const unsureMs = lastKnown.map(({ unsure, ageMs }) => unsure.sinceMs ?? ageMs ?? 0)
  return {
    ...none,
    application: origin.application,
    // What only still runs there was told by no version that is known now.
    version: row.phase === 'former' ? null : origin.version,
    wanted: wanted.count,
    running: running.count,
    ready: ready.count,
    failing: failing.count,
    unknown: unknown.count,
    reportAgeMs: oldest([downloaded, running, ready, failing, unknown]),
    failingMs: failing.count === 0 ? null : whole(failingForMs(reports, row.site, application)),
    unknownMs: unknown.count === 0 ? null : whole(Math.max(unknown.ageMs ?? 0, ...unsureMs)),
  }
}

/**
 * What a zone says of itself where no report may leave it: per application and version, counts and their ages, and no
 * name of anything (DESIGN.md section 3, rule 9). Zones below that say no more than counts are counted in. An
 * application that rests on no signed record is nobody's business above and left out.
 */
export const summarise = (question: SummaryQuestion): readonly RollUpRow[] => {
  const { origins, conflicts, summaries = [] } = question
  const own = rollUpStatus({ ...question, summaries: [] }).flatMap(({ application, versions }) =>
    versions.flatMap(({ sites }) =>
      sites.flatMap((row) => {
        const origin = origins(row.site, application)
        return origin ? [rowOf(row, application, origin, question)] : []
      }),
    ),
  )
  const below = summaries.flatMap(({ rows, receivedAgeMs }) => ageRows(rows, receivedAgeMs))
  const open = conflicts.map(({ application, forMs }) => ({
    ...none,
    application,
    version: null,
    conflict: 1,
    conflictMs: whole(forMs),
  }))
  return addRows([...own, ...below, ...open])
}
