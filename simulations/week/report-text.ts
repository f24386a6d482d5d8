import { type Report, stoodStillWords, verdictWords } from './report.ts'
import { countWords, spanWords } from './words.ts'

const checkLines = ({ record }: Report): readonly string[] =>
  record.checks.flatMap(({ invariant, sentence, judged, violations }) => [
    `  ${violations.length > 0 ? 'BROKEN' : judged === 0 ? '  –   ' : 'kept  '} ${invariant === 0 ? ' ' : invariant}  ${sentence} (judged ${judged.toLocaleString('en')} times)`,
    ...violations.slice(0, 10).map((text) => `            ${text}`),
    ...(violations.length > 10 ? [`            and ${violations.length - 10} more`] : []),
  ])

const dayLine = ({ record }: Report, fromMs: number): string | undefined => {
  const at = record.days.findIndex((day) => day.fromMs === fromMs)
  return record.days[at] && `Day ${at + 1}: ${record.days[at].title}`
}

const timelineLines = (report: Report): readonly string[] => {
  const { record, timeline } = report
  const marks = record.days.map(({ fromMs }) => ({ atMs: fromMs, lines: ['', dayLine(report, fromMs) ?? ''] }))
  const days = record.days.length > 0
  const entries = timeline.map(({ atMs, moment, text, seen }) => ({
    atMs,
    lines: [
      `  ${days ? moment.replace(/^day \d+, /, '') : moment}  ${text}`,
      ...seen.map((sentence) => `         ${sentence}`),
    ],
  }))
  return [...marks, ...entries].toSorted((a, b) => a.atMs - b.atMs).flatMap(({ lines }) => lines)
}

/** The report for a terminal. */
export const reportText = (report: Report): string => {
  const { record, numbers } = report
  const slow = numbers.slowestCatchUpMs
  return [
    `${record.network}: ${record.plan}, seed ${record.seed}`,
    `${countWords(record.sites.length, 'site')}, ${countWords(record.nodes, 'node')}; ${spanWords(record.tookMs)} of simulated time`,
    ...timelineLines(report),
    '',
    verdictWords(report),
    ...checkLines(report),
    '',
    stoodStillWords(report),
    ...(slow === undefined
      ? []
      : [`Whoever was behind was as wanted ${spanWords(slow)} after nothing was in the way any more, at the latest.`]),
    ...record.leftOut.map((text) => `Left out: ${text}.`),
    `Repeat with: ${report.repeat}`,
    '',
  ].join('\n')
}
