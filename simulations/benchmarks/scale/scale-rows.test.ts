import test from 'ava'
import { predict } from './cost-model.ts'
import { reachedAt, type ScaleFigures } from './figures.ts'
import { rowsOf } from './scale-rows.ts'

/** A run in which everything is a fixed part and one for each site. */
const figuresOf = (sites: number, given: Partial<ScaleFigures> = {}): ScaleFigures => {
  const zones = Math.max(1, Math.ceil(sites / 500))
  const cpu = { tower: 1 + sites / 1_000, aggregators: 1 + sites / 500, edges: 1 + sites / 250 }
  const reached = { half: sites, most: 2 * sites, all: 3 * sites }
  return {
    sites,
    processors: 2,
    aggregators: zones,
    edgeProcesses: zones,
    enrol: { seconds: 2 + sites / 50, cpu },
    deploy: { accepted: reached, running: reached, cpu },
    idle: { seconds: 100, edgeBytes: sites * 2_500, upBytes: null, cpu },
    storm: { sites: Math.min(sites, 1_000), seconds: 20, unlinked: {} },
    memory: {
      towerBase: 100,
      towerRest: 100 + sites / 100,
      towerPeak: 150 + sites / 100,
      aggregatorBase: 100,
      aggregatorRest: 150,
      edgesBase: 160,
      edgesRest: 160 + sites / zones,
    },
    ...given,
  }
}
const rowOf = (what: string, ...given: Parameters<typeof rowsOf>) => rowsOf(...given).find((row) => row.what === what)

test('a share is reached when so many were', (t) => {
  const atMs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
  t.deepEqual(
    [0.5, 0.99, 1].map((share) => reachedAt(atMs, share)),
    [5, 10, 10],
  )
  t.throws(() => reachedAt([], 1), { instanceOf: RangeError })
})

test('the large bars are asked of large runs alone', (t) => {
  t.is(rowOf('enrol', figuresOf(1_000))?.bar, null)
  t.is(rowOf('enrol', figuresOf(10_000))?.bar, 480)
  t.is(rowOf('tower-rss', figuresOf(1_000))?.bar, null)
  t.true((rowOf('tower-rss', figuresOf(10_000))?.bar ?? 0) > 1_600)
  t.is(rowOf('accept-99', figuresOf(1_000))?.bar, 5)
  t.is(rowOf('accept-99', figuresOf(10_000))?.bar, 30)
  t.is(rowOf('tower-per-site', figuresOf(100))?.bar, null)
})

test('a bar that is missed is said to be', (t) => {
  const slow = { half: 1, most: 5_001, all: 6_000 }
  const run = figuresOf(1_000)
  t.true(rowOf('accept-99', run)?.holds)
  t.false(rowOf('accept-99', { ...run, deploy: { ...run.deploy, accepted: slow } })?.holds)
  t.false(rowOf('idle-bits', { ...run, idle: { ...run.idle, edgeBytes: 1_000 * 100 * 32 } })?.holds)
})

test('an edge that stays without a link misses the bar of the storm, however short it was', (t) => {
  const run = figuresOf(1_000)
  t.true(rowOf('storm-1000', run)?.holds)
  const row = rowOf('storm-1000', { ...run, storm: { ...run.storm, unlinked: { 'not a member': 3 } } })
  t.false(row?.holds)
  t.is(row?.why, 'edges without a link afterwards: 3: not a member')
})

test('growth is the cost of a site here over that of a smaller run', (t) => {
  const row = rowOf('cost-growth', figuresOf(10_000), figuresOf(1_000))
  // (2 + 30) / 10,000 over (2 + 3) / 1,000
  t.is(row?.ours, 0.64)
  t.true(row?.holds)
  const double = { tower: 40, aggregators: 40, edges: 0 }
  const large = figuresOf(10_000)
  t.false(rowOf('cost-growth', { ...large, enrol: { seconds: 1, cpu: double } }, figuresOf(1_000))?.holds)
  t.is(rowOf('cost-growth', figuresOf(1_000)), undefined)
})

test('a deployment alone is what it cost without what sites at rest cost in the same time', (t) => {
  const row = rowOf('cost-growth-deploy-alone', figuresOf(10_000), figuresOf(1_000))
  // (32 - 30 s of 32 / 100 s) / 10,000 over (5 - 3 s of 5 / 100 s) / 1,000
  t.is(row?.ours, 0.462)
  t.is(row?.bar, null)
})

/** A run on two processors: each site takes a tenth of a second to enrol, and each linked one a part of them at rest. */
const modelled = (sites: number, restPerSite: number): ScaleFigures => {
  const work = 4 + sites / 10
  const seconds = work / (2 - (restPerSite * sites) / 2)
  const whole = { tower: 0, aggregators: 2 * seconds, edges: 0 }
  const idle = { seconds: 100, edgeBytes: sites * 2_500, upBytes: null }
  const deployMs = (1_000 * work) / (2 - restPerSite * sites)
  const reached = { half: deployMs, most: deployMs, all: deployMs }
  return figuresOf(sites, {
    enrol: { seconds, cpu: whole },
    deploy: { accepted: reached, running: reached, cpu: { tower: 0, aggregators: (2 * deployMs) / 1_000, edges: 0 } },
    idle: { ...idle, cpu: { tower: 0, aggregators: restPerSite * sites * 100, edges: 0 } },
  })
}

test('the model finds again what work and linked sites at rest cost', (t) => {
  for (const restPerSite of [0, 0.000_05, 0.000_15]) {
    const runs = [modelled(100, restPerSite), modelled(1_000, restPerSite)] as const
    const found = predict(runs, 10_000, modelled(10_000, restPerSite))
    for (const what of ['enrol', 'enrol-cpu-aggregators', 'accept-99', 'deploy-cpu-aggregators', 'idle-bytes']) {
      const { off = Number.NaN } = found.find((one) => one.what === what) ?? {}
      t.true(Math.abs(off) < 1e-6, `${what} at ${restPerSite}: ${off}`)
    }
  }
})

test('where links at rest take all processors there is no end of it', (t) => {
  const found = predict([modelled(100, 0.000_3), modelled(1_000, 0.000_3)], 10_000)
  t.is(found.find(({ what }) => what === 'accept-99')?.predicted, Number.POSITIVE_INFINITY)
  t.throws(() => predict([modelled(100, 0), modelled(100, 0)], 10_000), { instanceOf: RangeError })
})
