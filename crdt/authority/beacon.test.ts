import test from 'ava'
import { acceptBeacon, type Beacon, type BeaconState, beaconKind, staleForMs } from './beacon.ts'
import { sealRecord } from './record.ts'
import { acceptFirstRoot } from './root.ts'
import { firstRoot, idNamed, keyNamed, networkId, powers } from './world.contract.ts'

const first = acceptFirstRoot(firstRoot, networkId, powers)
const beacon = (counter: number, change: Partial<Beacon> = {}, signer = 'beacon') =>
  sealRecord(
    beaconKind,
    { network: networkId, counter, timeMs: 5, generations: { [idNamed('/de')]: 2 }, blockList: null, ...change },
    [keyNamed(signer)],
    powers,
  )
const accept = (next: ReturnType<typeof beacon>, held?: BeaconState, root = first) => {
  if (!root.ok) throw new Error(root.refusal.message)
  const result = acceptBeacon(next, held, root.root, powers)
  return result.ok ? result.state : result.refusal.code
}
const held = accept(beacon(3, { blockList: { number: 4, id: 'ab'.repeat(32) } })) as BeaconState

test('a beacon of the key the root names goes on from the one before', (t) => {
  t.is(held.counter, 3)
  const next = accept(beacon(7, { generations: { [idNamed('/fr')]: 1 }, blockList: held.blockList }), held)
  t.like(next, { counter: 7 })
  t.deepEqual(
    [...(next as BeaconState).generations],
    [
      [idNamed('/de'), 2],
      [idNamed('/fr'), 1],
    ],
    'what an older one said is kept',
  )
})

test('a beacon of anyone else, an older one and a rival are refused', (t) => {
  t.is(accept(beacon(4, {}, 'root'), held), 'not-enough-signatures')
  t.is(accept(beacon(4, { network: 'ab'.repeat(32) }), held), 'wrong-network')
  t.is(accept(beacon(2), held), 'stale')
  t.is(accept(beacon(3, { timeMs: 6 }), held), 'rival')
  t.is(
    first.ok && accept(beacon(4), held, { ok: true, root: { ...first.root, beacon: null } }),
    'not-enough-signatures',
  )
})

test('no beacon takes back a generation or a block list', (t) => {
  const blockList = held.blockList
  t.is(accept(beacon(4, { generations: { [idNamed('/de')]: 1 }, blockList }), held), 'stale')
  t.is(accept(beacon(4, { blockList: null }), held), 'stale')
  t.is(accept(beacon(4, { blockList: { number: 3, id: 'ab'.repeat(32) } }), held), 'stale')
  t.like(accept(beacon(4, { blockList: { number: 5, id: 'cd'.repeat(32) } }), held), { counter: 4 })
})

test('authority goes stale by this node’s monotonic clock', (t) => {
  t.is(staleForMs(1_000, 1_500, 600), undefined)
  t.is(staleForMs(1_000, 1_600, 600), undefined)
  t.is(staleForMs(1_000, 1_900, 600), 300)
})
