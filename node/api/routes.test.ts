import test from 'ava'
import { defaultLimits } from './fastify-app.ts'
import { createMemoryServices } from './memory/index.ts'
import { openApp as open } from './open-app.contract.ts'
import { routes } from './routes.ts'

const shop = 'name: shop\nversion: "1"\n'

test('configuration is created once, replaced, read and deleted', async (t) => {
  const { ask } = open()
  const path = '/v1/config/applications'
  t.is((await ask('POST', path, { body: shop })).status, 201)
  t.is((await ask('POST', path, { body: shop })).status, 409)
  t.deepEqual((await ask('PUT', `${path}/shop`, { body: shop })).json(), { name: 'shop', outcome: 'unchanged' })
  t.deepEqual((await ask('GET', `${path}/shop`)).json(), { name: 'shop', version: '1' })
  t.deepEqual((await ask('GET', `${path}/shop?version-list=true`)).json(), [{ name: 'shop', version: '1' }])
  t.is((await ask('DELETE', `${path}/shop`)).status, 200)
  t.is((await ask('GET', `${path}/shop`)).status, 404)
})

test('validate and dry-run change nothing', async (t) => {
  const { ask } = open()
  const reply = await ask('PUT', '/v1/config/applications/shop?dry-run=true', { body: shop })
  t.deepEqual(reply.json(), { name: 'shop', outcome: 'created', impact: ['site shop-1'] })
  t.is((await ask('PUT', '/v1/config/applications/shop?validate=true', { body: shop })).status, 200)
  t.is((await ask('GET', '/v1/config/applications/shop')).status, 404)
})

test('an object that changed since it was read is not overwritten', async (t) => {
  const { ask } = open()
  const path = '/v1/config/applications/shop'
  await ask('PUT', path, { body: shop })
  const { etag } = (await ask('GET', path)).headers
  t.is((await ask('PUT', path, { body: `${shop}a: 1\n`, headers: { 'if-match': etag } })).status, 200)
  t.is((await ask('PUT', path, { body: `${shop}a: 2\n`, headers: { 'if-match': etag } })).status, 412)
  t.is((await ask('DELETE', path, { headers: { 'if-match': etag } })).status, 412)
})

test('PATCH merges into what is there, unless it changed since it was read', async (t) => {
  const { ask } = open()
  const path = '/v1/config/applications/shop'
  t.is((await ask('PATCH', path, { body: 'a: 1' })).status, 404)
  await ask('PUT', path, { body: shop })
  const { etag } = (await ask('GET', path)).headers
  const patched = await ask('PATCH', path, {
    body: '{"a":1}',
    headers: { 'content-type': 'application/merge-patch+json', 'if-match': etag },
  })
  t.is(patched.status, 200, patched.text)
  t.deepEqual((await ask('GET', path)).json(), { name: 'shop', version: '1', a: 1 })
  t.is((await ask('PATCH', path, { body: 'a: 2', headers: { 'if-match': etag } })).status, 412)
  t.is((await ask('PATCH', path, { body: '[]' })).status, 400)
})

test('OPTIONS says what a path takes', async (t) => {
  const { ask } = open()
  const reply = await ask('OPTIONS', '/v1/config/applications/shop')
  t.is(reply.status, 204)
  t.is(reply.headers.allow, 'GET, PUT, PATCH, DELETE, OPTIONS')
  t.is((await ask('OPTIONS', '/v1/config/shops')).status, 404)
  const wrong = await ask('POST', '/v1/config/applications/shop')
  t.is(wrong.status, 405)
  t.is(wrong.headers.allow, 'GET, PUT, PATCH, DELETE, OPTIONS')
})

test('several files are sent as one change; images are named for a dry run only', async (t) => {
  const { ask } = open()
  const files = [{ source: 'shop.yaml', text: `name: rollout\napplication: shop\n---\n${shop}` }]
  const send = (query: string, body: object) =>
    ask('POST', `/v1/config${query}`, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  const images = [{ name: 'demo/shop:1', digest: 'sha256:1' }]
  t.is((await send('?dry-run=true', { files, images })).status, 200)
  t.is((await ask('GET', '/v1/config/applications/shop')).status, 404)
  t.is((await send('', { files, images })).status, 400)
  t.deepEqual((await send('', { files })).json(), [
    { kind: 'application', name: 'shop', outcome: 'created' },
    { kind: 'deployment', name: 'rollout', outcome: 'created' },
  ])
  t.is((await send('', { files: [{ source: 'a\u001bb', text: shop }] })).status, 400)
  t.is((await send('', { files: [] })).status, 400)
})

test('what is not there is told with the nearest name, or what there is', async (t) => {
  const { ask } = open()
  const words = async (path: string) => {
    const reply = await ask('GET', path)
    t.is(reply.status, 404)
    return (reply.json() as { errors: { 'error-message': string }[] }).errors[0]?.['error-message']
  }
  t.is(await words('/v1/state/applications/shop'), 'there is no application shop; there is none yet')
  await ask('POST', '/v1/config/applications', { body: shop })
  t.is(await words('/v1/state/applications/shpo'), 'there is no application shpo; did you mean shop?')
  t.is(await words('/v1/config/applications/till?version-list=true'), 'there is no application till; there is shop')
  t.is(await words('/v1/state/sites/shop-2'), 'there is no site shop-2; did you mean shop-1?')
})

test('a refused specification names the file and line of the person', async (t) => {
  const { ask } = open()
  const headers = { 'skerry-source': 'shop.yaml' }
  const reply = await ask('PUT', '/v1/config/applications/shop', { body: `${shop}colour: red\n`, headers })
  t.is(reply.status, 400)
  t.regex(reply.text, /shop\.yaml:1: colour: unknown field/)
})

test('lists answer keys, count and fields, in JSON and YAML', async (t) => {
  const { ask } = open()
  await ask('POST', '/v1/config/applications', { body: shop })
  t.deepEqual((await ask('GET', '/v1/config/applications?keys=true')).json(), ['shop'])
  t.deepEqual((await ask('GET', '/v1/state/applications?count=true')).json(), { count: 1 })
  t.deepEqual((await ask('GET', '/v1/state/zones?keys=true')).json(), ['/'])
  t.deepEqual((await ask('GET', '/v1/state/applications/shop?fields=name,sites/ready/count')).json(), {
    name: 'shop',
    sites: [{ ready: { count: 2 } }],
  })
  const yaml = await ask('GET', '/v1/state/hosts?fields=name', { headers: { accept: 'application/yaml' } })
  t.is(yaml.text, '- name: shop-1-a\n')
})

test('every GET route of the table answers, and none takes what it does not know', async (t) => {
  const { ask } = open()
  await ask('POST', '/v1/config/applications', { body: shop })
  for (const route of routes.filter(({ method }) => method === 'GET')) {
    const path = route.path.replace('{instance}', 'shop.web-1').replace('{name}', 'shop')
    const query = route.required?.map((key) => `${key}=${key === 'zone' ? '/de/bavaria' : 'shop-1'}`).join('&')
    const reply = await ask('GET', `${path}?${query ?? ''}`)
    t.true(reply.status === 200 || /deployments|sites\/shop/.test(path), `${path}: ${reply.status} ${reply.text}`)
    t.is((await ask('GET', `${path}?nonsense=1`)).status, 400, path)
  }
})

test('site is passed on, to be answered by that site', async (t) => {
  const services = createMemoryServices()
  const asked: unknown[] = []
  const hosts = async (one: { site?: string }) => {
    asked.push(one.site)
    return []
  }
  const state = { ...services.state, hosts }
  const { ask } = open({ ...services, state })
  await ask('GET', '/v1/state/hosts?site=shop-1')
  await ask('GET', '/v1/state/hosts')
  t.deepEqual(asked, ['shop-1', undefined])
})

test('operations take their body by schema', async (t) => {
  const { ask } = open()
  const exec = '/v1/state/service-instances/shop.web-1/exec?site=shop-1'
  const done = await ask('POST', exec, { body: 'cmd: [echo, hi]\ntimeout: 5s\n' })
  t.deepEqual(done.json(), { 'exit-code': 0, stdout: btoa('echo hi\n'), stderr: '', truncated: false })
  t.is((await ask('POST', exec, { body: 'cmd: echo hi\n' })).status, 400)
  t.regex((await ask('POST', exec, { body: 'cmd: [a]\ntimeout: 2h\n' })).text, /timeout: must be a duration/)
  t.is((await ask('POST', '/v1/state/service-instances/shop/exec', { body: 'cmd: [a]' })).status, 400)
  await ask('POST', '/v1/config/application-deployments', { body: 'name: rollout\napplication: shop\n' })
  const back = await ask('POST', '/v1/state/application-deployments/rollout/rollback')
  t.deepEqual(back.json(), { deployment: 'rollout', 'from-version': '2', 'to-version': '1' })
})

test('a handler that takes too long is given up on and told so', async (t) => {
  const services = createMemoryServices()
  const started = Promise.withResolvers<AbortSignal>()
  const node = (asked: { signal: AbortSignal }) => {
    started.resolve(asked.signal)
    return new Promise<never>(() => {})
  }
  const { ask, clock } = open({ ...services, state: { ...services.state, node } })
  const reply = ask('GET', '/v1/state/node')
  const signal = await started.promise
  clock.advance(defaultLimits.handlerTimeoutMs)
  t.is((await reply).status, 504)
  t.true(signal.aborted)
})

test('the OpenAPI document has every route and resolves its own references', async (t) => {
  const { ask } = open()
  const reply = await ask('GET', '/v1/openapi.json')
  const document = reply.json() as { openapi: string; paths: Record<string, object>; components: { schemas: object } }
  t.is(document.openapi, '3.1.0')
  for (const { path, method } of routes)
    t.truthy((document.paths[path] as Record<string, unknown>)[method.toLowerCase()])
  for (const [, name] of reply.text.matchAll(/#\/components\/schemas\/([a-z-]+)/g))
    t.true(Object.keys(document.components.schemas).includes(name ?? ''), name)
  t.regex(reply.text, /"cmd":\{"minItems":1,"maxItems":1000,"type":"array"/)
})
