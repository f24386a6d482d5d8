import test from 'ava'
import fc from 'fast-check'
import { canonicalState, isAhead, type LaneState, parseState, sealLimits, stateHash, whySeal } from './index.ts'
import { createLaneBase } from './lane-base.ts'
import { createLaneReplica } from './lane-replica.ts'
import { entryText, hexOf, intentLane, laneScene, memberLane } from './lane-scene.ts'
import { sortValues } from './state-hash.ts'

const { powers, epoch, signers } = laneScene()

const memberState: fc.Arbitrary<LaneState> = fc
  .record({
    values: fc.dictionary(
      fc.stringMatching(/^[a-z][a-z0-9-]{0,8}(\/[A-Za-z0-9]{1,8})?$/),
      fc.array(
        fc.oneof(
          fc.string(),
          fc.boolean(),
          fc.integer(),
          fc.integer({ min: -400, max: 400 }).map((n) => n / 8),
        ),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      { maxKeys: 6 },
    ),
    n: fc.nat(),
  })
  .map(({ values, n }) => ({
    lane: memberLane,
    values: new Map(Object.entries(values).map(([key, found]) => [key, sortValues(found)])),
    fence: { generation: 1, n },
  }))

const baseEpoch = (lane = memberLane) => ({
  ...epoch,
  lane,
  epoch: 2,
  base: { genesis: epoch.id, heads: [], state: hexOf('state', 32) },
  place: { ...epoch.place, epoch: 2 },
})

test('a state reads back as it was written, and an epoch that begins with it comes to it, as Automerge merges too', (t) => {
  fc.assert(
    fc.property(memberState, (state) => {
      const read = parseState(canonicalState(state), memberLane, powers.hash)
      if (!read.ok) return false
      const replica = createLaneReplica({ epoch: baseEpoch(), powers, base: state })
      const found = replica.state()
      const same = found.ok && canonicalState(found.state) === canonicalState(state)
      return (
        same &&
        canonicalState(read.state) === canonicalState(state) &&
        canonicalState(replica.laneState()) === canonicalState(state)
      )
    }),
    { numRuns: 60 },
  )
  t.pass()
})

test('a float that Automerge does not keep to the last digit makes no lane unreadable', (t) => {
  const state = { lane: memberLane, values: new Map([['a', [1.4854156460667777e84]]]), fence: { generation: 1, n: 0 } }
  const replica = createLaneReplica({ epoch: baseEpoch(), powers, base: state })
  t.true(replica.state().ok)
  t.is(replica.stateHash(), stateHash(replica.laneState(), powers.hash))
})

test('the changes of a base are the same for every holder, and others for another genesis', (t) => {
  fc.assert(
    fc.property(memberState, fc.nat(), (state, seed) => {
      const shuffled = [...state.values].toSorted(([a], [b]) => ((a.length * seed) % 7) - ((b.length * seed) % 7))
      const [one, two] = [state, { ...state, values: new Map(shuffled) }].map((given) =>
        createLaneBase(epoch.id, given, powers.hash),
      )
      const other = createLaneBase(hexOf('another', 32), state, powers.hash)
      return one!.root === two!.root && one!.root !== other.root
    }),
    { numRuns: 60 },
  )
  t.pass()
})

test('what is not a state in its one form is none, and one of a newer format says so', (t) => {
  const state = {
    lane: intentLane,
    values: new Map([[hexOf('a', 16), sortValues([entryText({ n: 1 })])]]),
    fence: { generation: 1, n: 1 },
  }
  const text = canonicalState(state)
  const codeOf = (given: string) => {
    const read = parseState(given, intentLane, powers.hash)
    return read.ok ? 'ok' : read.refusal.code
  }
  t.is(codeOf(text), 'ok')
  t.is(codeOf(text.replace('"_v":1', '"_v":2')), 'newer-format')
  for (const bent of [
    '',
    '{}',
    '[]',
    ` ${text}`,
    text.replace('"fence":[1,1]', '"fence":[1]'),
    text.replace('{"_v"', '{"x":1,"_v"'),
  ])
    t.is(codeOf(bent), 'bad-state', bent)
  t.is(parseState(text, memberLane, powers.hash).ok, false)
  t.is(stateHash(state, powers.hash).length, 64)
})

test('a lane is sealed when it is large or its writers change, and not before', (t) => {
  const wanted = { generation: 1, writers: epoch.place.writers.keys() }
  const load = { epoch, count: 3, sizeBytes: 900 }
  const keys = [...epoch.place.writers.keys()]
  t.is(whySeal(load, { generation: 1, writers: keys }), undefined)
  t.is(whySeal(load, wanted), undefined)
  t.is(whySeal({ ...load, count: sealLimits.changes }, { generation: 1, writers: keys }), 'changes')
  t.is(whySeal({ ...load, sizeBytes: sealLimits.sizeBytes }, { generation: 1, writers: keys }), 'bytes')
  t.is(whySeal(load, { generation: 2, writers: keys }), 'keys')
  t.is(whySeal(load, { generation: 1, writers: keys.slice(1) }), 'keys')
  t.is(whySeal(load, { generation: 1, writers: [...keys, 'another'] }), 'keys')
  t.is(signers.length, keys.length)
})

test('of any two epochs of a document one goes before the other, and of any three the same one', (t) => {
  const rank = fc.record({
    generation: fc.integer({ min: 1, max: 3 }),
    epoch: fc.integer({ min: 1, max: 3 }),
    id: fc.constantFrom('a', 'b', 'c'),
  })
  fc.assert(
    fc.property(rank, rank, rank, (a, b, c) => {
      const isSame = JSON.stringify(a) === JSON.stringify(b)
      const isTotal = isAhead(a, b) !== isAhead(b, a) || (isSame && !isAhead(a, b))
      const isTransitive = !(isAhead(a, b) && isAhead(b, c)) || isAhead(a, c)
      return isTotal && isTransitive
    }),
  )
  t.true(isAhead({ generation: 2, epoch: 2, id: 'z' }, { generation: 1, epoch: 900, id: 'a' }))
})
