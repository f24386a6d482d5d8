import test from 'ava'
import fc from 'fast-check'
import type { IntentEntry, StoredApplication, StoredDeployment } from './config-store.ts'
import { type IntentQuestion, planIntents } from './intent.ts'
import { sampleApplication, sampleDeployment, samplePlace, sampleRevision } from './sample-config.ts'

const application = (name: string, versions: readonly string[]): StoredApplication => ({
  name,
  order: 1,
  revisions: versions.map((version) => sampleRevision(sampleApplication({ name, version }), `${name}${version}`)),
})
const deployment = (name: string, fields: Record<string, unknown> = {}): StoredDeployment => ({
  spec: sampleDeployment({ name: `${name}-all`, application: name, ...fields }),
  order: 2,
  changedAtMs: 0,
  history: [],
})
const entry = (site: string, name: string, phase: 'run' | 'retired' = 'run', version = '1'): IntentEntry => ({
  site,
  application: name,
  deployment: `${name}-all`,
  version,
  revision: `${name}${version}`,
  phase,
})
const lines = (entries: readonly IntentEntry[]) =>
  entries.map(({ site, application: name, version, phase }) => `${phase} ${name} ${version} at ${site}`)
const plan = (fields: Partial<IntentQuestion>) =>
  lines(planIntents({ applications: [], deployments: [], places: [samplePlace('n1')], entries: [], ...fields }))

test('a deployment whose version is not held changes nothing: what was told stays', (t) => {
  const question = { deployments: [deployment('shop', { 'application-version': '9' })], entries: [entry('n1', 'shop')] }
  t.deepEqual(plan({ ...question, applications: [application('shop', ['1'])] }), [])
  t.deepEqual(plan(question), [])
})

test('what no deployment asks for is retired, once', (t) => {
  t.deepEqual(plan({ entries: [entry('n1', 'shop'), entry('n2', 'shop', 'retired')] }), ['retired shop 1 at n1'])
})

test('the towers’ own site is told nothing by all-sites', (t) => {
  const top = samplePlace('hq', ['tower'], { 'system/type': 'top' })
  const held = { applications: [application('shop', ['1'])], deployments: [deployment('shop')] }
  t.deepEqual(plan({ ...held, places: [top, samplePlace('n1')] }), ['run shop 1 at n1'])
})

const names = ['shop', 'till', 'scale']
const siteNames = ['n1', 'n2', 'n3']
const world = fc.record({
  applications: fc.subarray(names).map((chosen) => chosen.map((name) => application(name, ['1', '2']))),
  deployments: fc
    .array(
      fc.tuple(
        fc.constantFrom(...names),
        fc.constantFrom('*', '1', '2', '9'),
        fc.constantFrom('system/name = n1', 'not system/name = n2', 'x'),
      ),
    )
    .map((chosen) =>
      [...new Map(chosen.map((one) => [one[0], one])).values()].map(([name, version, expression]) =>
        deployment(name, { 'application-version': version, placement: { 'match-site-labels': expression } }),
      ),
    ),
  places: fc.subarray(siteNames).map((chosen) => chosen.map((name) => samplePlace(name))),
  entries: fc
    .uniqueArray(
      fc.tuple(
        fc.constantFrom(...siteNames),
        fc.constantFrom(...names),
        fc.constantFrom('run' as const, 'retired' as const),
      ),
      {
        selector: ([site, name]) => `${site} ${name}`,
      },
    )
    .map((chosen) => chosen.map(([site, name, phase]) => entry(site, name, phase))),
})

const written = (entries: readonly IntentEntry[], changes: readonly IntentEntry[]) => [
  ...new Map([...entries, ...changes].map((one) => [`${one.site} ${one.application}`, one])).values(),
]

test('once told, there is nothing more to tell, and nobody is ever left without a word', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(world, (question) => {
        const entries = written(question.entries, planIntents(question))
        const told = entries.length >= question.entries.length
        return told && planIntents({ ...question, entries }).length === 0
      }),
    ),
  )
})

test('the order of what is held does not matter', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(world, (question) => {
        const turned = {
          applications: question.applications.toReversed(),
          deployments: question.deployments.toReversed(),
          places: question.places.toReversed(),
          entries: question.entries.toReversed(),
        }
        return lines(planIntents(turned)).join() === lines(planIntents(question)).join()
      }),
    ),
  )
})
