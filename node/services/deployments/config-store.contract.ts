import { createHash } from 'node:crypto'
import type { TestFn } from 'ava'
import type { DesiredImage } from '../../../runtime/index.ts'
import type { ApplicationRevision, ConfigStore } from './config-store.ts'
import { revisionOf } from './revision.ts'
import { sampleApplication, sampleDeployment, sampleDigest, sampleRevision } from './sample-config.ts'
import type { ApplicationSpec } from './specification.ts'

/** The salt of the revisions that the contract makes. */
export const contractSalt = 'salt'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

/** A revision under its true name, so that a store may keep it by that. */
export const namedRevision = (spec: ApplicationSpec, image: Partial<DesiredImage> = {}): ApplicationRevision => {
  const sample = sampleRevision(spec)
  const images = sample.images.map((one) => ({ ...one, ...image }))
  return { ...sample, images, revision: revisionOf(spec, images, { salt: contractSalt, hash }) }
}

/** What every ConfigStore must do. `create` gives an empty one. */
export const configStoreContract = (test: TestFn, adapter: string, create: () => Promise<ConfigStore>): void => {
  const named = (title: string) => `${adapter}: ${title}`
  const revision = (version?: string, env: Record<string, string> = {}, image: Partial<DesiredImage> = {}) =>
    namedRevision(sampleApplication({ ...(version !== undefined && { version }) }, {}, { env }), image)
  const versions = async (store: ConfigStore) =>
    (await store.getApplication('shop'))?.revisions.map(({ version }) => version)
  const entry = {
    site: 'n1',
    application: 'shop',
    deployment: 'shop-all',
    version: '1',
    revision: 'r1',
    phase: 'run',
  } as const

  test(named('keeps what was put, in the order of names, with rising order numbers'), async (t) => {
    const store = await create()
    const first = await store.putApplication(revision('1'))
    const other = await store.putApplication(namedRevision(sampleApplication({ name: 'abacus' })))
    t.is(first.outcome, 'created')
    t.true(other.stored.order > first.stored.order)
    t.deepEqual(
      (await store.listApplications()).map(({ name }) => name),
      ['abacus', 'shop'],
    )
    t.is(await store.getApplication('nothing'), undefined)
  })

  test(named('the same specification again changes nothing'), async (t) => {
    const store = await create()
    const { stored } = await store.putApplication(revision('1'))
    const again = await store.putApplication(revision('1'))
    t.is(again.outcome, 'unchanged')
    t.is(again.stored.order, stored.order)
  })

  test(named('a version that is there cannot be given to another specification'), async (t) => {
    const store = await create()
    await store.putApplication(revision('1'))
    const error = await t.throwsAsync(store.putApplication(revision('1', { COLOUR: 'red' })), {
      code: 'version-exists',
    })
    t.regex(error?.message ?? '', /give this change a new version/)
    t.deepEqual((await store.getApplication('shop'))?.revisions[0]?.spec, revision('1').spec)
  })

  test(named('an application with versions cannot lose them'), async (t) => {
    const store = await create()
    await store.putApplication(revision('1'))
    await t.throwsAsync(store.putApplication(revision(undefined)), { code: 'version-required' })
  })

  test(named('without versions a change replaces what was there; an image with other bytes is one'), async (t) => {
    const store = await create()
    const third = revision(undefined, { A: 'b' }, { digest: sampleDigest('c') })
    await store.putApplication(revision(undefined))
    t.is((await store.putApplication(revision(undefined, { A: 'b' }))).outcome, 'changed')
    t.is((await store.putApplication(third)).outcome, 'changed')
    t.is((await store.putApplication(third)).outcome, 'unchanged')
    t.deepEqual((await store.getApplication('shop'))?.revisions, [third])
  })

  test(named('the same bytes imported in another archive change nothing'), async (t) => {
    const store = await create()
    const first = revision(undefined)
    await store.putApplication(first)
    const moved = revision(undefined, {}, { archive: sampleDigest('d') })
    t.not(moved.revision, first.revision)
    t.is((await store.putApplication(moved)).outcome, 'unchanged')
    t.deepEqual((await store.getApplication('shop'))?.revisions, [first])
  })

  test(named('keeps the last three versions, and one that is deployed'), async (t) => {
    const store = await create()
    await store.putApplication(revision('1'))
    await store.putDeployment(sampleDeployment({ 'application-version': '1' }), 0)
    for (const version of ['2', '3', '4', '5']) await store.putApplication(revision(version))
    t.deepEqual(await versions(store), ['1', '3', '4', '5'])
    await store.putDeployment(sampleDeployment({ 'application-version': '5' }), 0)
    await store.putApplication(revision('6'))
    t.deepEqual(await versions(store), ['4', '5', '6'])
  })

  test(named('refuses a change of what someone else changed'), async (t) => {
    const store = await create()
    const { stored } = await store.putApplication(revision('1'), { ifOrder: 0 })
    await t.throwsAsync(store.putApplication(revision('2'), { ifOrder: 0 }), { code: 'precondition-failed' })
    const { stored: second } = await store.putApplication(revision('2'), { ifOrder: stored.order })
    await t.throwsAsync(store.removeApplication('shop', { ifOrder: stored.order }), { code: 'precondition-failed' })
    const deployment = await store.putDeployment(sampleDeployment(), 0, { ifOrder: 0 })
    await t.throwsAsync(store.removeDeployment('shop-all', { ifOrder: second.order }), { code: 'precondition-failed' })
    await store.removeDeployment('shop-all', { ifOrder: deployment.stored.order })
    t.deepEqual(await store.listDeployments(), [])
  })

  test(named('of two changes that began from the same state one is refused'), async (t) => {
    const store = await create()
    const { stored } = await store.putApplication(revision('1'))
    const both = await Promise.allSettled(
      ['2', '3'].map((version) => store.putApplication(revision(version), { ifOrder: stored.order })),
    )
    t.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  })

  test(named('one deployment refers to an application, and it must be there'), async (t) => {
    const store = await create()
    await t.throwsAsync(store.putDeployment(sampleDeployment(), 0), {
      code: 'not-found',
      message: /apply the application first/,
    })
    await store.putApplication(revision('1'))
    await t.throwsAsync(store.putDeployment(sampleDeployment({ 'application-version': '2' }), 0), {
      code: 'version-unknown',
      message: /it has 1/,
    })
    await store.putDeployment(sampleDeployment(), 0)
    t.is((await store.putDeployment(sampleDeployment(), 9)).outcome, 'unchanged')
    await t.throwsAsync(store.putDeployment(sampleDeployment({ name: 'second' }), 0), {
      code: 'already-deployed',
      message: /shop-all/,
    })
  })

  test(named('an application that is deployed cannot be removed'), async (t) => {
    const store = await create()
    await t.throwsAsync(store.removeApplication('shop'), { code: 'not-found' })
    await store.putApplication(revision('1'))
    await store.putDeployment(sampleDeployment(), 0)
    await t.throwsAsync(store.removeApplication('shop'), {
      code: 'still-deployed',
      message: /remove that deployment first/,
    })
    await store.removeDeployment('shop-all')
    await store.removeApplication('shop')
    t.deepEqual(await store.listApplications(), [])
    await t.throwsAsync(store.removeDeployment('shop-all'), { code: 'not-found' })
  })

  test(named('a deployment remembers the versions it rolled out'), async (t) => {
    const store = await create()
    const history = async () => (await store.getDeployment('shop-all'))?.history
    await store.putApplication(revision('1'))
    await store.putDeployment(sampleDeployment(), 0)
    await store.putApplication(revision('2'))
    t.deepEqual(await history(), ['1', '2'])
    await store.putDeployment(sampleDeployment({ 'application-version': '1' }), 0)
    t.deepEqual(await history(), ['1', '2', '1'])
    await store.putApplication(revision('3'))
    t.deepEqual(await history(), ['1', '2', '1'])
  })

  test(named('what a site was told has its own order, and only what is retired is forgotten'), async (t) => {
    const store = await create()
    t.is(await store.intentOrder('n1'), 0)
    await store.putIntents([entry, { ...entry, site: 'n2' }])
    const first = await store.intentOrder('n1')
    t.true(first > 0)
    await store.putIntents([{ ...entry, site: 'n2', phase: 'retired' }])
    t.is(await store.intentOrder('n1'), first)
    await t.throwsAsync(store.forgetIntent('n1', 'shop'), { code: 'still-deployed' })
    await store.forgetIntent('n2', 'shop')
    t.true((await store.intentOrder('n2')) > first)
    t.deepEqual(await store.listIntents(), [entry])
    await store.forgetIntent('n2', 'shop')
  })
}
