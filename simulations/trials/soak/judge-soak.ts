import type { DayEnd } from '../../scenarios/index.ts'
import type { TrialRow } from '../trial-row.ts'
import { type Point, slopeOf } from './slope.ts'

/** A day, and what the process that runs all nodes took when it was over. */
export interface SoakDay extends DayEnd {
  /** Used heap of V8 after a collection and memory outside of it, WebAssembly included. */
  readonly heapBytes: number
}

export interface SoakRun {
  readonly nodes: number
  readonly begun: number
  readonly days: readonly SoakDay[]
  readonly seen: number
  readonly violations: readonly string[]
}

/** The heap and each disk may grow by so much a day and node. */
export const slopeBar = 1_000_000
/** What caches and first histories take at first does not count: half of a short run, four days of a long one. */
const warmUpOf = (days: number): number => Math.min(4, Math.floor(days / 2))

const inMegabytes = (bytes: number): string => (bytes / 1e6).toFixed(3)

const slopeRow = (
  what: string,
  days: readonly SoakDay[],
  series: readonly { readonly name: string; readonly bytes: (day: SoakDay) => number }[],
): TrialRow => {
  const counted = days.slice(warmUpOf(days.length))
  const [first, last] = [counted[0], counted.at(-1)]
  const slopes = series.map(({ name, bytes }) => ({
    name,
    bytes,
    slope: slopeOf(counted.map((day): Point => ({ at: day.day, value: bytes(day) }))),
  }))
  const worst = slopes.toSorted((a, b) => (b.slope ?? 0) - (a.slope ?? 0))[0]
  if (worst?.slope === undefined || !first || !last)
    return { what, tried: counted.length, broken: 0, holds: false, why: 'a slope needs two days after the warm-up' }
  const broken = slopes.filter(({ slope }) => slope === undefined || slope >= slopeBar).length
  const from = `${inMegabytes(worst.bytes(first))} MB after day ${first.day}`
  const to = `${inMegabytes(worst.bytes(last))} MB after day ${last.day}`
  const why = `${inMegabytes(worst.slope)} MB a day for ${worst.name}: ${from}, ${to}; bar ${inMegabytes(slopeBar)}`
  return { what, tried: counted.length, broken, holds: broken === 0, why }
}

const totalOf = (day: SoakDay, machine: string): number =>
  day.disks
    .filter((one) => one.machine === machine)
    .reduce((sum, { statesBytes, storeBytes, blobsBytes }) => sum + statesBytes + storeBytes + blobsBytes, 0)

/** What a soak comes to. Pure. */
export const rowsOf = ({ nodes, begun, days, seen, violations }: SoakRun): readonly TrialRow[] => {
  const machines = days[0]?.disks.map(({ machine }) => machine) ?? []
  const seals = days.reduce((sum, day) => sum + day.seals, 0)
  const slowest = Math.max(0, ...days.map(({ convergedMs }) => convergedMs))
  return [
    slopeRow('heap-slope', days, [{ name: 'each node', bytes: ({ heapBytes }) => heapBytes / nodes }]),
    slopeRow(
      'store-slope',
      days,
      machines.map((machine) => ({ name: machine, bytes: (day) => totalOf(day, machine) })),
    ),
    {
      what: 'converged-each-day',
      tried: begun,
      broken: begun - days.length,
      holds: begun > 0 && begun === days.length,
      why: `within ${Math.round(slowest / 1000)} s at most once all was healed`,
    },
    {
      what: 'checkers',
      tried: seen,
      broken: violations.length,
      holds: seen > 0 && violations.length === 0,
      why: violations.slice(0, 3).join('; ') || 'nothing found',
    },
    {
      what: 'lanes-sealed',
      tried: seals,
      broken: seals > 0 ? 0 : 1,
      holds: seals > 0,
      why: 'lanes that grew or whose keys changed and that were sealed meanwhile',
    },
  ]
}
