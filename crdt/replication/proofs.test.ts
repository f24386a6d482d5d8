import test from 'ava'
import { createPipe } from './link-pipe.contract.ts'
import { decodeMessage } from './message.ts'
import { createNode, lanes, peerOf, quiet, type SceneNode } from './replication-scene.contract.ts'

/** Lets two nodes meet until both have come to rest. @returns kinds of the messages that passed */
const meet = async (parent: SceneNode, child: SceneNode): Promise<readonly string[]> => {
  const pipe = createPipe()
  parent.replicator.serve(pipe.left, peerOf(child.name, '/north', { recordsFor: '/north' }))
  child.replicator.serve(pipe.right, peerOf(parent.name, '/north'))
  await quiet(50)
  pipe.cut()
  await quiet(3)
  return pipe.passed.map(({ bytes }) => {
    const read = decodeMessage(bytes)
    return read.ok ? read.message.kind : read.refusal.code
  })
}

/** Two changes of the second key of the owner with one number, each on what `from` holds. */
const twice = async (from: SceneNode, seed: number) => {
  const write = async (value: string) => {
    const copy = await createNode('tower-2', { seed })
    await meet(from, copy)
    const result = await copy.put(lanes.parent, 'tower-2', { 'host/twice': value })
    return result?.ok ? result.envelopes.map(({ bytes }) => bytes) : []
  }
  return [await write(`one ${seed}`), await write(`other ${seed}`)] as const
}

/** A tower with a lane, and two nodes that hold it. */
const begin = async () => {
  const tower = await createNode('tower')
  const id = await tower.create(lanes.parent, 'tower')
  await tower.put(lanes.parent, 'tower', { 'host/a': 1 })
  const [child, other] = [await createNode('north'), await createNode('north-2')]
  for (const node of [child, other]) await meet(tower, node)
  return { tower, child, other, id }
}

// No head changes by it, so two ends took each other for equal: the owner never heard which of its keys is in bad hands.
test('two changes of one number that one node holds alone come to all it meets, and with them the proof', async (t) => {
  const { tower, child, other, id } = await begin()
  await child.documents.take(id, (await twice(tower, 1)).flat(), 'stranger')
  t.is(child.documents.quarantined().length, 1)
  t.deepEqual(child.documents.summaryOf(id), tower.documents.summaryOf(id))
  for (const node of [child, other]) await meet(tower, node)
  for (const node of [tower, other]) {
    t.deepEqual(node.documents.quarantined(), child.documents.quarantined(), node.name)
    t.deepEqual(await node.documents.hashes(id), await child.documents.hashes(id), node.name)
    t.deepEqual(await node.documents.late(id), [], node.name)
  }
})

test('what stands on one of two changes with one number comes to all, though no head tells of it', async (t) => {
  const { tower, child, other, id } = await begin()
  const first = await twice(tower, 1)
  await other.documents.take(id, first[0], 'stranger')
  const second = await twice(other, 2)
  for (const node of [tower, child, other]) await node.documents.take(id, first.flat(), 'stranger')
  await child.documents.take(id, second[0], 'stranger')
  await other.documents.take(id, second[1], 'stranger')
  t.deepEqual(child.documents.summaryOf(id), other.documents.summaryOf(id))
  for (const node of [child, other, child]) await meet(tower, node)
  for (const node of [tower, child, other]) t.is((await node.documents.hashes(id)).length, 5, node.name)
})

test('equal ends without such a change say nothing of it', async (t) => {
  const { tower, child } = await begin()
  t.deepEqual(await meet(tower, child), ['meet', 'meet'])
})
