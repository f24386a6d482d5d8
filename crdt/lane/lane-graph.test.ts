import test from 'ava'
import fc from 'fast-check'
import { createDigest } from '../digest/index.ts'
import { defaultLanePolicy, effective } from '../effective/index.ts'
import type { Envelope } from '../envelope/index.ts'
import { createLaneReplica, createParking, type LaneReplica, laneViewOf, validSet } from './index.ts'
import { craft, edit, entryText, hexOf, laneScene, shop } from './lane-scene.ts'

const scene = laneScene()
const { epoch, powers } = scene
const applications = [shop, hexOf('bakery', 16)]
const runs = { numRuns: 60 }

/** What three writers do, cut off from each other or not. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      at: fc.nat(2),
      application: fc.nat(1),
      skip: fc.nat(3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('meet' as const), at: fc.nat(2), to: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fork' as const), at: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('low fence' as const), at: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bad pred' as const), at: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), at: fc.nat(2) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const nextText = (replica: LaneReplica, decision: string, skip = 0) =>
  entryText({ n: replica.summary().fence.n + 1 + skip, decision: hexOf(decision, 16) })

/** Something an entitled key signs that no honest program would, on top of what a replica holds. */
const misdeed = (
  kind: 'fork' | 'low fence' | 'bad pred',
  replica: LaneReplica,
  at: number,
  count: number,
): Envelope => {
  const heads = replica.graph.state().heads()
  const writer = scene.writer(at, kind === 'fork' ? 'forked' : `bad ${count}`)
  const startOp = 1 + heads.reduce((most, { change }) => Math.max(most, change.header.maxOp), 0)
  const text =
    kind === 'low fence' ? entryText({ n: 1, decision: hexOf(`m${count}`, 16) }) : nextText(replica, `m${count}`)
  const replaces = (replica.standing().get(shop) ?? []).map(({ id }) => id)
  return craft(scene, writer, {
    seq: 1,
    startOp,
    deps: heads.map(({ change }) => change.header.hash).slice(0, 16),
    puts: [{ key: shop, value: text, replaces: kind === 'bad pred' ? [] : replaces }],
  })
}

/** Plays the steps and gives every envelope that was ever signed. */
const play = (steps: readonly Step[]): readonly Envelope[] => {
  const replicas = [0, 1, 2].map(() => createLaneReplica({ epoch, powers }))
  const lives = [0, 0, 0]
  const made: Envelope[] = []
  const give = (replica: LaneReplica, envelopes: readonly Envelope[]) => {
    for (const envelope of envelopes) replica.receive(envelope)
  }
  for (const [count, one] of steps.entries()) {
    const replica = replicas[one.at]!
    if (one.kind === 'restart') lives[one.at]! += 1
    else if (one.kind === 'meet')
      give(replicas[one.to]!, [...replica.graph.valid(), ...replica.graph.unused().map(({ envelope }) => envelope)])
    else if (one.kind === 'write') {
      const edits = edit(nextText(replica, `w${count}`, one.skip), applications[one.application]!)
      const written = replica.author(edits, scene.writer(one.at, `life ${lives[one.at]}`))
      if (written.ok) made.push(...written.envelopes)
    } else {
      const envelope = misdeed(one.kind, replica, one.at, count)
      made.push(envelope)
      replica.receive(envelope)
    }
  }
  for (const replica of replicas) replica.free()
  return made
}

const shuffled = (envelopes: readonly Envelope[], ranks: readonly number[]) =>
  envelopes
    .flatMap((envelope, at) => [
      { envelope, rank: ranks[(2 * at) % ranks.length]! },
      { envelope, rank: ranks[(2 * at + 1) % ranks.length]! },
    ])
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ envelope }) => envelope)

/** All that replicas have to agree on, as text. */
const shown = (replica: LaneReplica): string => {
  const digest = createDigest({ networkId: epoch.networkId, scope: '/de', audience: '/' }, powers.hash)
  digest.put(replica.summary())
  const state = replica.state()
  return JSON.stringify({
    valid: replica.graph.valid().map(({ hash }) => hash),
    unused: replica.graph.unused().map(({ envelope, status }) => [envelope.hash, status]),
    equivocations: replica.graph.equivocations(),
    summary: replica.summary(),
    state: state.ok ? [...state.state.values] : state.quarantine,
    stateHash: replica.stateHash(),
    effective: [...effective([laneViewOf(replica, replica.standing())!], defaultLanePolicy)],
    digest: digest.root(),
  })
}

test('any order, repetition and interleaving gives the same valid set, state, effective state and digest', (t) => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(), { minLength: 97, maxLength: 97 }),
      fc.array(fc.nat(), { minLength: 89, maxLength: 89 }),
      (steps, ranks, others) => {
        const made = play(steps)
        const texts = [made, made.toReversed(), shuffled(made, ranks), shuffled(made, others)].map((order) => {
          const replica = createLaneReplica({ epoch, powers })
          for (const envelope of order) replica.receiveBytes(envelope.bytes)
          const text = shown(replica)
          replica.free()
          return text
        })
        if (texts.some((text) => text.includes('"mismatch"') || text.includes('"trap"'))) throw new Error(texts[0])
        return new Set(texts).size === 1
      },
    ),
    runs,
  )
  t.pass()
})

test('what a replica came to step by step is the valid set of all it was given', (t) => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(), { minLength: 97, maxLength: 97 }),
      (steps, ranks) => {
        const made = shuffled(play(steps), ranks)
        const replica = createLaneReplica({ epoch, powers })
        for (const envelope of made) replica.receive(envelope)
        const whole = validSet(epoch, made, powers.hash)
        return (
          JSON.stringify(whole.valid.map(({ hash }) => hash)) ===
            JSON.stringify(replica.graph.valid().map(({ hash }) => hash)) &&
          JSON.stringify(whole.heads) === JSON.stringify(replica.summary().heads) &&
          JSON.stringify(whole.equivocations) === JSON.stringify(replica.graph.equivocations()) &&
          whole.excluded.length + whole.parked.length === replica.graph.unused().length
        )
      },
    ),
    runs,
  )
  t.pass()
})

test('every valid change has a writer of the epoch and stands on valid changes alone', (t) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const { valid, excluded } = validSet(epoch, play(steps), powers.hash)
      const replica = createLaneReplica({ epoch, powers })
      for (const envelope of valid) replica.receive(envelope)
      const out = new Set(excluded.map(({ envelope }) => envelope))
      return (
        replica.graph.unused().length === 0 &&
        valid.every(({ author, hash }) => epoch.place.writers.has(author) && !out.has(hash))
      )
    }),
    runs,
  )
  t.pass()
})

test('of a cut, what is inside counts and the rest is late, in any order', (t) => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 2, maxLength: 30 }),
      fc.nat(),
      fc.array(fc.nat(), { minLength: 97, maxLength: 97 }),
      (steps, pick, ranks) => {
        const made = play(steps)
        const open = validSet(epoch, made, powers.hash)
        const upTo = open.valid.slice(0, pick % (open.valid.length + 1))
        const { heads } = validSet(epoch, upTo, powers.hash)
        const sealed = validSet(epoch, shuffled(made, ranks), powers.hash, { cut: heads })
        const again = validSet(epoch, made, powers.hash, { cut: heads })
        const inside = new Set(sealed.valid.map(({ hash }) => hash))
        const all = new Set(made.map(({ hash }) => hash))
        return (
          JSON.stringify(sealed) === JSON.stringify(again) &&
          JSON.stringify([...inside]) === JSON.stringify(upTo.map(({ hash }) => hash)) &&
          sealed.late.length + inside.size === all.size &&
          sealed.late.every((hash) => !inside.has(hash)) &&
          sealed.wanted.length === 0
        )
      },
    ),
    runs,
  )
  t.pass()
})

test('a sealed epoch stays as its seal says when a proof comes to light later', (t) => {
  const a = createLaneReplica({ epoch, powers })
  const honest = a.author(edit(entryText({ n: 1 })), scene.writer(0))
  if (!honest.ok) return t.fail(honest.refusal.message)
  const [envelope] = honest.envelopes
  const rival = craft(scene, scene.writer(0), {
    seq: 1,
    startOp: 1,
    deps: [],
    puts: [{ key: shop, value: entryText({ n: 2 }), replaces: [] }],
  })
  const open = validSet(epoch, [envelope!, rival], powers.hash)
  t.deepEqual(open.valid, [])
  t.deepEqual(
    open.excluded.map(({ exclusion }) => exclusion.code),
    ['equivocation', 'equivocation'],
  )
  const sealed = validSet(epoch, [rival, envelope!], powers.hash, { cut: [envelope!.hash] })
  t.deepEqual(
    sealed.valid.map(({ hash }) => hash),
    [envelope!.hash],
  )
  t.deepEqual(sealed.late, [rival.hash])
  t.deepEqual(
    sealed.equivocations.map(({ envelopes }) => envelopes),
    [[envelope!.hash, rival.hash].toSorted()],
  )
  t.deepEqual(validSet(epoch, [rival], powers.hash, { cut: [envelope!.hash] }).wanted, [envelope!.hash])
})

test('envelopes without their dependencies are parked within bounds and counted beyond', (t) => {
  const parking = createParking({ authorCount: 5, authorBytes: 10_000, totalBytes: 20_000 })
  const replica = createLaneReplica({ epoch, powers, parking })
  const source = createLaneReplica({ epoch, powers })
  const made: Envelope[] = []
  for (let n = 1; n <= 10; n++) {
    const written = source.author(edit(entryText({ n })), scene.writer(0))
    if (written.ok) made.push(...written.envelopes)
  }
  const [first, ...rest] = made
  const answers = rest.map((envelope) => replica.receive(envelope).kind)
  t.deepEqual(answers, [...Array(5).fill('held'), ...Array(4).fill('dropped')])
  t.is(parking.droppedTotal(), 4)
  const other = craft(scene, scene.writer(1), { seq: 2, startOp: 9, deps: ['ab'.repeat(32)], puts: [] })
  t.is(replica.receive(other).kind, 'held')
  t.is(replica.receive(first!).kind, 'held')
  t.is(replica.graph.valid().length, 6)
  for (const envelope of rest) replica.receive(envelope)
  t.is(replica.graph.valid().length, 10)
  t.is(replica.stateHash(), source.stateHash())
  // A replica dropped from memory gives back the room it took.
  const tight = createParking({ authorCount: 1, authorBytes: 10_000, totalBytes: 10_000 })
  const short = createLaneReplica({ epoch, powers, parking: tight })
  t.is(short.receive(made[5]!).kind, 'held')
  t.false(tight.take(made[5]!.author, 'another', 1))
  short.close()
  t.true(tight.take(made[5]!.author, 'another', 1))
})

test('room is bounded in bytes and over all authors, and is given back', (t) => {
  const parking = createParking({ authorCount: 10, authorBytes: 100, totalBytes: 150 })
  t.true(parking.take('a', '1', 60))
  t.true(parking.take('a', '1', 60))
  t.false(parking.take('a', '2', 60))
  t.true(parking.take('b', '3', 80))
  t.false(parking.take('c', '4', 20))
  parking.release('a', '1')
  parking.release('a', '1')
  t.true(parking.take('c', '4', 70))
  t.is(parking.droppedTotal(), 2)
})
