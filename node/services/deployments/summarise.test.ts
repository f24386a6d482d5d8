import test from 'ava'
import type { IntentEntry } from './config-store.ts'
import type { IntentOrigin, SiteIntent } from './intent.ts'
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
import { idOf, recordOf, sampleHash, sampleVersion } from './sample-entries.ts'
import { type Counts, rollUpStatus, type StatusQuestion } from './status.ts'
import { type SummaryQuestion, summarise } from './summarise.ts'
import { namesOfConfig, namesOfIntents, type ZoneSummary } from './summary-rows.ts'

const entry: IntentEntry = {
  site: 'n1',
  application: 'shop',
  deployment: 'shop-all',
  version: '1',
  revision: 'r1',
  phase: 'run',
}
const origin: IntentOrigin = {
  application: idOf('shop'),
  deployment: idOf('shop-all'),
  decision: idOf('d1'),
  version: recordOf('v1'),
  signer: recordOf('signer'),
  order: 1,
}
const status: StatusQuestion = {
  applications: [{ name: 'shop', order: 1, revisions: [sampleRevision(sampleApplication({ version: '1' }), 'r1')] }],
  entries: [entry],
  places: [samplePlace('n1'), samplePlace('n2')],
  reports: [sampleReport()],
  hash: sampleHash,
}
const ask = (fields: Partial<SummaryQuestion> = {}): SummaryQuestion => ({
  ...status,
  origins: () => origin,
  conflicts: [],
  ...fields,
})

test('a zone says counts with their ages by ids, and no name of anything', (t) => {
  const rows = summarise(ask({ entries: [entry, { ...entry, site: 'n2' }] }))
  t.deepEqual(rows, [
    {
      application: idOf('shop'),
      version: recordOf('v1'),
      wanted: 2,
      running: 1,
      ready: 1,
      failing: 0,
      unknown: 1,
      conflict: 0,
      reportAgeMs: 3_000,
      failingMs: null,
      unknownMs: 0,
      conflictMs: null,
    },
  ])
  t.notRegex(JSON.stringify(rows), /shop|n1|h1|web/)
})

test('how long something fails or is unknown is said, in whole milliseconds', (t) => {
  const instances = [sampleInstance({ ready: false, containers: [sampleContainer({ state: 'exited', ready: false })] })]
  const waiting = [sampleWaiting('crash-loop', 'exit code 3', { forMs: 90_000.4 })]
  const failing = sampleReport({ status: sampleHostStatus([sampleApplicationStatus({ instances, waiting })]) })
  t.like(summarise(ask({ reports: [failing] }))[0], { failing: 1, failingMs: 92_000 })
  const down = sampleReport({ link: 'down', linkForMs: 60_000.5, receivedAgeMs: 61_000 })
  t.like(summarise(ask({ reports: [down] }))[0], { ready: 0, unknown: 1, unknownMs: 62_000 })
})

test('what still runs of a former version has no version that stands for it', (t) => {
  const former = sampleReport({
    status: sampleHostStatus([sampleApplicationStatus({ version: '0', revision: 'r0' })]),
  })
  t.deepEqual(
    summarise(ask({ reports: [former] })).map(({ version, wanted, running }) => [version, wanted, running]),
    [
      [null, 0, 1],
      [recordOf('v1'), 1, 0],
    ],
  )
})

test('zones below that say counts alone are counted in, as old as they are now', (t) => {
  const [row] = summarise(ask())
  const below: ZoneSummary = {
    scope: '/north/x',
    rows: row ? [row] : [],
    receivedAgeMs: 10_000,
    names: () => undefined,
  }
  t.like(summarise(ask({ summaries: [below] }))[0], { wanted: 2, ready: 2, reportAgeMs: 13_000 })
})

test('each scope in conflict counts once, for as long as the first is', (t) => {
  const conflicts = [5_000, 9_000].map((forMs) => ({ application: idOf('shop'), forMs }))
  t.like(summarise(ask({ conflicts }))[0], { version: null, wanted: 0, conflict: 2, conflictMs: 9_000 })
})

test('what rests on no signed record stays in the zone', (t) => {
  t.deepEqual(summarise(ask({ origins: () => undefined })), [])
})

const names: ZoneSummary['names'] = (application, version) =>
  application === idOf('shop') ? { application: 'shop', version: version === recordOf('v1') ? '1' : '' } : undefined
const zone = (fields: Partial<ZoneSummary> = {}): ZoneSummary => ({
  scope: '/south',
  rows: summarise(ask({ entries: [entry, { ...entry, site: 'n2' }] })),
  receivedAgeMs: 1_000,
  names,
  ...fields,
})
const line = (counts: Counts) =>
  (['wanted', 'downloaded', 'running', 'ready', 'failing', 'unknown'] as const)
    .map((kind) => counts[kind].count)
    .join(' ')
const lines = (question: StatusQuestion) =>
  rollUpStatus(question).flatMap(({ application, versions }) =>
    versions.flatMap(({ version, sites }) =>
      sites.map((row) => `${application} ${version} ${row.site} ${line(row)}${row.note ? ` (${row.note})` : ''}`),
    ),
  )

test('at a tower such a zone is one line beside the sites, and counts in the sums', (t) => {
  const question = { ...status, summaries: [zone()] }
  t.deepEqual(lines(question), ['shop 1 n1 1 1 1 1 0 0', 'shop 1 /south 2 1 1 1 0 1 (counts only)'])
  const [row] = rollUpStatus(question)
  t.is(row && line(row), '3 2 2 2 0 1')
  t.is(row?.ready.ageMs, 4_000)
})

test('an application of a zone alone has a row, by its id where nobody knows the name', (t) => {
  const question = { ...status, entries: [], applications: [], summaries: [zone({ names: () => undefined })] }
  t.deepEqual(lines(question), [
    `${idOf('shop').slice(0, 12)} ${recordOf('v1').slice(0, 12)} /south 2 1 1 1 0 1 (counts only)`,
  ])
})

test('what such a zone said too long ago is unknown', (t) => {
  const [row] = rollUpStatus({ ...status, entries: [], summaries: [zone({ receivedAgeMs: 60_000 })] })
  t.is(row && line(row), '2 0 0 0 0 2')
  t.is(row?.unknown.ageMs, 63_000)
  t.regex(row?.versions[0]?.sites[0]?.note ?? '', /last report is 1m old/)
})

test('names come from the configuration at the tower, and from what sites were told below it', (t) => {
  const config = {
    applications: new Map([
      [
        idOf('shop'),
        {
          id: idOf('shop'),
          name: 'shop',
          order: 1,
          revisions: [{ version: '1', revision: recordOf('r1'), changedAtMs: 0 }],
        },
      ],
    ]),
    deployments: new Map(),
    decisions: new Map(),
    removed: new Set<string>(),
    order: 1,
  }
  const atTower = namesOfConfig(config, (id) =>
    id === recordOf('v1') ? sampleVersion({ revision: recordOf('r1') }) : undefined,
  )
  const head = { tenant: 'default', application: 'shop', version: '1', revision: 'r1', deployment: 'shop-all' }
  const intent: SiteIntent = {
    site: 'n1',
    order: 1,
    place: samplePlace(),
    applications: [{ ...head, origin, phase: 'retired' }],
  }
  for (const named of [atTower, namesOfIntents([intent])]) {
    t.deepEqual(named(idOf('shop'), recordOf('v1')), { application: 'shop', version: '1' })
    t.deepEqual(named(idOf('shop'), null), { application: 'shop', version: '' })
    t.is(named(idOf('till'), recordOf('v1')), undefined)
  }
})
