import test from 'ava'
import { defaultLanePolicy, effective } from '../effective/index.ts'
import { createLaneReplica, laneViewOf } from './index.ts'
import { edit, entryText, laneScene, localLane, memberLane, shop } from './lane-scene.ts'

const scene = laneScene()
const { epoch, powers } = scene
const replicaOf = (of = epoch) => createLaneReplica({ epoch: of, powers })

test('what one replica writes another reads, from bytes alone', (t) => {
  const a = replicaOf()
  const b = replicaOf()
  const written = a.author(edit(entryText({ n: 1 })), scene.writer(0))
  if (!written.ok) return t.fail(written.refusal.message)
  t.deepEqual(
    written.envelopes.map(({ bytes }) => b.receiveBytes(bytes).kind),
    ['held'],
  )
  t.deepEqual(b.state(), a.state())
  t.is(b.stateHash(), a.stateHash())
  t.deepEqual(b.summary(), { ...a.summary(), fence: { generation: 1, n: 1 } })
  a.free()
  b.free()
})

test('entries that do not know each other both stand, and one that knows both replaces them', (t) => {
  const a = replicaOf()
  const b = replicaOf()
  const one = a.author(edit(entryText({ n: 1 })), scene.writer(0))
  const two = b.author(edit(entryText({ n: 2 })), scene.writer(1))
  if (!one.ok || !two.ok) return t.fail('not written')
  for (const { bytes } of one.envelopes) b.receiveBytes(bytes)
  for (const { bytes } of two.envelopes) a.receiveBytes(bytes)
  t.true(a.state().ok)
  t.is(a.stateHash(), b.stateHash())
  const viewOf = (replica: typeof a) => laneViewOf(replica, replica.standing())
  const before = effective([viewOf(a)!], defaultLanePolicy).get(shop)
  t.is(before?.kind, 'conflict')
  const three = a.author(edit(entryText({ n: 3 })), scene.writer(0))
  if (!three.ok) return t.fail(three.refusal.message)
  for (const { bytes } of three.envelopes) b.receiveBytes(bytes)
  const after = effective([viewOf(b)!], defaultLanePolicy).get(shop)
  t.is(after?.kind === 'entry' ? after.entry.fence.n : 0, 3)
  t.is(a.stateHash(), b.stateHash())
  t.deepEqual(a.state(), b.state())
})

test('a lane of fields holds strings, numbers and booleans', (t) => {
  const members = laneScene(memberLane)
  const a = createLaneReplica({ epoch: members.epoch, powers: members.powers })
  const edits = new Map<string, string | number | boolean>([
    ['host/h1', 'x'],
    ['parents', 2],
    ['share', 0.5],
    ['open', true],
  ])
  t.true(a.author(edits, members.writer(0)).ok)
  const state = a.state()
  t.deepEqual(state.ok && [...state.state.values], [
    ['host/h1', ['x']],
    ['open', [true]],
    ['parents', [2]],
    ['share', [0.5]],
  ])
  t.is(laneViewOf(a, a.standing()), undefined)
  const again = a.author(edits, members.writer(0))
  t.is(again.ok ? '' : again.refusal.code, 'no-change')
})

test('nothing is signed that would not count', (t) => {
  const a = replicaOf()
  const write = (text: string, application = shop) => {
    const result = a.author(edit(text, application), scene.writer(0))
    return result.ok ? 'written' : result.refusal.code
  }
  t.is(write(entryText({ n: 5 })), 'written')
  t.is(write(entryText({ n: 4 })), 'bad-fence')
  t.is(write(entryText({ n: 6, fence: { generation: 2, n: 6 } })), 'bad-fence')
  t.is(write('{}'), 'bad-entry')
  t.is(write(entryText({ n: 6 }), 'shop'), 'unknown-key')
  const stranger = powers.signatures.signer(new Uint8Array(32).fill(99))
  const refused = a.author(edit(entryText({ n: 6 })), { ...scene.writer(0), signer: stranger })
  t.is(refused.ok ? '' : refused.refusal.code, 'not-a-writer')
  t.is(write(entryText({ n: 6 })), 'written')
  t.is(a.graph.valid().length, 2)
})

test('an author joins heads when a change could not stand on all of them', (t) => {
  const a = replicaOf()
  for (let at = 0; at < 40; at++) {
    const lone = replicaOf()
    const result = lone.author(edit(entryText({ n: at + 1 })), scene.writer(1, `life ${at}`))
    if (!result.ok) return t.fail(result.refusal.message)
    a.receive(result.envelopes[0]!)
  }
  t.is(a.summary().heads.length, 40)
  const settled = a.author(edit(entryText({ n: 100 })), scene.writer(0))
  if (!settled.ok) return t.fail(settled.refusal.message)
  t.true(settled.envelopes.length > 1)
  t.is(a.summary().heads.length, 1)
  t.is(a.standing().get(shop)?.length, 1)
  t.true(a.state().ok)
})

test('a document whose Automerge traps is quarantined and reported, and comes back when it is made anew', (t) => {
  let broken = true
  const trap = () => {
    if (broken) throw new Error('unreachable')
  }
  const local = laneScene(localLane)
  const a = createLaneReplica({
    epoch: local.epoch,
    powers: local.powers,
    document: () => ({ apply: trap, heads: () => [], values: () => new Map(), free: trap }),
  })
  const other = createLaneReplica({ epoch: local.epoch, powers: local.powers })
  const written = a.author(edit(entryText({ n: 1 })), local.writer(0))
  if (!written.ok) return t.fail(written.refusal.message)
  other.receive(written.envelopes[0]!)
  const trapped = a.state()
  t.is(trapped.ok ? '' : trapped.quarantine.code, 'trap')
  t.is(a.stateHash(), undefined)
  t.true(other.state().ok)
  broken = false
  t.false(a.state().ok)
  a.free()
  const differs = a.state()
  t.is(differs.ok ? '' : differs.quarantine.code, 'mismatch')
})
