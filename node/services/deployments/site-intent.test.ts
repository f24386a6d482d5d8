import test from 'ava'
import fc from 'fast-check'
import { compareFences, type DeploymentVersion } from '../../../crdt/index.ts'
import type { SiteIntent } from './intent.ts'
import { sampleApplication, samplePlace, sampleRevision } from './sample-config.ts'
import { idOf, recordOf, sampleEntry, sampleRetired, sampleVersion } from './sample-entries.ts'
import { intentOrderOf, type SiteIntentQuestion, siteIntentOf } from './site-intent.ts'
import type { Specification } from './specification-blob.ts'

const shop = idOf('shop')
const versionOf = (name: string, fields: Partial<DeploymentVersion> = {}) =>
  [recordOf(name), sampleVersion({ revision: recordOf(`revision of ${name}`), ...fields })] as const
const specificationOf = (name: string, application = sampleApplication({ version: name })) =>
  [recordOf(`revision of ${name}`), { application, images: sampleRevision().images }] as const

const versions = new Map<string, DeploymentVersion>([
  versionOf('v1'),
  versionOf('v2', { order: 2 }),
  versionOf('till', { application: idOf('till'), deployment: idOf('till-all'), name: 'till-all' }),
  versionOf('again', { application: idOf('shop again'), deployment: idOf('x'), name: 'again' }),
])
const specifications = new Map<string, Specification>([
  specificationOf('v1'),
  specificationOf('v2'),
  specificationOf('till', sampleApplication({ name: 'till' })),
  specificationOf('again'),
])
const ask = (fields: Partial<SiteIntentQuestion> = {}): SiteIntentQuestion => ({
  place: samplePlace(),
  entries: new Map([[shop, sampleEntry()]]),
  versions: (id) => versions.get(id),
  specifications: (revision) => specifications.get(revision),
  tenant: 'default',
  order: 7,
  ...fields,
})
const accepted = siteIntentOf(ask()).intent
const lines = ({ applications }: SiteIntent) =>
  applications.map(({ application, version, phase }) => `${application} ${version} ${phase}`)
const told = (fields: Partial<SiteIntentQuestion>) => {
  const { intent, missing } = siteIntentOf(ask({ last: accepted, ...fields }))
  return [...lines(intent), ...missing.map((piece) => `no ${Object.keys(piece)[0]}`)]
}
const second = sampleEntry({ decision: idOf('d2'), version: recordOf('v2') })

test('a site is told what its entries, their versions and the specifications come to', (t) => {
  const { intent, missing } = siteIntentOf(ask())
  const [one] = intent.applications
  t.like(one, { tenant: 'default', application: 'shop', version: 'v1', deployment: 'shop-all', phase: 'run' })
  t.is(one?.revision, recordOf('revision of v1'))
  t.deepEqual(one?.origin, {
    application: shop,
    deployment: idOf('shop-all'),
    decision: idOf('d1'),
    version: recordOf('v1'),
    signer: recordOf('signer'),
    order: 1,
  })
  t.is(intent.order, 7)
  t.deepEqual(missing, [])
  t.deepEqual(JSON.parse(JSON.stringify(intent)), intent as never)
})

test('what is not here is asked for, and the application stays as it was', (t) => {
  const entries = new Map([[shop, second]])
  t.deepEqual(told({ entries }), ['shop v2 run'])
  t.deepEqual(told({ entries, versions: () => undefined }), ['shop v1 run', 'no version'])
  t.deepEqual(told({ entries, specifications: () => undefined }), ['shop v1 run', 'no revision'])
  t.deepEqual(told({ entries, versions: () => undefined, last: undefined }), ['no version'])
})

test('an application that no lane names stays: absent never means stop', (t) => {
  t.deepEqual(told({ entries: new Map() }), ['shop v1 run'])
})

test('an image that is not here is asked for, and the application is told all the same', (t) => {
  t.deepEqual(told({ entries: new Map([[shop, second]]), isArchiveHeld: () => false }), ['shop v2 run', 'no archive'])
})

test('retired is told with the name it had, and to no site that never ran it', (t) => {
  const entries = new Map([[shop, sampleRetired({ decision: idOf('d3') })]])
  t.deepEqual(told({ entries }), ['shop v1 retired'])
  t.deepEqual(told({ entries, last: undefined }), [])
  const { intent } = siteIntentOf(ask({ entries, last: accepted }))
  t.is(intent.applications[0]?.origin?.decision, idOf('d3'))
  const back = siteIntentOf(ask({ entries: new Map([[shop, second]]), last: intent })).intent
  t.deepEqual(lines(back), ['shop v2 run'])
})

test('a version of another application is not taken for this one', (t) => {
  t.deepEqual(told({ entries: new Map([[shop, sampleEntry({ version: recordOf('till') })]]) }), ['shop v1 run'])
})

test('of two applications of one name the one that runs counts, then the one that was there', (t) => {
  const again = sampleEntry({ decision: idOf('d4'), version: recordOf('again') })
  const both = new Map([
    [idOf('shop again'), again],
    [shop, sampleEntry()],
  ])
  const clash = siteIntentOf(ask({ entries: both, last: accepted }))
  t.deepEqual(lines(clash.intent), ['shop v1 run'])
  t.like(clash.refusals[0], { application: 'shop', code: 'name-taken', version: recordOf('again') })
  const replaced = siteIntentOf(ask({ entries: new Map([...both, [shop, sampleRetired()]]), last: accepted }))
  t.deepEqual(lines(replaced.intent), ['shop again run'])
  t.deepEqual(replaced.refusals, [])
})

test('what an earlier release accepted under the name alone gives way to the signed one', (t) => {
  const { origin: _, ...old } = accepted.applications[0]!
  t.deepEqual(told({ entries: new Map([[shop, second]]), last: { ...accepted, applications: [old] } }), ['shop v2 run'])
})

test('orders rise as fences do, and stay whole numbers', (t) => {
  const fence = fc.record({
    generation: fc.integer({ min: 1, max: 2 ** 20 }),
    n: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  })
  t.notThrows(() =>
    fc.assert(
      fc.property(fence, fence, (a, b) => {
        const order = Math.sign(intentOrderOf(a) - intentOrderOf(b))
        return Number.isSafeInteger(intentOrderOf(a)) && order === Math.sign(compareFences(a, b))
      }),
    ),
  )
  const last = { generation: 2 ** 32 - 1, n: Number.MAX_SAFE_INTEGER }
  t.true(Number.isSafeInteger(intentOrderOf(last)))
  t.true(intentOrderOf(last) >= intentOrderOf({ generation: 2 ** 20, n: 2 ** 32 - 1 }))
})

test('edge and aggregator work out the same, whatever order they hold things in', (t) => {
  const all = new Map([
    [shop, second],
    [idOf('till'), sampleEntry({ version: recordOf('till') })],
  ])
  t.deepEqual(
    siteIntentOf(ask({ entries: all, last: accepted })),
    siteIntentOf(ask({ entries: new Map([...all].toReversed()), last: accepted })),
  )
})

test('safe: whatever is missing, nothing that ran is left out, and only a retired entry retires', (t) => {
  const some = fc.constantFrom('v1', 'v2', 'v9', 'till', null)
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.option(some, { nil: undefined }),
        fc.boolean(),
        fc.boolean(),
        (name, hasVersions, hasSpecifications) => {
          const entry = name !== undefined && sampleEntry({ decision: idOf('d5'), version: name && recordOf(name) })
          const question = ask({
            entries: new Map(entry ? [[shop, entry]] : []),
            last: accepted,
            ...(!hasVersions && { versions: () => undefined }),
            ...(!hasSpecifications && { specifications: () => undefined }),
          })
          const [one] = siteIntentOf(question).intent.applications
          return one?.application === 'shop' && (one.phase === 'retired') === (name === null)
        },
      ),
    ),
  )
})
