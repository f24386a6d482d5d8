import test from 'ava'
import { againstPeer, alone, besidePeer, median, stated, unmeasured, withoutPeer } from './bench-row.ts'

test('the median is the middle, or the mean of the two in the middle', (t) => {
  t.is(median([9, 1, 5]), 5)
  t.is(median([4, 1, 2, 100]), 3)
  t.throws(() => median([]), { instanceOf: RangeError })
})

test('the ratio is ours over the peer, judged unrounded', (t) => {
  t.like(againstPeer('ctr', 'ms', 0.8, { ours: [800, 900, 700], peer: [1000] }), { ratio: 0.8, holds: true })
  t.like(againstPeer('ctr', 'ms', 0.8, { ours: [800.4], peer: [1000] }), { ratio: 0.8, holds: false })
})

test('a peer that cannot run never lets the bar hold', (t) => {
  const row = withoutPeer('podman', 'ms', 0.8, [1], 'podman is not installed')
  t.like(row, { peer: null, ratio: null, holds: false, why: 'podman is not installed' })
  t.is(withoutPeer('podman', 'ms', 0.8, [], 'no root').ours, null)
})

test('without a peer the bar is on ours, and a stated figure has none', (t) => {
  t.true(alone('ready', 'ms', 1000, [999, 1000, 2000]).holds)
  t.false(alone('ready', 'ms', 1000, [1001]).holds)
  t.like(stated('rss-node', 'MiB', [40]), { bar: null, holds: true, ours: 40 })
})

test('beside a peer without a bar the ratio is only stated', (t) => {
  t.like(besidePeer('etcd', 's', { ours: [9], peer: [3] }), { ours: 9, peer: 3, ratio: 3, bar: null, holds: true })
  t.like(withoutPeer('etcd', 's', null, [9], 'no etcd'), { ours: 9, peer: null, bar: null, holds: false })
})

test('what could not be measured holds no bar', (t) => {
  t.like(unmeasured('rss-edge-anon', 'MB', 75, 'no /proc'), { ours: null, bar: 75, holds: false, why: 'no /proc' })
})
