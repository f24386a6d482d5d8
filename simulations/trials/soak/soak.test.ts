import test from 'ava'
import fc from 'fast-check'
import { rowsOf, type SoakDay, slopeBar } from './judge-soak.ts'
import { slopeOf } from './slope.ts'
import { runSoak } from './soak-trial.ts'

const hourMs = 60 * 60_000

test('short days of churn end at rest, with nothing found, and are measured', async (t) => {
  const said: string[] = []
  const rows = await runSoak({
    seed: 1,
    days: 3,
    dayMs: hourMs,
    say: (line) => said.push(line),
    signal: new AbortController().signal,
  })
  const row = (what: string) => rows.find((one) => one.what === what)
  t.deepEqual([row('checkers')?.broken, row('converged-each-day')?.broken], [0, 0], said.join('\n'))
  t.is(row('converged-each-day')?.tried, 3)
  t.regex(row('heap-slope')?.why ?? '', /MB a day for each node: [\d.]+ MB after day 2, [\d.]+ MB after day 3/)
  t.regex(row('store-slope')?.why ?? '', /MB a day for/)
  t.is(said.filter((line) => line.startsWith('day ')).length, 3)
})

test('a slope is what a line grows by, wherever it begins and whatever a constant is added', (t) => {
  const numbers = fc.integer({ min: -1000, max: 1000 })
  fc.assert(
    fc.property(numbers, numbers, fc.integer({ min: 2, max: 40 }), (slope, start, count) => {
      const points = Array.from({ length: count }, (_, at) => ({ at: at + 5, value: start + slope * at }))
      return Math.abs((slopeOf(points) ?? Number.NaN) - slope) < 1e-6
    }),
  )
  t.is(slopeOf([]), undefined)
  t.is(slopeOf([{ at: 1, value: 1 }]), undefined)
})

const dayOf = (day: number, heapBytes: number, storeBytes: number): SoakDay => ({
  day,
  convergedMs: 1_000,
  events: 1,
  moves: 1,
  faults: 1,
  seals: 1,
  disks: [
    { machine: 'flat', statesBytes: 1, storeBytes: 1, blobsBytes: 1 },
    { machine: 'steep', statesBytes: 1, storeBytes, blobsBytes: 1 },
  ],
  heapBytes,
})

/** Rows of a run of ten days that grows by so much a day and node. */
const growing = (heap: number, store: number) =>
  rowsOf({
    nodes: 2,
    begun: 10,
    days: Array.from({ length: 10 }, (_, at) => dayOf(at + 1, 2 * heap * at, store * at)),
    seen: 1,
    violations: [],
  })
    .filter(({ holds }) => !holds)
    .map(({ what }) => what)

test('a heap or a disk that grows by more than the bar is broken, however flat the other disks are', (t) => {
  t.deepEqual(growing(slopeBar - 1, slopeBar - 1), [])
  t.deepEqual(growing(slopeBar, 0), ['heap-slope'])
  t.deepEqual(growing(0, slopeBar), ['store-slope'])
})

test('what is taken in the first four days is no slope; a day that did not end well is broken', (t) => {
  const days = Array.from({ length: 10 }, (_, at) => dayOf(at + 1, at < 4 ? at * 50 * slopeBar : 200 * slopeBar, 1))
  const run = { nodes: 2, begun: 10, days, seen: 1, violations: [] }
  const broken = (of: Partial<typeof run>) =>
    rowsOf({ ...run, ...of })
      .filter(({ holds }) => !holds)
      .map(({ what }) => what)
  t.deepEqual(broken({}), [])
  t.deepEqual(broken({ begun: 11, violations: ['x' as never] }), ['converged-each-day', 'checkers'])
  t.deepEqual(broken({ days: days.slice(0, 1), begun: 1 }), ['heap-slope', 'store-slope'])
  t.deepEqual(broken({ days: days.map((day) => ({ ...day, seals: 0 })) }), ['lanes-sealed'])
})
