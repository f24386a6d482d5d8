import type { DoneStep, SiteRow, WeekRecord, ZoneRow } from '../record.ts'
import { clockWords } from '../words.ts'
import { px } from './markup.ts'

/** One line of the figure: a zone or a site. */
export interface FigureRow {
  readonly kind: 'zone' | 'site'
  readonly path: string
  readonly label: string
  readonly depth: number
  readonly hosts: readonly string[]
  readonly y: number
  readonly height: number
  readonly site: SiteRow | undefined
  readonly zone: ZoneRow | undefined
}

/** Where everything stands, in pixels of the drawing. */
export interface FigureLayout {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly curveTop: number
  readonly curveHeight: number
  readonly rowsTop: number
  readonly rowsBottom: number
  readonly rows: readonly FigureRow[]
  /** Column of a time. */
  readonly x: (atMs: number) => number
  readonly ticks: readonly { readonly atMs: number; readonly text: string }[]
}

export const indentPx = 14
const width = 1_120
const letterPx = 6.8
const rightPx = 58
const top = 26
const curveHeight = 84
const flagsHeight = 30

const parentPath = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'

/** Zones and sites in the order of the tree: the sites of a zone before the zones in it. */
const treeOrder = ({ zones, sites }: WeekRecord): readonly Omit<FigureRow, 'y' | 'height'>[] => {
  const below = (zone: ZoneRow): readonly Omit<FigureRow, 'y' | 'height'>[] => [
    { kind: 'zone', path: zone.path, label: zone.name, depth: zone.depth, hosts: zone.hosts, site: undefined, zone },
    ...sites
      .filter(({ path }) => parentPath(path) === zone.path)
      .map((site) => ({
        kind: 'site' as const,
        path: site.path,
        label: site.name,
        depth: site.depth,
        hosts: site.hosts,
        site,
        zone: undefined,
      })),
    ...zones.filter(({ path }) => path !== '/' && parentPath(path) === zone.path).flatMap(below),
  ]
  return zones.filter(({ path }) => path === '/').flatMap(below)
}

const tickSteps = [15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400].map((s) => s * 1_000)

const ticksOf = ({ days, tookMs }: WeekRecord): FigureLayout['ticks'] => {
  if (days.length > 0) return days.map(({ fromMs }, at) => ({ atMs: fromMs, text: `day ${at + 1}` }))
  const stepMs = tickSteps.find((step) => tookMs / step <= 9) ?? 86_400_000
  return Array.from({ length: Math.floor(tookMs / stepMs) + 1 }, (_, at) => ({
    atMs: at * stepMs,
    text: clockWords(at * stepMs),
  }))
}

export const layOutFigure = (record: WeekRecord): FigureLayout => {
  const ordered = treeOrder(record)
  const longest = Math.max(0, ...ordered.map(({ label, depth }) => depth * indentPx + label.length * letterPx))
  const left = Math.min(300, Math.max(160, Math.round(longest) + 26))
  const right = width - rightPx
  // Many rows are drawn closer, as long as they can be read.
  const height = ordered.length > 60 ? 15 : 21
  const rowsTop = top + curveHeight + flagsHeight
  const rows = ordered.map((row, at) => ({ ...row, height, y: rowsTop + at * height }))
  const rowsBottom = rowsTop + rows.length * height
  return {
    width,
    height: rowsBottom + 10,
    left,
    right,
    curveTop: top,
    curveHeight,
    rowsTop,
    rowsBottom,
    rows,
    x: (atMs) => px(left + (Math.min(atMs, record.tookMs) / Math.max(1, record.tookMs)) * (right - left)),
    ticks: ticksOf(record),
  }
}

const isWithin = (path: string, zone: string): boolean => zone === '/' || path === zone || path.startsWith(`${zone}/`)

/** The rows a step is about, from the first to the last: rows of one zone stand together. */
export const rowsOf = (rows: readonly FigureRow[], step: DoneStep): readonly FigureRow[] => {
  if (step.targetKind === 'zone') return rows.filter(({ path }) => isWithin(path, step.target))
  if (step.targetKind === 'site') return rows.filter(({ kind, label }) => kind === 'site' && label === step.target)
  return rows.filter(({ hosts }) => hosts.includes(step.target))
}
