import { createHash } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { sampleApplication, samplePlace } from './sample-config.ts'
import { byHostName, spreadInstances } from './spread.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

const hostNames = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/), { minLength: 1, maxLength: 12 })
const replicas = fc.integer({ min: 0, max: 40 })
const placed = (count: number, hosts: readonly string[]) =>
  spreadInstances(sampleApplication({}, { replicas: count }), samplePlace('n1', hosts), hash)

const loads = (instances: readonly { host: string }[], hosts: readonly string[]) =>
  hosts.map((host) => instances.filter((instance) => instance.host === host).length)

test('every instance is on exactly one host of the site, numbered from 1', (t) => {
  fc.assert(
    fc.property(replicas, hostNames, (count, hosts) => {
      const instances = placed(count, hosts)
      t.deepEqual(
        instances.map(({ id }) => id),
        Array.from({ length: count }, (_, at) => `shop.web-${at + 1}`),
      )
      t.true(instances.every(({ host }) => hosts.includes(host)))
    }),
  )
})

test('no host runs two more instances than another', (t) => {
  fc.assert(
    fc.property(replicas, hostNames, (count, hosts) => {
      const load = loads(placed(count, hosts), hosts)
      t.true(Math.max(...load) - Math.min(...load) <= 1)
    }),
  )
})

test('the order in which hosts are listed does not matter', (t) => {
  fc.assert(
    fc.property(replicas, hostNames, fc.nat(), (count, hosts, turn) => {
      const at = turn % hosts.length
      const turned = [...hosts.slice(at), ...hosts.slice(0, at)].toReversed()
      t.deepEqual(placed(count, turned), placed(count, hosts))
    }),
  )
})

test('more replicas move none of those that are there', (t) => {
  fc.assert(
    fc.property(replicas, hostNames, (count, hosts) => {
      t.deepEqual(placed(count + 1, hosts).slice(0, count), placed(count, hosts))
    }),
  )
})

test('several services do not all begin at the same host', (t) => {
  const hosts = ['h1', 'h2', 'h3', 'h4']
  const first = new Set(
    Array.from({ length: 20 }, (_, at) => {
      const spec = sampleApplication({ name: `shop-${at}` })
      return spreadInstances(spec, samplePlace('n1', hosts), hash)[0]?.host
    }),
  )
  t.true(first.size > 1)
})

test('one-per-matching-host puts one on each host, counted as a person counts', (t) => {
  const spec = sampleApplication({}, { mode: 'one-per-matching-host' })
  t.deepEqual(
    spreadInstances(spec, samplePlace('n1', ['h10', 'h2', 'h1']), hash).map(({ id, host }) => `${id} ${host}`),
    ['shop.web-1 h1', 'shop.web-2 h2', 'shop.web-3 h10'],
  )
})

test('a site without hosts runs nothing', (t) => {
  t.deepEqual(placed(3, []), [])
})

test('the order of host names is one order', (t) => {
  const anyName = fc.stringMatching(/^[a-z0-9-]{1,6}$/)
  fc.assert(
    fc.property(anyName, anyName, anyName, (a, b, c) => {
      t.is(Math.sign(byHostName(a, b)) + Math.sign(byHostName(b, a)), 0)
      t.is(byHostName(a, b) === 0, a === b)
      if (byHostName(a, b) <= 0 && byHostName(b, c) <= 0) t.true(byHostName(a, c) <= 0)
    }),
    { numRuns: 2_000 },
  )
})
