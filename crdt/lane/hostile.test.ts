import * as Automerge from 'automerge'
import test from 'ava'
import { actorOf, type Envelope, sealEnvelope } from '../envelope/index.ts'
import { createLaneReplica, laneGuards, maxFenceStep, validSet } from './index.ts'
import { craft, edit, entryText, hexOf, intentLane, laneScene, localLane, memberLane, shop } from './lane-scene.ts'

const scene = laneScene()
const { epoch, powers } = scene
const put = (text: string, replaces: readonly string[] = [], key = shop) => ({ key, value: text, replaces })

/** Honest history that the attacks build on: one entry by the first writer. */
const source = createLaneReplica({ epoch, powers })
const [honest] = (() => {
  const written = source.author(edit(entryText({ n: 5 })), scene.writer(0))
  if (!written.ok) throw new Error(written.refusal.message)
  return written.envelopes
})() as [Envelope]
const [standing] = source.standing().get(shop)!
const dep = source.graph.state().heads()[0]!.change.header.hash
const evil = scene.writer(1, 'evil')
const onTop = { seq: 1, startOp: 2, deps: [dep] }
const bakery = hexOf('bakery', 16)
const aside = craft(scene, evil, { seq: 1, startOp: 1, deps: [], puts: [put(entryText({ n: 1 }), [], bakery)] })
const stranger = `1@${hexOf('nobody', 16)}`

/** What an entitled key can sign, with the guard that alone stops it and what it says. */
const attacks: readonly {
  title: string
  guard: keyof typeof laneGuards
  code: string
  before?: Envelope
  envelope: Envelope
}[] = [
  {
    title: 'a change that counts its operations from far ahead',
    guard: 'startOp',
    code: 'bad-start-op',
    envelope: craft(scene, evil, { ...onTop, startOp: 15_000_000, puts: [put(entryText({ n: 6 }), [standing!.id])] }),
  },
  {
    title: 'a change that skips a number of its actor',
    guard: 'line',
    code: 'broken-line',
    envelope: craft(scene, evil, { ...onTop, seq: 3, puts: [put(entryText({ n: 6 }), [standing!.id])] }),
  },
  {
    title: 'a change that knows an entry and stands beside it',
    guard: 'predecessors',
    code: 'bad-predecessors',
    envelope: craft(scene, evil, { ...onTop, puts: [put(entryText({ n: 6 }))] }),
  },
  {
    title: 'a change that replaces what it never knew',
    guard: 'predecessors',
    code: 'bad-predecessors',
    before: aside,
    envelope: craft(scene, evil, {
      seq: 2,
      startOp: 2,
      deps: [Automerge.decodeChange(aside.change).hash],
      puts: [put(entryText({ n: 6 }), [standing!.id])],
    }),
  },
  {
    title: 'a change that replaces an operation of nobody',
    guard: 'predecessors',
    code: 'bad-predecessors',
    envelope: craft(scene, evil, { seq: 1, startOp: 2, deps: [dep], puts: [put(entryText({ n: 6 }), [stranger])] }),
  },
  {
    title: 'an entry with a lower fence than the one it replaces',
    guard: 'fence',
    code: 'bad-fence',
    envelope: craft(scene, evil, { ...onTop, puts: [put(entryText({ n: 3 }), [standing!.id])] }),
  },
  {
    title: 'an entry with the fence of the one it replaces',
    guard: 'fence',
    code: 'bad-fence',
    envelope: craft(scene, evil, {
      ...onTop,
      puts: [put(entryText({ n: 5, decision: hexOf('x', 16) }), [standing!.id])],
    }),
  },
  {
    title: 'an entry of a generation the epoch does not have',
    guard: 'fence',
    code: 'bad-fence',
    envelope: craft(scene, evil, {
      ...onTop,
      puts: [put(entryText({ n: 6, fence: { generation: 4_000_000_000, n: 1 } }), [standing!.id])],
    }),
  },
  {
    title: 'an entry that uses up all counts at once',
    guard: 'fence',
    code: 'bad-fence',
    envelope: craft(scene, evil, { ...onTop, puts: [put(entryText({ n: 6 + maxFenceStep }), [standing!.id])] }),
  },
]

for (const { title, guard, code, before, envelope } of attacks)
  test(`${guard}: ${title} does not count, and counts without the guard`, (t) => {
    const good = before === undefined ? [honest] : [honest, before]
    const guarded = validSet(epoch, [...good, envelope], powers.hash)
    t.is(guarded.valid.length, good.length)
    t.deepEqual(
      guarded.excluded.map(({ envelope: hash, exclusion }) => [hash, exclusion.code]),
      [[envelope.hash, code]],
    )
    const guards = Object.entries(laneGuards).flatMap(([name, other]) => (name === guard ? [] : [other]))
    t.is(validSet(epoch, [...good, envelope], powers.hash, { guards }).valid.length, good.length + 1)
  })

test('what stands on an excluded change does not count either, whoever wrote it', (t) => {
  const [{ envelope }] = attacks.slice(-1) as [(typeof attacks)[number]]
  const loose = createLaneReplica({ epoch, powers })
  loose.receive(honest)
  loose.receive(envelope)
  const hash = Automerge.decodeChange(envelope.change).hash
  const after = craft(scene, scene.writer(0, 'later'), { seq: 1, startOp: 3, deps: [hash], puts: [] })
  for (const order of [
    [honest, envelope, after],
    [after, envelope, honest],
  ]) {
    const found = validSet(epoch, order, powers.hash)
    t.deepEqual(found.valid, [honest])
    t.deepEqual(found.excluded.map(({ exclusion }) => exclusion.code).toSorted(), ['bad-fence', 'dependency'])
  }
})

test('without the guard of predecessors a change brings Automerge down; the document alone pays', (t) => {
  const [, , , , { envelope }] = attacks as readonly [unknown, unknown, unknown, unknown, (typeof attacks)[number]]
  const doc = Automerge.init({ actor: '00'.repeat(16) })
  t.throws(() => Automerge.applyChanges(doc, [honest.change, envelope.change]), { any: true })
  const replica = createLaneReplica({ epoch, powers })
  replica.receive(envelope)
  replica.receive(honest)
  t.true(replica.state().ok)
})

/** A change Automerge itself makes of what a person might assign. */
const shaped = (of: ReturnType<typeof laneScene>, write: (doc: Record<string, unknown>) => void): Envelope => {
  const { signer, incarnation } = of.writer(1)
  const { networkId, documentId, epoch: number } = of.epoch
  const actor = actorOf({ documentId, epoch: number, author: signer.keyId, incarnation }, of.powers.hash)
  const doc = Automerge.change(Automerge.init<Record<string, unknown>>({ actor }), { time: 0 }, write)
  const change = Automerge.getLastLocalChange(doc)!
  Automerge.free(doc)
  return sealEnvelope({ networkId, documentId, epoch: number, incarnation, seq: 1, change }, signer, of.powers)
}

test('texts, lists, maps, counters, dates, bytes, nothing and deletes do not count', (t) => {
  const members = laneScene(memberLane)
  const codes = [
    (doc: Record<string, unknown>) => Object.assign(doc, { host: 'a text' }),
    (doc: Record<string, unknown>) => Object.assign(doc, { host: ['a'] }),
    (doc: Record<string, unknown>) => Object.assign(doc, { host: new Array(20_000).fill(null) }),
    (doc: Record<string, unknown>) => Object.assign(doc, { host: { a: 1 } }),
    (doc: Record<string, unknown>) => Object.assign(doc, { host: new Automerge.Counter(1) }),
    (doc: Record<string, unknown>) => Object.assign(doc, { host: new Date(5) }),
    (doc: Record<string, unknown>) => Object.assign(doc, { host: new Uint8Array(3) }),
    (doc: Record<string, unknown>) => Object.assign(doc, { host: null }),
    (doc: Record<string, unknown>) => Object.assign(doc, { Host: true }),
    (doc: Record<string, unknown>) => Object.assign(doc, { 'host/../x': true }),
    (doc: Record<string, unknown>) => Object.assign(doc, { host: new Automerge.ImmutableString('x'.repeat(16_385)) }),
  ].map((write) => validSet(members.epoch, [shaped(members, write)], powers.hash))
  t.deepEqual(
    codes.filter(({ valid }) => valid.length > 0),
    [],
  )
  const good = shaped(members, (doc) =>
    Object.assign(doc, { host: true, n: 1, at: new Automerge.ImmutableString('x') }),
  )
  t.is(validSet(members.epoch, [good], powers.hash).valid.length, 1)
})

test('a delete does not count: only an entry that says retired takes an application away', (t) => {
  const { signer, incarnation } = evil
  const { networkId, documentId } = epoch
  const actor = actorOf({ documentId, epoch: 1, author: signer.keyId, incarnation }, powers.hash)
  const change = Automerge.encodeChange({
    actor,
    seq: 1,
    startOp: 2,
    time: 0,
    message: null,
    deps: [dep],
    ops: [{ action: 'del', obj: '_root', key: shop, pred: [standing!.id] }],
  } as unknown as Parameters<typeof Automerge.encodeChange>[0])
  const envelope = sealEnvelope({ networkId, documentId, epoch: 1, incarnation, seq: 1, change }, signer, powers)
  const found = validSet(epoch, [honest, envelope], powers.hash)
  t.deepEqual(
    found.excluded.map(({ exclusion }) => exclusion.code),
    ['unsupported-shape'],
  )
})

test('an envelope of another lane, epoch or network, or of a stranger, is refused', (t) => {
  const other = laneScene(localLane, 3, 'another')
  const replica = createLaneReplica({ epoch: other.epoch, powers: other.powers })
  const refused = replica.receiveBytes(honest.bytes)
  t.is(refused.kind === 'refused' ? refused.refusal.code : refused.kind, 'wrong-document')
  const few = laneScene(intentLane, 1)
  const narrow = createLaneReplica({ epoch: few.epoch, powers })
  const outsider = craft(scene, scene.writer(2), { seq: 1, startOp: 1, deps: [], puts: [] })
  const unentitled = narrow.receiveBytes(outsider.bytes)
  t.is(unentitled.kind === 'refused' ? unentitled.refusal.code : unentitled.kind, 'not-a-writer')
  t.deepEqual(validSet(few.epoch, [outsider], powers.hash).valid, [])
  t.deepEqual(validSet({ ...epoch, epoch: 2, place: { ...epoch.place, epoch: 2 } }, [honest], powers.hash).valid, [])
})

test('two changes with one number are a proof: neither counts, nor what stands on them, in any order', (t) => {
  const rival = craft(scene, scene.writer(0), { seq: 1, startOp: 1, deps: [], puts: [put(entryText({ n: 9 }))] })
  const after = craft(scene, evil, { ...onTop, puts: [put(entryText({ n: 6 }), [standing!.id])] })
  for (const order of [
    [honest, after, rival],
    [rival, honest, after],
    [after, rival, honest],
  ]) {
    const replica = createLaneReplica({ epoch, powers })
    for (const envelope of order) {
      replica.receive(envelope)
      t.true(replica.state().ok)
    }
    t.deepEqual(replica.graph.valid(), [])
    t.deepEqual(
      replica.graph.equivocations().map(({ envelopes }) => envelopes),
      [[honest.hash, rival.hash].toSorted()],
    )
    t.is(replica.standing().size, 0)
  }
})

test('a flood of envelopes that do not count stays within the room of its author, and a proof still gets in', (t) => {
  const replica = createLaneReplica({ epoch, powers })
  replica.receive(honest)
  const kinds = Array.from(
    { length: 400 },
    (_, at) =>
      replica.receive(craft(scene, scene.writer(1, `life ${at}`), { seq: 7, startOp: 1, deps: [], puts: [] })).kind,
  )
  t.is(kinds.filter((kind) => kind === 'held').length, 256)
  t.is(kinds.filter((kind) => kind === 'dropped').length, 144)
  const own = replica.author(edit(entryText({ n: 6 })), scene.writer(1))
  if (!own.ok) return t.fail(own.refusal.message)
  const rival = craft(scene, scene.writer(1), { ...onTop, puts: [put(entryText({ n: 8 }), [standing!.id])] })
  t.is(replica.receive(rival).kind, 'held')
  t.is(replica.graph.equivocations().length, 1)
  t.deepEqual(replica.graph.valid(), [honest])
})
