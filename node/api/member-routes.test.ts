import test from 'ava'
import { createMemoryServices } from './memory/index.ts'
import { openApp } from './open-app.contract.ts'
import type { AskedMember, MemberServices } from './services.ts'

const path = '/v1/state/system/call-home-hosts'
const key = (digit: string) => digit.repeat(64)

const messageOf = (reply: { json(): unknown }) => {
  const [error] = (reply.json() as { errors: { 'error-message': string; 'error-info': { code: string } }[] }).errors
  return [error?.['error-info'].code, error?.['error-message']]
}

test('members are listed with their status, and narrowed like any list', async (t) => {
  const { ask } = openApp()
  t.deepEqual((await ask('GET', `${path}?fields=name,oper-status`)).json(), [
    { name: 'bavaria-aggregator', 'oper-status': 'enrolled' },
    { name: 'shop-1-a', 'oper-status': 'enrolled' },
    { name: 'shop-1-b', 'oper-status': 'expected' },
    { 'oper-status': 'waiting' },
    { 'oper-status': 'duplicate' },
  ])
  t.deepEqual((await ask('GET', `${path}?count=true`)).json(), { count: 5 })
})

test('a token is made for a host that nobody is yet', async (t) => {
  const { ask } = openApp()
  t.deepEqual((await ask('POST', `${path}/shop-1-b/token`)).json(), {
    name: 'shop-1-b',
    token: 'token-1-of-shop-1-b',
  })
  const taken = await ask('POST', `${path}/shop-1-a/token`)
  t.is(taken.status, 409)
  t.deepEqual(messageOf(taken)[0], 'already-enrolled')
  const unknown = await ask('POST', `${path}/shop-1-c/token`)
  t.is(unknown.status, 404)
  t.regex(String(messageOf(unknown)[1]), /did you mean shop-1-[ab]\?/)
})

test('a waiting key is claimed by its fingerprint or its host-id, and is enrolled from then on', async (t) => {
  for (const who of [`fingerprint: ${key('c')}`, 'host-id: SN-2']) {
    const { ask } = openApp()
    const claimed = await ask('POST', `${path}/claim`, { body: `${who}\nname: shop-1-b\n` })
    t.is(claimed.status, 200, claimed.text)
    const view = claimed.json() as { 'oper-status': string; fingerprint: string; site: string }
    t.deepEqual([view['oper-status'], view.fingerprint, view.site], ['enrolled', key('c'), 'shop-1'])
    t.deepEqual((await ask('GET', `${path}?count=true`)).json(), { count: 4 })
    t.is((await ask('POST', `${path}/shop-1-b/token`)).status, 409)
  }
})

test('a claim names one caller and one host, in the form they have', async (t) => {
  const { ask } = openApp()
  for (const [body, words] of [
    ['name: shop-1-b\n', /either fingerprint or host-id/],
    [`fingerprint: ${key('c')}\nhost-id: SN-2\nname: shop-1-b\n`, /either fingerprint or host-id/],
    [`fingerprint: ${key('C')}\nname: shop-1-b\n`, /fingerprint: must be 64 lower-case hexadecimal digits/],
    ['host-id: "S N"\nname: shop-1-b\n', /host-id: must be a host-id/],
    ['host-id: SN-2\nname: Shop\n', /name: must be a name/],
    ['host-id: SN-2\nname: shop-1-b\nforce: true\n', /force/],
  ] as const) {
    const refused = await ask('POST', `${path}/claim`, { body })
    t.is(refused.status, 400, body)
    t.regex(refused.text, words)
  }
})

test('a host, a site or a zone is blocked and allowed again, one at a time', async (t) => {
  const { ask } = openApp()
  const statuses = async (op: 'block' | 'allow', body: string) =>
    ((await ask('POST', `${path}/${op}`, { body })).json() as { name: string; 'oper-status': string }[]).map(
      (one) => `${one.name} ${one['oper-status']}`,
    )
  t.deepEqual(await statuses('block', 'site: shop-1'), ['shop-1-a blocked', 'shop-1-b blocked'])
  t.deepEqual(await statuses('allow', 'host: shop-1-a'), ['shop-1-a enrolled'])
  t.deepEqual(await statuses('allow', 'host: shop-1-b'), ['shop-1-b expected'])
  t.deepEqual(await statuses('block', 'zone: /de/bavaria'), ['bavaria-aggregator blocked'])
  t.is((await ask('POST', `${path}/allow`, { body: 'site: shop-1' })).status, 409)
  for (const body of ['{}', 'host: shop-1-a\nsite: shop-1\n', 'zone: /\n', 'zone: de\n', 'network: demo\n'])
    t.is((await ask('POST', `${path}/block`, { body })).status, 400, body)
})

test('beyond a border what is there and what is not are refused alike', async (t) => {
  const { ask } = openApp()
  const refusals = await Promise.all([
    ask('GET', `${path}?zone=/de/bavaria`),
    ask('POST', `${path}/munich-1-a/token?zone=/de/bavaria`),
    ask('POST', `${path}/no-such-host/token?zone=/de/bavaria`),
    ask('POST', `${path}/block?zone=/de/bavaria`, { body: 'site: munich-1' }),
  ])
  for (const refused of refusals) {
    t.is(refused.status, 403)
    t.deepEqual(messageOf(refused), ['beyond-border', 'beyond here /de/bavaria answers'])
  }
  t.is((await ask('GET', `${path}?zone=de`)).status, 400)
})

test('the zone that is to answer is passed on to every call', async (t) => {
  const services = createMemoryServices()
  const zones: unknown[] = []
  const noting = async (...given: readonly unknown[]) => {
    zones.push((given.at(-1) as AskedMember).zone)
    return [] as never
  }
  const members: MemberServices = { list: noting, token: noting, claim: noting, block: noting, allow: noting }
  const { ask } = openApp({ ...services, members })
  const bodies = { claim: 'host-id: SN-2\nname: shop-1-b\n', block: 'host: a', allow: 'host: a' }
  for (const query of ['?zone=/north', '']) {
    await ask('GET', `${path}${query}`)
    await ask('POST', `${path}/shop-1-b/token${query}`)
    for (const [op, body] of Object.entries(bodies)) await ask('POST', `${path}/${op}${query}`, { body })
  }
  t.deepEqual(zones, [...Array(5).fill('/north'), ...Array(5).fill(undefined)])
})

test('two sites are compared by name', async (t) => {
  const { ask } = openApp()
  t.deepEqual((await ask('GET', '/v1/state/site-diff?a=shop-1&b=shop-1')).json(), {
    a: 'shop-1',
    b: 'shop-1',
    differences: [],
  })
  t.is((await ask('GET', '/v1/state/site-diff?a=shop-1&b=shop-9')).status, 404)
  t.regex((await ask('GET', '/v1/state/site-diff?a=shop-1')).text, /parameter b is missing: the second site/)
})
