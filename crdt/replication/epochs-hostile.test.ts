import test from 'ava'
import { blockListKind, sealRecord } from '../authority/index.ts'
import { epochLimits } from '../lane/index.ts'
import { type ReplicationGuards, replicationGuards } from './index.ts'
import { createPipe } from './link-pipe.contract.ts'
import { encodeMessage, type Message } from './message.ts'
import { createPendingBases } from './pending-bases.ts'
import {
  createNode,
  keyNamed,
  lanes,
  network,
  peerOf,
  powers,
  quiet,
  records,
  type SceneNode,
} from './replication-scene.contract.ts'

const idOf = (node: SceneNode) => node.documents.idOf(lanes.parent)!

/** A child that holds a sealed lane of the tower, and a peer above it that says what it likes. */
const attacked = async (guards: ReplicationGuards = replicationGuards) => {
  const tower = await createNode('tower')
  await tower.create(lanes.parent, 'tower')
  await tower.put(lanes.parent, 'tower', { 'host/a': 1 })
  const blocks = sealRecord(
    blockListKind,
    { network, issuer: null, number: 1, keys: [keyNamed('tower-2').keyId], sites: [], tenants: [] },
    [keyNamed('root')],
    powers,
  )
  const child = await createNode('north', { guards }, [...Object.values(records), blocks])
  const pipe = createPipe()
  const up = child.replicator.serve(pipe.right, peerOf('tower', '/north'))
  const down = tower.replicator.serve(pipe.left, peerOf('north', '/north', { recordsFor: '/north' }))
  await Promise.race([up.inSync, quiet(60)])
  await quiet()
  pipe.cut()
  down.stop()
  await quiet()
  const hostile = createPipe({ windowBytes: Infinity })
  const session = child.replicator.serve(hostile.right, peerOf('tower', '/north'))
  await quiet()
  const say = async (...messages: readonly Message[]) => {
    for (const message of messages) await hostile.left.send(encodeMessage(message)).catch(() => {})
    await quiet()
  }
  return { tower, child, say, refused: () => Object.fromEntries(session.counts().refused) }
}

test('maySeal: a seal that a blocked key signed is refused, and taken without the guard', async (t) => {
  for (const guards of [replicationGuards, { ...replicationGuards, maySeal: () => true }]) {
    const { tower, child, say, refused } = await attacked(guards)
    t.is(child.documents.epochOf(idOf(tower))?.epoch, 1)
    const owner = tower.book.ownerAt('/', 'zone')!
    await tower.documents.seal(idOf(tower), { owner, signer: keyNamed('tower-2') })
    const bytes = (await tower.documents.genesisOf(idOf(tower)))!
    await say({ kind: 'genesis', bytes })
    const isGuarded = guards === replicationGuards
    t.is(child.documents.epochOf(idOf(tower))?.epoch, isGuarded ? 1 : 2)
    t.is(refused()['not-enough-signatures'], isGuarded ? 1 : undefined)
  }
})

test('a base that nobody asked for, is not in order, of another genesis or too large is not gathered', (t) => {
  const bases = createPendingBases(epochLimits.stateBytes)
  const pending = { documentId: 'aa', genesis: 'g1', bytes: Uint8Array.of(1) }
  const part = (at: number, size: number, change: object = {}) =>
    bases.add({ kind: 'base', documentId: 'aa', genesis: 'g1', total: 10, at, bytes: new Uint8Array(size), ...change })
  t.is(part(0, 5), 'unasked')
  bases.put(pending)
  t.is(part(5, 5), 'unasked')
  t.is(part(0, 5, { genesis: 'g2' }), 'unasked')
  t.is(part(0, 5, { total: epochLimits.stateBytes + 1 }), 'unasked')
  t.is(part(0, 5), undefined)
  t.is(part(6, 4), 'unasked')
  t.is(part(5, 5, { total: 11 }), 'unasked')
  const whole = part(5, 5)
  t.is(typeof whole === 'object' ? whole.base.length : 0, 10)
  t.is(part(0, 5), 'unasked')
  // Each genesis is asked for once.
  bases.put(pending)
  t.deepEqual(
    bases.toAsk(() => false),
    ['aa'],
  )
  t.deepEqual(
    bases.toAsk(() => false),
    [],
  )
  bases.put({ ...pending, genesis: 'g3' })
  t.deepEqual(
    bases.toAsk(() => true),
    [],
  )
})
