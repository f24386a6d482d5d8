import test from 'ava'
import { createLog } from '../../base/index.ts'
import { nodeHash } from '../authority/index.ts'
import { sealEnvelope } from '../envelope/index.ts'
import { sealGenesis } from '../lane/index.ts'
import { ReplicationError, type ReplicationGuards, replicationGuards, replicationLimits } from './index.ts'
import { createPipe } from './link-pipe.contract.ts'
import { decodeMessage, encodeMessage, type Message } from './message.ts'
import {
  createNode,
  idNamed,
  keyNamed,
  lanes,
  makeList,
  network,
  peerOf,
  powers,
  quiet,
  type SceneNode,
} from './replication-scene.contract.ts'

type Options = Parameters<typeof createNode>[1]

/** A tower that serves a peer at `/north` which says what it likes. */
const attacked = async (options: Options = {}, change: Parameters<typeof peerOf>[2] = {}) => {
  const tower = await createNode('tower', options)
  for (const lane of [lanes.intent, lanes.parent, lanes.south]) await tower.create(lane, 'tower')
  await tower.put(lanes.parent, 'tower', { 'host/a1': 'here' })
  await tower.put(lanes.south, 'tower', { secret: 'of the south' })
  const pipe = createPipe({ windowBytes: Infinity })
  const session = tower.replicator.serve(pipe.left, peerOf('north', '/north', { recordsFor: '/north', ...change }))
  await quiet()
  return {
    tower,
    pipe,
    session,
    say: async (...messages: readonly (Message | Uint8Array)[]) => {
      for (const message of messages)
        await pipe.right.send(message instanceof Uint8Array ? message : encodeMessage(message)).catch(() => {})
      await quiet()
    },
    /** What the tower said after the first meeting. */
    heard: () =>
      pipe.passed
        .filter(({ from }) => from === 'left')
        .slice(1)
        .map(({ bytes }) => bytes),
    refused: () => Object.fromEntries(session.counts().refused),
  }
}

const without = (name: keyof ReplicationGuards): Options => ({
  guards: { ...replicationGuards, [name]: () => true },
})
const idIn = (node: SceneNode, lane: Parameters<SceneNode['create']>[0]) => node.documents.idOf(lane) ?? ''

/** A lane that was begun elsewhere by its owner, with a change in it. */
const foreign = async () => {
  const elsewhere = await createNode('north', { seed: 5 })
  const documentId = await elsewhere.create(lanes.member, 'north')
  await elsewhere.put(lanes.member, 'north', { 'host/x': true })
  const envelopes = await elsewhere.documents.envelopes(
    documentId,
    new Set(await elsewhere.documents.hashes(documentId)),
  )
  const genesis = (await elsewhere.documents.genesisOf(documentId))!
  return { documentId, genesis, envelopes }
}

test('mayBring: a lane the peer may not bring is refused, and taken without the guard', async (t) => {
  const { documentId, genesis, envelopes } = await foreign()
  const messages: readonly Message[] = [
    { kind: 'genesis', bytes: genesis },
    { kind: 'envelopes', documentId, envelopes },
  ]
  const guarded = await attacked()
  await guarded.say(...messages)
  t.is(guarded.tower.documents.epochOf(documentId), undefined)
  t.deepEqual(guarded.refused(), { forbidden: 1, 'unknown-document': 1 })
  const open = await attacked(without('mayBring'))
  await open.say(...messages)
  t.is((await open.tower.documents.hashes(documentId)).length, 1)
})

test('mayBring: envelopes of a lane that is held are refused from a peer that may not bring it', async (t) => {
  const source = await attacked()
  const documentId = idIn(source.tower, lanes.parent)
  const genesis = (await source.tower.documents.genesisOf(documentId))!
  const other = await createNode('tower', { seed: 9 })
  await other.documents.takeGenesis(genesis, other.book.ownerAt('/', 'zone')!, 'x')
  await other.put(lanes.parent, 'tower-2', { 'host/b': 1 })
  const envelopes = await other.documents.envelopes(documentId, new Set(await other.documents.hashes(documentId)))
  for (const [options, held] of [
    [{}, 1],
    [without('mayBring'), 2],
  ] as const) {
    const { tower, say } = await attacked(options, { mayBring: () => false })
    t.is(idIn(tower, lanes.parent), documentId)
    await say({ kind: 'envelopes', documentId, envelopes })
    t.is((await tower.documents.hashes(documentId)).length, held)
  }
})

const holding = (documentId: string, hashes?: readonly string[]) =>
  hashes === undefined ? ({ documentId, state: 'absent' } as const) : ({ documentId, state: 'whole', hashes } as const)

test('mayRead: unknown, forbidden and absent documents have one answer; without the guard it would tell', async (t) => {
  const probe = async (documentId: (tower: SceneNode) => string, options?: Options) => {
    const { tower, say, heard } = await attacked(options)
    const id = documentId(tower)
    await say({ kind: 'have', isLast: true, holdings: [holding(id)] })
    await say({ kind: 'want', isLast: false, holdings: [holding(id)] })
    await say({ kind: 'have', isLast: true, holdings: [holding(id, ['11'.repeat(32)])] })
    await say({ kind: 'want', isLast: false, holdings: [holding(id, [])] })
    return heard().map((bytes) => Buffer.from(bytes).toString('hex').replaceAll(id, 'ID'))
  }
  const forbidden = (tower: SceneNode) => idIn(tower, lanes.south)
  // Of the link's own scope, but not for this peer.
  const unknown = () => 'ab'.repeat(16)
  const answers = await probe(unknown)
  t.is(answers.length, 2)
  t.deepEqual(await probe(forbidden), answers)
  const closed = { guards: { ...replicationGuards, mayRead: () => false } }
  const own = (tower: SceneNode) => idIn(tower, lanes.parent)
  t.deepEqual(await probe(own, closed), answers)
  t.notDeepEqual(await probe(own, without('mayRead')), answers)
  t.true(
    (await probe(own, without('mayRead'))).some((text) => text.startsWith('0104')),
    'the genesis left',
  )
})

test('mayGive: records from below are refused, and believed without the guard', async (t) => {
  const list = makeList('/north/inner', ['inner'], 'north')
  const message: Message = { kind: 'records', isLast: true, records: [list.bytes] }
  const guarded = await attacked()
  await guarded.say(message, { kind: 'record-ids', ids: [] })
  t.is(guarded.tower.book.ownerAt('/north/inner', 'zone'), undefined)
  t.deepEqual(guarded.refused(), { unasked: 1 })
  const open = await attacked(without('mayGive'))
  await open.say(message)
  t.not(open.tower.book.ownerAt('/north/inner', 'zone'), undefined)
})

test('mayAsk: a peer that meets, compares or probes in a loop is answered so often and no more', async (t) => {
  const meets = Array.from(
    { length: 200 },
    (_, at): Message => ({
      kind: 'meet',
      round: at + 2,
      root: '11'.repeat(32),
      records: '22'.repeat(32),
      gives: false,
      again: true,
    }),
  )
  const probes = Array.from(
    { length: 200 },
    (): Message => ({ kind: 'have', isLast: true, holdings: [holding('cd'.repeat(16), [])] }),
  )
  for (const messages of [meets, probes]) {
    const guarded = await attacked()
    await guarded.say(...messages)
    t.true(guarded.heard().length <= replicationLimits.answers, `${guarded.heard().length} answers`)
    t.true((guarded.refused()['too-often'] ?? 0) >= 200 - replicationLimits.answers)
    const open = await attacked(without('mayAsk'))
    await open.say(...messages)
    t.true(open.heard().length >= 200)
  }
})

test('after it was asked too often, an end meets again by itself when time has passed', async (t) => {
  const { tower, say, heard } = await attacked()
  await say(...Array.from({ length: 100 }, (): Message => ({ kind: 'have', isLast: true, holdings: [] })))
  const before = heard().length
  tower.clock.advance(replicationLimits.answerEveryMs * replicationLimits.answers)
  await quiet()
  const kinds = heard()
    .slice(before)
    .map((bytes) => decodeMessage(bytes))
    .map((read) => read.ok && read.message.kind)
  t.deepEqual(kinds, ['meet'])
})

/** A peer that takes nothing for a while. */
const slowPeer = async (options: Options) => {
  const tower = await createNode('tower', { limits: { ...replicationLimits, outboxBytes: 4_000 }, ...options })
  const child = await createNode('north')
  await tower.create(lanes.parent, 'tower')
  const pipe = createPipe()
  let release = () => {}
  let gate = Promise.resolve()
  const slow = {
    ...pipe.left,
    send: async (message: Uint8Array) => {
      await gate
      await pipe.left.send(message)
    },
  }
  const down = tower.replicator.serve(slow, peerOf('north', '/north', { recordsFor: '/north' }))
  const up = child.replicator.serve(pipe.right, peerOf('tower', '/north'))
  await Promise.all([down.inSync, up.inSync])
  gate = new Promise((resolve) => {
    release = resolve
  })
  for (let n = 0; n < 60; n++) await tower.put(lanes.parent, 'tower', { count: n })
  const before = pipe.passed.length
  release()
  await quiet(40)
  const told = [await child.told(), await tower.told()] as const
  return {
    told,
    waited: pipe.passed.slice(before).filter(({ from }) => from === 'left').length,
    refused: down.counts().refused,
  }
}

test('fits: what waits for a slow peer is dropped when it is too much, and a meeting makes up for it', async (t) => {
  const guarded = await slowPeer({})
  t.true((guarded.refused.get('slow') ?? 0) > 0)
  t.true(guarded.waited < 40, `${guarded.waited} messages`)
  const open = await slowPeer(without('fits'))
  t.is(open.refused.get('slow'), undefined)
  t.true(open.waited >= 59)
  for (const { told } of [guarded, open]) t.deepEqual(told[0], told[1])
})

/** Envelopes that are none for this place, each with what it is refused as. Offsets are those of docs/adr/0010-envelopes.md. */
const forgeries = (documentId: string, at = 0): Readonly<Record<string, Uint8Array>> => {
  const signer = keyNamed('tower-2')
  const incarnation = idNamed(`life ${at}`)
  const fields = { networkId: network, documentId, epoch: 1, incarnation, seq: 1, change: Uint8Array.of(1, 2, 3) }
  const seal = (change: Partial<typeof fields>, by = signer) => sealEnvelope({ ...fields, ...change }, by, powers).bytes
  const spoil = (bytes: Uint8Array, offset: number) => {
    const spoiled = Uint8Array.from(bytes)
    spoiled[offset] = (spoiled[offset] ?? 0) ^ 1
    return spoiled
  }
  const newer = seal({})
  newer[0] = 2
  return {
    'bad-signature': spoil(seal({}), 125),
    'forged-actor': spoil(seal({}), 101),
    'not-a-writer': seal({}, keyNamed('north')),
    'wrong-network': seal({ networkId: '77'.repeat(32) }),
    'wrong-document': seal({ documentId: '77'.repeat(16) }),
    'wrong-epoch': seal({ epoch: 2 }),
    'bad-length': seal({}).subarray(0, 100),
    'newer-format': newer,
  }
}

test('forged envelopes and those of another network, epoch or document are refused by their codes', async (t) => {
  const { tower, say, refused } = await attacked()
  const documentId = idIn(tower, lanes.parent)
  const all = forgeries(documentId)
  const before = await tower.told()
  await say({ kind: 'envelopes', documentId, envelopes: Object.values(all) })
  t.deepEqual(refused(), Object.fromEntries(Object.keys(all).map((code) => [code, 1])))
  t.deepEqual(await tower.told(), before)
})

test('mayErr: a flood of forgeries ends the session, and goes on for ever without the guard', async (t) => {
  const flood = (documentId: string): readonly Message[] =>
    Array.from({ length: 30 }, (_, n) => ({
      kind: 'envelopes',
      documentId,
      envelopes: Array.from({ length: 50 }, (__, at) => forgeries(documentId, 50 * n + at)['bad-signature']!),
    }))
  const guarded = await attacked()
  await guarded.say(...flood(idIn(guarded.tower, lanes.parent)))
  await t.throwsAsync(guarded.session.done, { instanceOf: ReplicationError, code: 'too-many-refused' })
  const open = await attacked(without('mayErr'))
  await open.say(...flood(idIn(open.tower, lanes.parent)))
  await quiet(60)
  t.is(open.refused()['bad-signature'], 1_500)
})

test('a flood of envelopes that wait for others stays in the room of its author', async (t) => {
  const { tower, say, refused } = await attacked()
  const documentId = idIn(tower, lanes.parent)
  const source = await createNode('tower', { seed: 21 })
  await source.documents.takeGenesis(
    (await tower.documents.genesisOf(documentId))!,
    source.book.ownerAt('/', 'zone')!,
    'x',
  )
  for (let n = 0; n < 300; n++) await source.put(lanes.parent, 'tower-2', { count: n })
  const all = await source.documents.envelopes(documentId, new Set(await source.documents.hashes(documentId)))
  // Without the first one none of them counts.
  await say({ kind: 'envelopes', documentId, envelopes: all.slice(1) })
  t.is((await tower.documents.hashes(documentId)).length, 1 + 256)
  t.is(refused().dropped, 300 - 1 - 256)
})

const garbage: Readonly<Record<string, Uint8Array>> = {
  'nothing at all': new Uint8Array(),
  noise: nodeHash.sha256(Buffer.from('noise')).fill(1, 0, 1),
  'an unknown kind': Uint8Array.of(1, 99),
  'a meeting that is cut short': Uint8Array.of(1, 0, 0, 0),
  'a count of four thousand million hashes': Uint8Array.of(1, 2, 1, ...new Uint8Array(16), 1, 255, 255, 255, 255),
  'an envelope longer than its message': Uint8Array.of(1, 5, ...new Uint8Array(16), 255, 255, 255, 255, 1),
  'meetings that run away': encodeMessage({
    kind: 'meet',
    round: 0xffffffff,
    root: '11'.repeat(32),
    records: '11'.repeat(32),
    gives: false,
    again: false,
  }),
}

for (const [name, bytes] of Object.entries(garbage))
  test(`${name}: ends that session in words, and disturbs no other`, async (t) => {
    const { tower, say, session } = await attacked()
    const other = await createNode('north-2')
    const pipe = createPipe()
    const down = tower.replicator.serve(pipe.left, peerOf('north-2', '/north', { recordsFor: '/north' }))
    const up = other.replicator.serve(pipe.right, peerOf('tower', '/north'))
    await say(bytes)
    await t.throwsAsync(session.done, { instanceOf: ReplicationError, code: 'bad-message' })
    await Promise.all([down.inSync, up.inSync])
    await tower.put(lanes.parent, 'tower', { 'host/a1': 'after' })
    await quiet()
    t.deepEqual(
      Object.keys(await other.told()),
      Object.keys(await tower.told((lane) => lane.kind !== 'tenant' && lane.scope === '/north')),
    )
    t.deepEqual([...down.counts().refused], [])
  })

test('a newer version of replication ends the session and says to update', async (t) => {
  const { say, session } = await attacked()
  await say(Uint8Array.of(3, 0))
  await t.throwsAsync(session.done, { code: 'newer-format', message: /update this node/ })
})

test('a refusal is logged once for each peer and code', async (t) => {
  const lines: string[] = []
  const log = createLog(({ message, fields }) => lines.push(`${fields.code}: ${message}`))
  const { tower, say } = await attacked({ log })
  const documentId = idIn(tower, lanes.parent)
  for (let n = 0; n < 5; n++)
    await say({ kind: 'envelopes', documentId, envelopes: [forgeries(documentId, n)['bad-signature']!] })
  t.is(lines.filter((line) => line.startsWith('bad-signature')).length, 1)
})

test('a lane of an owner nobody here knows, or of a generation that is gone, is refused in words', async (t) => {
  const { tower, say, refused } = await attacked({}, { mayBring: () => true })
  const generations = [
    makeList('/', ['tower', 'tower-2'], 'root', { generation: 2 }),
    makeList('/', ['tower-2'], 'root', { generation: 3 }),
  ].map(({ bytes }) => bytes)
  const begin = (documentId: string, change: { owner?: string; generation?: number }) => {
    const owner = { ...tower.book.ownerAt('/', 'zone')!, ...(change.owner === undefined ? {} : { id: change.owner }) }
    const named = { ...owner, generation: change.generation ?? owner.generation }
    return sealGenesis(
      { networkId: network, documentId, lane: lanes.intent, owner: named },
      [keyNamed('tower')],
      powers,
    ).bytes
  }
  await say({ kind: 'genesis', bytes: begin('01'.repeat(16), { owner: idNamed('nobody') }) })
  await say({ kind: 'genesis', bytes: begin('02'.repeat(16), { generation: 2 }) })
  t.deepEqual(tower.missing, [idNamed('nobody'), idNamed('/')])
  await tower.book.take(generations)
  await say({ kind: 'genesis', bytes: begin('03'.repeat(16), { generation: 1 }) })
  await say({ kind: 'genesis', bytes: Uint8Array.of(1, 2, 3) })
  t.deepEqual(refused(), { 'unknown-owner': 2, 'not-enough-signatures': 1, 'bad-length': 1 })
})
