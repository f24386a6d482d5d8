import test from 'ava'
import fc from 'fast-check'
import type { ObservedHost } from './containers.ts'
import { isSameHost } from './is-same-host.ts'
import { hostRunning, sampleApplication } from './sample-desired.ts'

const host = hostRunning(sampleApplication())
const [container] = host.containers

test('a host that was listed twice is the same, whatever objects say so', (t) => {
  t.true(isSameHost(host, host))
  t.true(isSameHost(structuredClone(host), host))
})

test('what is another, more, less or in another order is not the same', (t) => {
  const others: readonly ObservedHost[] = [
    { ...host, containers: [] },
    { ...host, containers: [...host.containers, { ...container!, id: 'another' }] },
    { ...host, containers: host.containers.map((one) => ({ ...one, state: 'exited' as const })) },
    { ...host, containers: host.containers.map((one) => ({ ...one, exitCode: 1 })) },
    { ...host, containers: host.containers.map((one) => ({ ...one, owner: { ...one.owner, instance: 'other' } })) },
    { ...host, networks: [] },
    { ...host, images: host.images.map((one) => ({ ...one, digest: 'other' })) },
  ]
  for (const [n, other] of others.entries()) {
    t.false(isSameHost(host, other), `${n}`)
    t.false(isSameHost(other, host), `${n}`)
  }
})

test('it holds for two lists what holds for their texts', (t) => {
  const items = fc.array(
    fc.record({ id: fc.constantFrom('a', 'b'), exitCode: fc.option(fc.nat(1), { nil: undefined }) }),
    {
      maxLength: 3,
    },
  )
  fc.assert(
    fc.property(items, items, (a, b) => {
      const of = (containers: unknown) => ({ ...host, containers }) as ObservedHost
      t.is(isSameHost(of(a), of(b)), JSON.stringify(a) === JSON.stringify(b))
    }),
  )
})
