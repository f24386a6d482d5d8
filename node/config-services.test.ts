import { createHash } from 'node:crypto'
import test from 'ava'
import { createManualClock } from '../base/index.ts'
import type { ConfigBatch } from './api/index.ts'
import { createConfigServices } from './config-services.ts'
import { createDeployments, createMemoryConfigStore } from './services/deployments/index.ts'

const asked = { caller: { tenant: 'default', user: 'test' }, signal: new AbortController().signal }

const application = (version: string, image = 'demo/shop:1') => `name: shop
version: "${version}"
labels: { tier: gold }
services:
  - name: web
    containers:
      - name: web
        image: ${image}
        env: { VERSION: "${version}" }
`
const deployment = (version: string) => `name: everywhere
application: shop
application-version: "${version}"
placement: all-sites
`

const open = () => {
  const store = createMemoryConfigStore()
  const trial = {
    places: () => [{ site: 'n1', scope: '/n1', labels: {}, hosts: [{ name: 'n1-a', labels: {} }] }],
    images: {
      resolve: (name: string) => (name === 'demo/shop:1' ? { digest: 'sha256:1', archive: '1' } : undefined),
      names: () => ['demo/shop:1'],
    },
    hash: (text: string) => createHash('sha256').update(text).digest('hex'),
    clock: createManualClock(),
    tenant: 'default',
    salt: 'salt',
  }
  const deployments = createDeployments({ ...trial, store })
  const config = createConfigServices({ store, deployments, trial, topology: () => ({}) })
  const all = (effect: ConfigBatch['effect'], texts: readonly string[], images: ConfigBatch['images'] = []) =>
    config.writeAll({
      ...asked,
      effect,
      images,
      files: texts.map((text, at) => ({ text, source: `file-${at + 1}.yaml` })),
    })
  const names = async () =>
    (await config.list('applications', asked)).map(({ name, value }) => `${name} ${value.version}`)
  return { config, all, names }
}

test('documents are judged together, whatever their order, and a dry run changes nothing', async (t) => {
  const { all, names } = open()
  await all('apply', [`${application('1')}---\n${deployment('1')}`])
  t.deepEqual(await all('dry-run', [`${deployment('2')}---\n${application('2')}`]), [
    { kind: 'application', name: 'shop', outcome: 'updated', impact: [] },
    { kind: 'deployment', name: 'everywhere', outcome: 'updated', impact: ['site n1: shop 2'] },
  ])
  t.deepEqual(await names(), ['shop 1'])
  t.deepEqual(await all('apply', [deployment('2'), application('2')]), [
    { kind: 'application', name: 'shop', outcome: 'updated' },
    { kind: 'deployment', name: 'everywhere', outcome: 'updated' },
  ])
  t.deepEqual(await names(), ['shop 2'])
})

test('when one document is refused, none is written', async (t) => {
  const { all, names } = open()
  await t.throwsAsync(all('apply', [application('1'), deployment('9')]), { code: 'version-unknown' })
  t.deepEqual(await names(), [])
})

test('problems of all files are told at once, each with its file', async (t) => {
  const { all } = open()
  const error = await t.throwsAsync(all('apply', [`${application('1')}colour: red\n`, 'name: x\n']))
  t.regex(error?.message ?? '', /^file-1\.yaml:10: colour: .*\nfile-2\.yaml:1: is neither/)
})

test('an image that is to be imported counts as held in a dry run', async (t) => {
  const { all } = open()
  const text = application('2', 'demo/shop:2')
  await t.throwsAsync(all('dry-run', [text]), { code: 'image-not-held' })
  const coming = [{ name: 'demo/shop:2', digest: 'sha256:2' }]
  t.like((await all('dry-run', [text], coming))[0], { outcome: 'created' })
  await t.throwsAsync(all('apply', [text]), { code: 'image-not-held' })
})

test('a patch is merged into what is held, judged as a whole, and needs what it was made for', async (t) => {
  const { config, all } = open()
  await all('apply', [application('1'), deployment('1')])
  const patch = (name: string, fields: Record<string, unknown>, given: { ifMatch?: string } = {}) =>
    config.patch('applications', name, { ...asked, patch: fields, source: 'patch', effect: 'apply', ...given })
  const before = await config.read('applications', 'shop', asked)
  t.like(await patch('shop', { version: '2', labels: { tier: null, size: 'large' } }), { outcome: 'updated' })
  t.like((await config.read('applications', 'shop', asked))?.value, { version: '2', labels: { size: 'large' } })
  await t.throwsAsync(patch('shop', { version: '3' }, { ifMatch: before?.etag ?? '' }), { code: 'precondition-failed' })
  await t.throwsAsync(patch('shop', { colour: 'red' }), { code: 'invalid-input', message: /^patch: colour: / })
  await t.throwsAsync(patch('shop', { name: 'till' }), { code: 'invalid-input' })
  await t.throwsAsync(patch('shpo', {}), { code: 'not-found', message: /did you mean shop\?/ })
})
