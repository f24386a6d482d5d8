import { endOf, isChange, stoodStillMs } from '../readings.ts'
import type { DoneStep, RunSpan, SiteRow, WeekRecord } from '../record.ts'
import { clockWords, countWords, spanWords } from '../words.ts'
import { type FigureLayout, type FigureRow, indentPx, layOutFigure, rowsOf } from './figure-layout.ts'
import { html, type Markup, px } from './markup.ts'
import { versionColours } from './page-style.ts'

/** Versions in the order they came out, each with its colour. */
export const versionClasses = (record: WeekRecord): ReadonlyMap<string, string> => {
  const versions = new Set(record.wanted.map(({ version }) => version))
  for (const { ran } of record.sites) for (const { version } of ran) if (version !== '') versions.add(version)
  return new Map([...versions].map((version, at) => [version, `v${at % versionColours}`]))
}

const shorten = (text: string, letters: number): string =>
  text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`

const gridOf = ({ ticks, x, curveTop, rowsBottom, right }: FigureLayout, hasDays: boolean): Markup[] =>
  ticks.map(({ atMs, text }, at) => {
    const next = hasDays ? x(ticks[at + 1]?.atMs ?? Number.POSITIVE_INFINITY) : x(atMs)
    const isLast = x(atMs) > right - 20
    return html`<path class="guide" d="M${x(atMs)} ${curveTop - 4}V${rowsBottom}"/>${
      isLast
        ? undefined
        : html`<text class="soft mid" x="${px(hasDays ? (x(atMs) + next) / 2 : x(atMs))}" y="14">${text}</text>`
    }`
  })

const curveOf = (record: WeekRecord, layout: FigureLayout): Markup => {
  const { x, curveTop, curveHeight, left, right } = layout
  const y = (share: number) => px(curveTop + (1 - share) * curveHeight)
  const points = record.share.map(([atMs, share], at) => {
    const before = record.share[at - 1]?.[1]
    return `${before === undefined ? 'M' : `L${x(atMs)} ${y(before)}L`}${x(atMs)} ${y(share)}`
  })
  const line = `${points.join('')}L${right} ${y(record.share.at(-1)?.[1] ?? 0)}`
  return html`<g>${[0, 0.5, 1].map(
    (share) =>
      html`<path class="guide" d="M${left} ${y(share)}H${right}"/><text class="soft end" x="${left - 8}" y="${y(share) + 4}">${share * 100} %</text>`,
  )}<path class="area" d="${line}L${right} ${y(0)}L${left} ${y(0)}Z"/><path class="curve" d="${line}"/></g>`
}

/** The lines from a zone to what is in it. */
const branchesOf = (rows: readonly FigureRow[]): Markup[] =>
  rows
    .filter(({ kind }) => kind === 'zone')
    .flatMap((zone) => {
      const inside = rows.filter(
        ({ path, depth }) => depth === zone.depth + 1 && (zone.path === '/' || path.startsWith(`${zone.path}/`)),
      )
      const last = inside.at(-1)
      if (!last) return []
      const x = zone.depth * indentPx + 5
      const stubs = inside.map((row) => `M${x} ${px(row.y + row.height / 2)}h6`).join('')
      return [html`<path class="tree" d="M${x} ${zone.y + zone.height - 3}V${px(last.y + last.height / 2)}${stubs}"/>`]
    })

const labelOf = (row: FigureRow, left: number): Markup => {
  const x = row.depth * indentPx + (row.depth === 0 ? 0 : 1)
  const text = shorten(row.label, Math.floor((left - x - 22) / 6.6))
  const privacy = row.zone?.privacy ? html`<tspan class="soft" dx="6" fill="var(--soft)">◐</tspan>` : undefined
  const title = row.zone
    ? `${row.path}${row.zone.privacy ? ', a privacy zone' : ''}: ${row.hosts.join(', ')}`
    : `${row.path}: ${row.hosts.join(', ')}`
  return html`<text class="${row.kind}" x="${x}" y="${px(row.y + row.height / 2 + 4)}">${text}${privacy}<title>${title}</title></text>`
}

const spanOf = (
  row: FigureRow,
  site: SiteRow,
  span: RunSpan,
  layout: FigureLayout,
  colour: string,
): Markup | undefined => {
  if (span.running === 0) return undefined
  const [from, to] = [layout.x(span.fromMs), layout.x(span.toMs)]
  const isFull = span.running === site.hosts.length && span.others === 0
  const words = `${site.name}: version ${span.version} on ${span.running} of ${countWords(site.hosts.length, 'host')}, ${clockWords(span.fromMs)} to ${clockWords(span.toMs)}`
  return html`<rect class="${colour}${isFull ? '' : ' half'}" x="${from}" y="${row.y + 3}" width="${px(Math.max(0.8, to - from))}" height="${row.height - 7}"><title>${words}</title></rect>`
}

const siteOf = (
  row: FigureRow,
  record: WeekRecord,
  layout: FigureLayout,
  classes: ReadonlyMap<string, string>,
): Markup => {
  const { site } = row
  if (!site) return html`<path class="guide" d="M${layout.left} ${px(row.y + row.height / 2)}H${layout.right}"/>`
  const share = 1 - stoodStillMs(site, 0, record.tookMs) / Math.max(1, record.tookMs)
  // A site that stood still for a moment did not run all the time.
  const shown = share === 1 ? '100' : Math.min(99.9, share * 100).toFixed(1)
  return html`<g><rect class="rail" x="${layout.left}" y="${row.y + 3}" width="${px(layout.right - layout.left)}" height="${row.height - 7}"/>${site.ran.map((span) => spanOf(row, site, span, layout, classes.get(span.version) ?? 'v0'))}${site.unheard.map(
    ({ fromMs, toMs }) =>
      html`<rect class="unheard" x="${layout.x(fromMs)}" y="${row.y + row.height - 4}" width="${px(layout.x(toMs) - layout.x(fromMs))}" height="2"><title>the tower heard nothing of ${site.name} for ${spanWords(toMs - fromMs)}</title></rect>`,
  )}${site.guest.map(
    ({ fromMs, toMs }) =>
      html`<rect class="guest" x="${layout.x(fromMs)}" y="${row.y + 3}" width="${px(Math.max(1.5, layout.x(toMs) - layout.x(fromMs)))}" height="${px((row.height - 7) / 3)}"><title>the second application ran at ${site.name} for ${spanWords(toMs - fromMs)}</title></rect>`,
  )}<text class="soft end" x="${layout.width - 2}" y="${px(row.y + row.height / 2 + 4)}">${shown} %</text></g>`
}

const harmWords: Readonly<Record<string, string>> = {
  cut: 'cut off',
  power: 'no power',
  clock: 'a wrong clock',
  label: 'a label more',
}

const bandOf = (step: DoneStep, record: WeekRecord, layout: FigureLayout): Markup | undefined => {
  const rows = rowsOf(layout.rows, step)
  const [first, last] = [rows[0], rows.at(-1)]
  if (!first || !last || harmWords[step.kind] === undefined) return undefined
  const [from, to] = [layout.x(step.atMs), layout.x(endOf(record, step))]
  const words = `${step.target}: ${harmWords[step.kind]} for ${spanWords(endOf(record, step) - step.atMs)}`
  return html`<rect class="${step.kind}" x="${from}" y="${first.y + 1.5}" width="${px(Math.max(1.5, to - from))}" height="${last.y + last.height - first.y - 4}" rx="1.5"><title>${words}</title></rect>`
}

const flagOf = (step: DoneStep, layout: FigureLayout, classes: ReadonlyMap<string, string>): Markup => {
  const { x, rowsBottom, curveTop, curveHeight } = layout
  const at = x(step.atMs)
  const text = step.kind === 'rollback' ? `back to ${step.version}` : step.version
  const short = shorten(text, 14)
  const wide = short.length * 6.6 + 12
  const y = curveTop + curveHeight + 7
  return html`<g><path class="flag" d="M${at} ${y + 8}V${rowsBottom}"/><rect class="${classes.get(step.version) ?? 'v0'}" x="${px(at - wide / 2)}" y="${y}" width="${px(wide)}" height="17" rx="8.5"/><text class="mid flagtext" x="${at}" y="${y + 12.5}">${short}<title>${step.kind} to version ${step.version}</title></text></g>`
}

/** The tree, what ran where and when, what was broken meanwhile, and how the fleet came to be as wanted: one drawing. */
export const renderFigure = (record: WeekRecord): Markup => {
  const layout = layOutFigure(record)
  const classes = versionClasses(record)
  const { rows } = layout
  const changes = record.steps.filter((step) => isChange(step) && step.version !== '')
  return html`<svg class="figure" viewBox="0 0 ${layout.width} ${layout.height}" role="img" aria-label="what ran where, and when">
<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V5"/></pattern></defs>
${gridOf(layout, record.days.length > 0)}
<text class="soft" x="0" y="${layout.curveTop + 12}">sites as wanted</text>
${curveOf(record, layout)}
<text class="soft end" x="${layout.width - 2}" y="${layout.rowsTop - 6}">ran</text>
${branchesOf(rows)}
${rows.map((row) => labelOf(row, layout.left))}
${rows.map((row) => siteOf(row, record, layout, classes))}
${record.steps.map((step) => bandOf(step, record, layout))}
${changes.map((step) => flagOf(step, layout, classes))}
</svg>`
}

const swatch = (inside: Markup): Markup => html`<svg width="26" height="14" aria-hidden="true">${inside}</svg>`

/** What the colours and patterns of the drawing mean. */
export const renderLegend = (record: WeekRecord): Markup => {
  const has = (kind: string) => record.steps.some((step) => step.kind === kind)
  const items: readonly (readonly [Markup, string] | undefined)[] = [
    ...[...versionClasses(record)].map(
      ([version, colour]) =>
        [html`<rect class="${colour}" y="2" width="26" height="10"/>`, `version ${version}`] as const,
    ),
    record.sites.some(({ hosts }) => hosts.length > 1)
      ? [html`<rect class="v0 half" y="2" width="26" height="10"/>`, 'on some hosts only']
      : undefined,
    has('label')
      ? [html`<rect class="guest" y="2" width="26" height="4"/>`, 'a second application, by a label']
      : undefined,
    has('cut') ? [html`<rect class="cut" x="1" y="1" width="24" height="12"/>`, 'cut off'] : undefined,
    has('power') ? [html`<rect class="power" x="1" y="1" width="24" height="12"/>`, 'without power'] : undefined,
    has('clock') ? [html`<rect class="clock" x="1" y="1" width="24" height="12"/>`, 'wrong clock'] : undefined,
    [html`<rect class="unheard" y="6" width="26" height="2"/>`, 'the tower heard nothing for over a minute'],
    record.zones.some(({ privacy }) => privacy)
      ? [html`<text class="soft" x="8" y="12">◐</text>`, 'privacy zone']
      : undefined,
  ]
  return html`<ul class="legend">${items.map((item) => item && html`<li>${swatch(item[0])}${item[1]}</li>`)}</ul>`
}
