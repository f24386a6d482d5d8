import { createHash } from 'node:crypto'
import test from 'ava'
import type { IntentEntry } from './config-store.ts'
import { type HostReport, sitesDone } from './report.ts'
import {
  sampleApplication,
  sampleApplicationStatus,
  sampleContainer,
  sampleHostStatus,
  sampleInstance,
  samplePlace,
  sampleReport,
  sampleRevision,
  sampleWaiting,
} from './sample-config.ts'
import { type Counts, rollUpStatus, type StatusQuestion } from './status.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const entry: IntentEntry = {
  site: 'n1',
  application: 'shop',
  deployment: 'shop-all',
  version: '1',
  revision: 'r1',
  phase: 'run',
}

const ask = (reports: readonly HostReport[], fields: Partial<StatusQuestion> = {}): StatusQuestion => ({
  applications: [{ name: 'shop', order: 1, revisions: [sampleRevision(sampleApplication({ version: '1' }), 'r1')] }],
  entries: [entry],
  places: [samplePlace('n1')],
  reports,
  hash,
  ...fields,
})

const line = (counts: Counts | undefined) =>
  counts &&
  (['wanted', 'downloaded', 'running', 'ready', 'failing', 'unknown'] as const)
    .map((kind) => `${counts[kind].count}`)
    .join(' ')

const siteOf = (question: StatusQuestion) => rollUpStatus(question)[0]?.versions[0]?.sites[0]
const withStatus = (fields: Parameters<typeof sampleApplicationStatus>[0]) =>
  sampleReport({ status: sampleHostStatus([sampleApplicationStatus(fields)]) })

test('what is ready is also running and downloaded, with the age of the oldest report', (t) => {
  const site = siteOf(ask([sampleReport()]))
  t.is(line(site), '1 1 1 1 0 0')
  t.is(site?.ready.ageMs, 3_000)
  t.is(site?.wanted.ageMs, undefined)
})

test('downloaded, running and ready are told apart', (t) => {
  const none = withStatus({ instances: [], images: [{ name: 'demo/shop:1', digest: 'd', state: 'missing' }] })
  const downloaded = withStatus({ instances: [] })
  const running = withStatus({ instances: [sampleInstance({ ready: false })] })
  t.is(line(siteOf(ask([none]))), '1 0 0 0 0 0')
  t.is(line(siteOf(ask([downloaded]))), '1 1 0 0 0 0')
  t.is(line(siteOf(ask([running]))), '1 1 1 0 0 0')
})

test('what stands in the way counts as failing, what only takes time does not', (t) => {
  const instances = [sampleInstance({ ready: false, containers: [sampleContainer({ state: 'exited', ready: false })] })]
  const failing = withStatus({ instances, waiting: [sampleWaiting('crash-loop', 'exit code 3')] })
  const starting = withStatus({ instances, waiting: [sampleWaiting('starting', 'x')] })
  const other = withStatus({ waiting: [sampleWaiting('crash-loop', 'x', { instance: 'shop.web-9' })] })
  t.is(line(siteOf(ask([failing]))), '1 1 0 0 1 0')
  t.is(line(siteOf(ask([starting]))), '1 1 0 0 0 0')
  t.is(line(siteOf(ask([other]))), '1 1 1 1 0 0')
})

test('a link that is down makes its instances unknown, with the last state and its age beside', (t) => {
  const site = siteOf(ask([sampleReport({ link: 'down', linkForMs: 60_000, receivedAgeMs: 61_000 })]))
  t.is(line(site), '1 0 0 0 0 1')
  t.is(site?.unknown.ageMs, 62_000)
  t.deepEqual(site?.lastKnown, [
    {
      instance: 'shop.web-1',
      host: 'h1',
      unsure: { reason: 'link-down', sinceMs: 60_000, text: 'link down for 1m' },
      state: 'ready',
      ageMs: 62_000,
    },
  ])
})

test('a report counts until it is too old, then what it said is last known', (t) => {
  const aged = (receivedAgeMs: number) => siteOf(ask([sampleReport({ receivedAgeMs })], { staleMs: 10_000 }))
  t.is(line(aged(9_000)), '1 1 1 1 0 0')
  t.is(line(aged(9_001)), '1 0 0 0 0 1')
  t.is(aged(9_001)?.lastKnown[0]?.unsure.reason, 'report-old')
})

test('no report, none yet, and an engine that does not answer are unknown, not down', (t) => {
  const silent = sampleHostStatus([sampleApplicationStatus()], { engine: { state: 'unavailable', forMs: 5_000 } })
  const first: HostReport = { site: 'n1', host: 'h1', node: 'n', link: 'up', linkForMs: 5 }
  for (const [reports, reason, state] of [
    [[], 'never-heard', 'never-heard'],
    [[first], 'never-heard', 'never-heard'],
    [[sampleReport({ status: silent })], 'engine-unavailable', 'ready'],
  ] as const) {
    const site = siteOf(ask(reports))
    t.is(line(site), '1 0 0 0 0 1')
    t.like(site?.lastKnown[0], { unsure: { reason }, state })
  }
})

test('instances of several hosts and sites add up, and the oldest age counts', (t) => {
  const spec = sampleApplication({ version: '1' }, { mode: 'one-per-matching-host' })
  const instance = (id: string) => [sampleInstance({ id })]
  const report = (site: string, host: string, id: string, receivedAgeMs: number) =>
    sampleReport({
      site,
      host,
      receivedAgeMs,
      status: sampleHostStatus([sampleApplicationStatus({ instances: instance(id) })]),
    })
  const [row] = rollUpStatus(
    ask([report('n1', 'h1', 'shop.web-1', 1_000), report('n1', 'h2', 'shop.web-2', 5_000)], {
      applications: [{ name: 'shop', order: 1, revisions: [sampleRevision(spec, 'r1')] }],
      entries: [entry, { ...entry, site: 'n2' }],
      places: [samplePlace('n1', ['h1', 'h2']), samplePlace('n2', ['h1'])],
    }),
  )
  t.is(line(row), '3 2 2 2 0 1')
  t.is(row?.ready.ageMs, 6_000)
  t.deepEqual(
    row?.versions[0]?.sites.map((site) => `${site.site} ${line(site)}`),
    ['n1 2 2 2 2 0 0', 'n2 1 0 0 0 0 1'],
  )
})

test('while a site still runs the former version, both versions have a row', (t) => {
  const former = withStatus({ version: '0', revision: 'r0' })
  const [row] = rollUpStatus(ask([former]))
  t.deepEqual(
    row?.versions.map((version) => `${version.version} ${version.sites[0]?.phase} ${line(version)}`),
    ['1 run 1 0 0 0 0 0', '0 former 0 0 1 1 0 0'],
  )
})

test('a site that is to retire shows what still runs, until nothing does', (t) => {
  const retired: IntentEntry = { ...entry, phase: 'retired' }
  const running = siteOf(ask([withStatus({ phase: 'retired' })], { entries: [retired] }))
  t.is(`${running?.phase} ${line(running)}`, 'retired 0 0 1 1 0 0')
  const gone = siteOf(ask([withStatus({ phase: 'retired', instances: [] })], { entries: [retired] }))
  t.is(`${gone?.phase} ${line(gone)}`, 'retired 0 0 0 0 0 0')
})

test('an application that no site was told of has a row', (t) => {
  const [row] = rollUpStatus(ask([], { entries: [] }))
  t.is(row?.application, 'shop')
  t.deepEqual(row?.versions, [])
  t.is(line(row), '0 0 0 0 0 0')
})

test('the order of reports and entries does not matter', (t) => {
  const reports = [sampleReport(), sampleReport({ site: 'n2', link: 'down' })]
  const entries = [entry, { ...entry, site: 'n2' }]
  const places = [samplePlace('n1'), samplePlace('n2')]
  t.deepEqual(
    rollUpStatus(ask(reports.toReversed(), { entries: entries.toReversed(), places: places.toReversed() })),
    rollUpStatus(ask(reports, { entries, places })),
  )
})

/** Something of a site that counts how often somebody asks which. */
const countedSite = <Thing extends { readonly site: string }>(thing: Thing, asked: { count: number }): Thing =>
  Object.defineProperty({ ...thing }, 'site', {
    enumerable: true,
    get: () => {
      asked.count += 1
      return thing.site
    },
  })

test('what a site is looked up in grows with the sites, not with their square', (t) => {
  const sites = Array.from({ length: 1_000 }, (_, at) => `n${at}`)
  const asked = { count: 0 }
  const reports = sites.map((site) => countedSite(sampleReport({ site }), asked))
  const places = sites.map((site) => countedSite(samplePlace(site), asked))
  const entries = sites.map((site) => ({ ...entry, site }))
  t.is(line(rollUpStatus({ ...ask(reports), entries, places })[0]), '1000 1000 1000 1000 0 0')
  t.true(asked.count < 20 * sites.length, `${asked.count} times`)
  asked.count = 0
  const retired = entries.map((one) => ({ ...one, phase: 'retired' as const }))
  const orders = new Map(sites.map((site) => [site, 1]))
  t.is(sitesDone({ entries: retired, orders, places, reports }).length, 0)
  t.true(asked.count < 20 * sites.length, `${asked.count} times`)
})
