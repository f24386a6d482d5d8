import type { Trial, TrialRow } from '../trial-row.ts'
import { type DayApartResult, runDayApart } from './day-apart.ts'

const dayMs = 24 * 60 * 60_000
const changesOfEachSide = 50

/** The only containers that are to be started anew: of the application that the tower alone changed, what differs. */
const due = ['tower-only/web']

const summed = (
  results: readonly DayApartResult[],
  what: string,
  isBroken: (one: DayApartResult) => boolean,
  why: string,
): TrialRow => {
  const broken = results.filter(isBroken).length
  return { what, tried: results.length, broken, holds: results.length > 0 && broken === 0, why }
}

const range = (values: readonly number[], unit: string): string =>
  `${Math.min(...values)} to ${Math.max(...values)} ${unit}`.replace(/^(\S+) to \1 /, '$1 ')

/** What the runs come to. Pure. */
export const rowsOf = (results: readonly DayApartResult[]): readonly TrialRow[] => [
  summed(
    results,
    'one-exchange',
    ({ links, agreedMs }) => links !== 1 || agreedMs === undefined,
    `over ${range(
      results.map(({ links }) => links),
      'link',
    )}, within ${range(
      results.map(({ agreedMs }) => Math.round(agreedMs ?? -1)),
      'ms',
    )} simulated`,
  ),
  summed(
    results,
    'nothing-restarted',
    ({ starts }) => Object.keys(starts).some((name) => !due.includes(name)),
    `started after the heal: ${[...new Set(results.flatMap(({ starts }) => Object.keys(starts)))].join(', ') || 'nothing'}`,
  ),
  summed(
    results,
    'bytes',
    ({ bytes, finalBytes }) => bytes > 2 * finalBytes,
    `${range(
      results.map(({ bytes, finalBytes }) => Math.round((100 * bytes) / finalBytes)),
      '% of the final state',
    )}; ${range(
      results.map(({ bytes }) => bytes),
      'bytes',
    )}`,
  ),
  summed(
    results,
    'conflict-of-both',
    ({ conflicts, problems }) => conflicts.join() !== 'both' || problems.length > 0,
    [...new Set(results.flatMap(({ problems }) => problems))].slice(0, 3).join('; ') ||
      'only what both sides changed is in conflict',
  ),
]

export const apart: Trial = {
  name: 'apart',
  summary:
    'a zone and its tower apart for 24 simulated hours, with 50 changes on each side: what coming together costs',
  defaultRounds: 5,
  cannotRun: () => undefined,
  run: async ({ rounds, seed, say, signal }) => {
    const results: DayApartResult[] = []
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      const result = await runDayApart({ seed: seed + round, apartMs: dayMs, changes: changesOfEachSide })
      say(`seed ${seed + round}: ${JSON.stringify(result)}`)
      results.push(result)
    }
    return rowsOf(results)
  },
}
