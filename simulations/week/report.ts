import { catchUps, endOf, isChange, unexplainedMs } from './readings.ts'
import type { WeekRecord } from './record.ts'
import { type Entry, momentWords, tell } from './tell.ts'
import { countWords, spanWords } from './words.ts'

/** Version of the JSON that `skerry simulate --json` ends with. */
const reportVersion = 1

/** What a run comes to: the record, and what follows from it. */
export interface Report {
  readonly version: typeof reportVersion
  readonly verdict: 'kept' | 'broken'
  readonly madeBy: string
  /** The command line that gives the same report again. */
  readonly repeat: string
  readonly numbers: ReportNumbers
  readonly timeline: readonly (Entry & { readonly moment: string })[]
  readonly record: WeekRecord
}

export interface ReportNumbers {
  readonly cuts: number
  readonly powerCuts: number
  readonly wrongClocks: number
  readonly changes: number
  /** The longest time anything was cut off. */
  readonly longestCutMs: number
  /** The longest a site needed to be as wanted once nothing was in its way any more; undefined when none was behind. */
  readonly slowestCatchUpMs: number | undefined
  /** Time sites stood still though they had power, all sites together. */
  readonly unexplainedMs: number
  readonly bytes: number
  readonly violations: number
  readonly judged: number
}

/** A word as a shell takes it for one. */
const shellWord = (text: string): string => (/^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

const repeatOf = ({ topologyFile, scenarioFile, seed }: WeekRecord): string =>
  [
    'skerry simulate',
    shellWord(topologyFile),
    ...(scenarioFile === undefined ? [] : ['--scenario', shellWord(scenarioFile)]),
    `--seed ${seed}`,
  ].join(' ')

const numbersOf = (record: WeekRecord): ReportNumbers => {
  const { steps, sites, links, checks } = record
  const count = (kind: string) => steps.filter((step) => step.kind === kind).length
  const late = catchUps(record)
  return {
    cuts: count('cut'),
    powerCuts: count('power'),
    wrongClocks: count('clock'),
    changes: steps.filter(isChange).length,
    longestCutMs: Math.max(
      0,
      ...steps.filter(({ kind }) => kind === 'cut').map((step) => endOf(record, step) - step.atMs),
    ),
    slowestCatchUpMs: late.length === 0 ? undefined : Math.max(...late),
    unexplainedMs: sites.reduce((sum, site) => sum + unexplainedMs(record, site), 0),
    bytes: links.reduce((sum, { upBytes, downBytes }) => sum + upBytes + downBytes, 0),
    violations: checks.reduce((sum, { violations }) => sum + violations.length, 0),
    judged: checks.reduce((sum, { judged }) => sum + judged, 0),
  }
}

export const toReport = (record: WeekRecord, madeBy: string): Report => {
  const numbers = numbersOf(record)
  return {
    version: reportVersion,
    verdict: numbers.violations === 0 ? 'kept' : 'broken',
    madeBy,
    repeat: repeatOf(record),
    numbers,
    timeline: tell(record).map((entry) => ({ ...entry, moment: momentWords(record, entry.atMs) })),
    record,
  }
}

/** The verdict as one sentence. */
export const verdictWords = ({ verdict, numbers, record }: Report): string =>
  verdict === 'kept'
    ? `Nothing was broken: ${record.checks.filter(({ judged }) => judged > 0).length} invariants, judged ${numbers.judged.toLocaleString('en')} times.`
    : `${countWords(numbers.violations, 'thing')} ${numbers.violations === 1 ? 'is' : 'are'} broken.`

/** What sites went through, as one sentence. */
export const stoodStillWords = ({ numbers }: Report): string =>
  numbers.unexplainedMs === 0
    ? 'No site stood still for any other reason than lack of power.'
    : `Sites that had power stood still for ${spanWords(numbers.unexplainedMs)} in all.`
