import test from 'ava'
import { rerouted, withDetours } from './detours.ts'

const nodes = [
  { name: 'tower', parents: [] },
  { name: 'north', parents: ['tower'] },
  { name: 'n1-a', parents: ['north'] },
]
const detours = (given: readonly string[], before = {}, chosen = nodes) => withDetours(before, given, nodes, chosen)

test('a detour counts until another is given, or the straight way', (t) => {
  const first = detours(['north=127.0.0.1:9000', 'n1-a=[::1]:65535'])
  t.deepEqual(first, { north: '127.0.0.1:9000', 'n1-a': '[::1]:65535' })
  t.deepEqual(detours([], first), first)
  t.deepEqual(detours(['north=proxy.example:1'], first), { north: 'proxy.example:1', 'n1-a': '[::1]:65535' })
  t.deepEqual(detours(['north=direct'], first), { 'n1-a': '[::1]:65535' })
})

test('only nodes whose way changed are started anew', (t) => {
  const before = detours(['north=127.0.0.1:9000'])
  t.deepEqual(rerouted(before, detours(['north=127.0.0.1:9000'], before), nodes), [])
  t.deepEqual(rerouted(before, detours(['n1-a=127.0.0.1:9001'], before), nodes), [nodes[2]])
  t.deepEqual(rerouted(before, detours(['north=direct'], before), nodes), [nodes[1]])
})

for (const [given, why] of [
  [['north'], /names no node and no address/],
  [['=127.0.0.1:9000'], /names no node and no address/],
  [['north='], /nothing is no address/],
  [['north=127.0.0.1'], /127\.0\.0\.1 is no address/],
  [['north=127.0.0.1:0'], /is no address/],
  [['north=127.0.0.1:65536'], /is no address/],
  [['north=ws://127.0.0.1:9000'], /is no address/],
  [['north=::1:9000'], /is no address/],
  [['tower=127.0.0.1:9000'], /tower has no parent to reach/],
  [['nord=127.0.0.1:9000'], /nord is no node of this tree; it has tower, north, n1-a/],
  [['north=127.0.0.1:9000', 'north=direct'], /north is given twice/],
] as const)
  test(`a detour is refused with the reason: ${given.join(' ')}`, (t) => {
    t.throws(() => detours(given), { message: why })
  })

test('a detour of a node that is not started now is refused, so that it does not count some day', (t) => {
  t.throws(() => detours(['north=127.0.0.1:9000'], {}, [{ name: 'n1-a', parents: ['north'] }]), {
    message: /north is not started by this command/,
  })
})
