import type { Report } from '../report.ts'
import type { Entry } from '../tell.ts'
import { clockWords } from '../words.ts'
import { html, type Markup } from './markup.ts'

/** A harm and its end as one entry, in the order in which they began. */
interface Told {
  readonly fromMs: number
  readonly toMs: number | undefined
  readonly mark: string
  readonly text: string
  readonly seen: readonly string[]
}

const markOf: Readonly<Record<string, string>> = { cut: 'mark cutmark', clock: 'mark clockmark', power: 'mark' }

const joined = ({ timeline, record }: Report): readonly Told[] =>
  timeline
    .filter(({ tone }) => tone !== 'healed')
    .map((entry: Entry): Told => {
      const over = timeline.find(({ tone, step }) => tone === 'healed' && step === entry.step)
      const kind = entry.step === undefined ? '' : (record.steps[entry.step]?.kind ?? '')
      return {
        fromMs: entry.atMs,
        toMs: entry.tone === 'harm' ? over?.atMs : undefined,
        mark: markOf[kind] ?? 'mark change',
        text: entry.text,
        seen: [...entry.seen, ...(entry.tone === 'harm' ? (over?.seen ?? []) : [])],
      }
    })

const entryOf = ({ fromMs, toMs, mark, text, seen }: Told, zeroMs: number): Markup =>
  html`<li class="entry"><time>${clockWords(fromMs - zeroMs)}${toMs === undefined ? '' : ` – ${clockWords(toMs - zeroMs)}`}</time><div><p><span class="${mark}"></span>${text}</p>${
    seen.length === 0 ? undefined : html`<p class="seen">${seen.join(' ')}</p>`
  }</div></li>`

/** What happened, day by day. */
export const renderTimeline = (report: Report): Markup => {
  const told = joined(report)
  const { days } = report.record
  if (days.length === 0)
    return html`<div class="sheet"><ul class="days">${told.map((one) => entryOf(one, 0))}</ul></div>`
  return html`${days.map(({ fromMs, title }, at) => {
    const untilMs = days[at + 1]?.fromMs ?? Number.POSITIVE_INFINITY
    const own = told.filter((one) => one.fromMs >= fromMs && one.fromMs < untilMs)
    return html`<h3>Day ${at + 1}: ${title}</h3>${
      own.length === 0
        ? undefined
        : html`<div class="sheet"><ul class="days">${own.map((one) => entryOf(one, fromMs))}</ul></div>`
    }`
  })}`
}
