import test from 'ava'
import { certificatesKept, entitled, type HeldLane, type HeldStore, sameEverywhere, written } from './store-judge.ts'

const lane = (fields: Partial<HeldLane> = {}): HeldLane => ({
  lane: 'member/.north.n1',
  envelopes: ['a', 'b'],
  fence: '1.2',
  entries: '[]',
  faults: [],
  ...fields,
})
const store = (node: string, fields: Partial<HeldStore> = {}): HeldStore => ({
  node,
  lanes: [lane()],
  damaged: [],
  certificate: { id: 'c', number: 1, fromMs: 0 },
  ...fields,
})

test('stores whose envelopes all count and are the same have nothing wrong with them', (t) => {
  const stores = [store('tower'), store('n1-a')]
  t.deepEqual(entitled(stores), { compared: 4, broken: [] })
  t.deepEqual(sameEverywhere(stores), { compared: 1, broken: [] })
  t.deepEqual(written(stores, stores), { compared: 2, broken: [] })
  t.deepEqual(certificatesKept(stores, stores), { compared: 2, broken: [] })
})

test('an envelope of nobody entitled and a damaged document are told', (t) => {
  const faulty = store('tower', { lanes: [lane({ faults: ['b by no key of the owner'] })], damaged: ['d'] })
  t.deepEqual(entitled([faulty]).broken, [
    'tower lost something of d',
    'tower, member/.north.n1: b by no key of the owner',
  ])
})

test('replicas that differ in envelopes, fence or what stands are told', (t) => {
  const differs = (other: Partial<HeldLane>) =>
    sameEverywhere([store('tower'), store('n1-a', { lanes: [lane(other)] })]).broken
  const words = 'member/.north.n1 differs between tower and n1-a:'
  t.deepEqual(differs({ envelopes: ['a'] }), [`${words} 2 and 1 envelopes`])
  t.deepEqual(differs({ envelopes: ['a', 'x'] }), [`${words} 2 and 2 envelopes`])
  t.deepEqual(differs({ fence: '1.3' }), [`${words} fences 1.2 and 1.3`])
  t.deepEqual(differs({ entries: '[1]' }), [`${words} what stands`])
})

test('a lane that one store alone holds is nothing to compare', (t) => {
  t.is(sameEverywhere([store('tower'), store('n1-a', { lanes: [] })]).compared, 0)
})

test('whatever is written at rest is told: an envelope, a fence, a lane', (t) => {
  const before = [store('tower')]
  const wrote = (lanes: readonly HeldLane[]) => written(before, [store('tower', { lanes })]).broken
  t.is(wrote([lane({ envelopes: ['a', 'b', 'c'] })]).length, 1)
  t.is(wrote([lane({ fence: '1.3' })]).length, 1)
  t.deepEqual(wrote([lane(), lane({ lane: 'zone/.north/parent' })]), [
    'tower, zone/.north/parent: not there became fence 1.2, 2 envelopes',
  ])
  t.is(wrote([]).length, 1)
})

test('another certificate than before is told, and none', (t) => {
  const first = [store('n1-a')]
  const kept = (certificate: HeldStore['certificate']) =>
    certificatesKept(first, [store('n1-a', { certificate })]).broken
  t.deepEqual(kept({ id: 'd', number: 2, fromMs: 0 }), ['n1-a had certificate 1 and has 2'])
  t.deepEqual(kept(undefined), ['n1-a had certificate 1 and has none'])
})
