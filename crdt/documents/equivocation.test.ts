import test from 'ava'
import { openProof } from '../envelope/index.ts'
import { craft, entryText, hexOf, intentLane, networkId, shop } from '../lane/scene/index.ts'
import { allBytes, nextEntry, openDocuments, writeOne } from './documents-scene.contract.ts'
import { bring, codeOf, type Holder, nextOwner, openHolder, scene } from './seal-scene.contract.ts'

const [first, , third] = scene.signers
const bakery = hexOf('bakery', 16)

/** Two changes of the third key with one number, that both would count. */
const twice = ({ documents }: Holder, id: string, incarnation = 'forked') => {
  const lane = { ...scene, epoch: documents.epochOf(id)! }
  return [1, 2].map((n) =>
    craft(lane, scene.writer(2, incarnation), {
      seq: 1,
      startOp: 1,
      deps: [],
      puts: [{ key: shop, value: entryText({ n: 7, decision: hexOf(`d${n}`, 16) }), replaces: [] }],
    }),
  )
}

const begin = async () => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  const peer = await openHolder('peer', {}, { documents: owner.documents, id })
  return { owner, peer, id, forked: twice(owner, id) }
}

test('two changes of one number: neither counts, the key is quarantined, and the proof convinces a node that holds nothing', async (t) => {
  const { owner, id, forked } = await begin()
  await owner.documents.take(id, [forked[0]!.bytes], 'peer')
  t.is((await owner.documents.standing(id)).size, 1)
  t.deepEqual(owner.documents.quarantined(), [])
  await owner.documents.take(id, [forked[1]!.bytes], 'peer')
  t.is((await owner.documents.standing(id)).size, 0)
  const [key, ...more] = owner.documents.quarantined()
  t.deepEqual(more, [])
  t.like(key, { documentId: id, epoch: 1, author: third!.keyId, isOpen: true })
  const proof = (await owner.documents.proofOf(key!))!
  const opened = openProof(proof, networkId, scene.powers)
  t.like(opened, { ok: true, proof: { author: third!.keyId, documentId: id, epoch: 1, seq: 1 } })
  // It outlives a start.
  await owner.close()
  const again = await openDocuments(owner.disk, scene, { seed: 9 })
  t.deepEqual(again.documents.quarantined(), [key!])
  t.deepEqual(again.opened.damaged, [])
})

// It went on with the number of its change that does not count any more, was refused for it, and wrote nothing until a restart.
test('who wrote on top of one of two changes with one number goes on writing, as another incarnation', async (t) => {
  const { owner, id, forked } = await begin()
  await owner.documents.take(id, [forked[0]!.bytes], 'peer')
  const [before] = await writeOne(owner, nextEntry(id, 'before', bakery), first!)
  await owner.documents.take(id, [forked[1]!.bytes], 'peer')
  t.is((await owner.documents.standing(id)).size, 0)
  const [after] = await writeOne(owner, nextEntry(id, 'after', bakery), first!)
  t.is(after?.seq, before?.seq)
  t.not(after?.actor, before?.actor)
  t.is((await owner.documents.standing(id)).get(bakery)?.length, 1)
  t.deepEqual(
    owner.documents.quarantined().map(({ author }) => author),
    [third!.keyId],
  )
})

test('a proof that is handed over does the same where only one of the two had come', async (t) => {
  const { owner, peer, id, forked } = await begin()
  await owner.documents.take(
    id,
    forked.map(({ bytes }) => bytes),
    'peer',
  )
  await peer.documents.take(id, [forked[0]!.bytes], 'peer')
  const proof = (await owner.documents.proofOf(owner.documents.quarantined()[0]!))!
  t.true((await peer.documents.takeProof(proof, 'owner')).ok)
  t.deepEqual(peer.documents.quarantined(), owner.documents.quarantined())
  t.deepEqual(peer.documents.summaryOf(id), owner.documents.summaryOf(id))
  t.true((await peer.documents.takeProof(proof, 'owner')).ok)
  const stranger = await openHolder('stranger')
  t.is(codeOf(await stranger.documents.takeProof(proof, 'owner')), 'bad-proof')
})

test('the owner begins an epoch without the key: both changes are late, and it writes no more', async (t) => {
  const { owner, peer, id, forked } = await begin()
  await owner.documents.take(
    id,
    forked.map(({ bytes }) => bytes),
    'peer',
  )
  await writeOne(owner, nextEntry(id, 'good', bakery), first!)
  const without = [...scene.owner.keys].flatMap(([key, bytes]) => (key === third!.keyId ? [] : [bytes]))
  t.is(codeOf(await owner.documents.seal(id, { owner: scene.owner, signer: first!, writers: without })), 'ok')
  await bring(owner.documents, peer, id)
  t.deepEqual(peer.documents.summaryOf(id), owner.documents.summaryOf(id))
  const late = await owner.documents.late(id)
  t.deepEqual(
    late.map(({ hash, reason, author }) => [hash, reason, author]),
    forked.map(({ hash }) => [hash, 'excluded', third!.keyId]).toSorted(),
  )
  t.like(owner.documents.quarantined()[0], { author: third!.keyId, epoch: 1, isOpen: false })
  const [refused] = await peer.documents.write([nextEntry(id, 'more')], third!)
  t.is(refused?.ok === false ? refused.refusal.code : '', 'not-a-writer')
})

test('a proof about a sealed epoch changes nothing of what the seal says, and lists what the key wrote', async (t) => {
  const { owner, peer, id, forked } = await begin()
  await owner.documents.take(id, [forked[0]!.bytes], 'peer')
  await owner.documents.seal(id, { owner: scene.owner, signer: first! })
  // The other one was elsewhere; there neither counted.
  await peer.documents.take(
    id,
    forked.map(({ bytes }) => bytes),
    'peer',
  )
  t.is((await peer.documents.standing(id)).size, 0)
  t.is(codeOf(await bring(owner.documents, peer, id)), 'ok')
  await owner.documents.take(id, [forked[1]!.bytes], 'peer')
  for (const { documents } of [owner, peer]) {
    t.is((await documents.standing(id)).get(shop)?.length, 1)
    t.deepEqual(
      (await documents.late(id)).map(({ hash }) => hash),
      [forked[1]!.hash],
    )
    t.like(documents.quarantined()[0], { author: third!.keyId, epoch: 1, isOpen: false })
    t.deepEqual(await documents.writtenBy(id, 1, third!.keyId), forked.map(({ hash }) => hash).toSorted())
  }
  t.deepEqual(owner.documents.summaryOf(id), peer.documents.summaryOf(id))
})

test('in whatever order two changes, a seal and what was written after it come, all nodes come to one', async (t) => {
  for (const order of [0, 1, 2, 3, 4, 5]) {
    const { owner, peer, id, forked } = await begin()
    const made = await writeOne(owner, nextEntry(id, 'good', bakery), first!)
    if (order % 2) await owner.documents.take(id, [forked[0]!.bytes], 'x')
    await owner.documents.seal(id, { owner: nextOwner([first!, third!]), signer: first! })
    const genesis = (await owner.documents.genesisOf(id))!
    const steps = [
      () => peer.documents.take(id, [forked[0]!.bytes], 'x'),
      () => peer.documents.take(id, [forked[1]!.bytes], 'x'),
      () =>
        peer.documents.take(
          id,
          made.map(({ bytes }) => bytes),
          'x',
        ),
      () => peer.documents.takeGenesis(genesis, nextOwner([first!, third!]), 'x'),
    ]
    for (let n = 0; n < 8; n++) await steps[(n * (order + 1) + order) % 4]!()
    for (const step of steps) await step()
    for (const bytes of [forked[0]!.bytes, forked[1]!.bytes]) await owner.documents.take(id, [bytes], 'x')
    t.deepEqual(peer.documents.summaryOf(id), owner.documents.summaryOf(id), `order ${order}`)
    t.deepEqual(peer.documents.quarantined(), owner.documents.quarantined())
    const late = await Promise.all(
      [owner, peer].map(async ({ documents }) => (await documents.late(id)).map(({ hash }) => hash)),
    )
    t.deepEqual(late[0], late[1])
    t.is((await allBytes(owner.documents, id)).length, 0)
  }
})
