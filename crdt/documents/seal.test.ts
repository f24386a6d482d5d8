import test from 'ava'
import { createSeededRandom } from '../../base/index.ts'
import { edit, entryText, hexOf, intentLane, shop } from '../lane/scene/index.ts'
import { allBytes, nextEntry, openDocuments, writeOne } from './documents-scene.contract.ts'
import { bring, codeOf, nextOwner, openHolder, scene } from './seal-scene.contract.ts'

const [first, second] = scene.signers
const bakery = hexOf('bakery', 16)
const seal = { owner: scene.owner, signer: first! }

const standingOf = async ({ documents }: Awaited<ReturnType<typeof openHolder>>, id: string) =>
  [...(await documents.standing(id))].map(([key, puts]) => [key, puts.map(({ value }) => value)])

test('an owner seals: the lane says the same, holds nothing of before, and fences count on', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  for (let n = 1; n <= 5; n++) await writeOne(owner, nextEntry(id, `d${n}`, n % 2 ? shop : bakery), first!)
  const before = await standingOf(owner, id)
  const sealed = await owner.documents.seal(id, seal)
  t.is(codeOf(sealed), 'ok')
  t.is(owner.documents.epochOf(id)?.epoch, 2)
  t.deepEqual(await standingOf(owner, id), before)
  t.is(owner.documents.loadOf(id)?.count, 0)
  t.is(owner.documents.loadOf(id)?.sizeBytes, 0)
  t.deepEqual(owner.documents.summaryOf(id)?.heads, [owner.documents.epochOf(id)!.id])
  t.is(owner.documents.summaryOf(id)?.fence.n, 5)
  await writeOne(owner, nextEntry(id, 'd6'), first!)
  t.is(owner.documents.summaryOf(id)?.fence.n, 6)
  t.is(owner.documents.loadOf(id)?.count, 1)
  t.deepEqual(await owner.documents.late(id), [])
  t.is(codeOf(await owner.documents.seal(id, seal)), 'ok')
  t.is(codeOf(await owner.documents.seal(id, seal)), 'no-change')
  t.is(codeOf(await owner.documents.seal(id, { ...seal, isForced: true })), 'ok')
  t.is(owner.documents.epochOf(id)?.epoch, 4)
})

test('a sealed lane is there after a start, and after the loss of its summary', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd1'), first!)
  await owner.documents.seal(id, seal)
  await writeOne(owner, nextEntry(id, 'd2', bakery), first!)
  const [summary, standing] = [owner.documents.summaryOf(id), await standingOf(owner, id)]
  await owner.close()
  for (const seed of [2, 3]) {
    const again = { ...(await openDocuments(owner.disk, scene, { seed })), name: 'again', disk: owner.disk }
    t.deepEqual(again.opened, { lanes: 1, damaged: [] })
    t.deepEqual(again.documents.summaryOf(id), summary)
    t.deepEqual(await standingOf(again, id), standing)
    t.is(again.documents.pastOf(id).length, 1)
    t.true((again.documents.loadOf(id)?.sizeBytes ?? 0) > 0)
    await again.store.write([{ kind: 'delete', key: `d/${id}/s` }], { sync: true })
    await again.close()
  }
})

test('what an epoch began with is gone: the lane is not held until a peer brings it', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd1'), first!)
  await owner.documents.seal(id, seal)
  await writeOne(owner, nextEntry(id, 'd2', bakery), first!)
  const peer = await openHolder('peer', {}, { documents: owner.documents, id })
  const summary = owner.documents.summaryOf(id)
  await owner.close()
  owner.disk.damage(`d/${id}/b/00000002`, createSeededRandom(3))
  const again = { ...(await openDocuments(owner.disk, scene, { seed: 9 })), name: 'again', disk: owner.disk }
  t.is(again.opened.lanes, 0)
  await bring(peer.documents, again, id)
  t.deepEqual(again.documents.summaryOf(id), summary)
})

test('a holder works the seal out by itself; one that lacks changes, or the epoch, says so', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd1'), first!)
  const peer = await openHolder('peer', {}, { documents: owner.documents, id })
  const late = await openHolder('away', {}, { documents: owner.documents, id })
  await writeOne(owner, nextEntry(id, 'd2'), first!)
  const missing = await allBytes(owner.documents, id)
  await peer.documents.take(id, missing, 'owner')
  await owner.documents.seal(id, seal)
  const genesis = (await owner.documents.genesisOf(id))!
  t.is(codeOf(await peer.documents.takeGenesis(genesis, scene.owner, 'owner')), 'ok')
  t.deepEqual(peer.documents.summaryOf(id), owner.documents.summaryOf(id))
  t.is(codeOf(await late.documents.takeGenesis(genesis, scene.owner, 'owner')), 'lacks-changes')
  t.is(late.documents.epochOf(id)?.epoch, 1)
  await late.documents.take(id, missing, 'owner')
  t.is(codeOf(await late.documents.takeGenesis(genesis, scene.owner, 'owner')), 'ok')
  t.deepEqual(late.documents.summaryOf(id), owner.documents.summaryOf(id))
  const fresh = await openHolder('fresh')
  t.is(codeOf(await fresh.documents.takeGenesis(genesis, scene.owner, 'owner')), 'needs-base')
  const base = (await owner.documents.baseOf(id))!
  const bent = new TextEncoder().encode(new TextDecoder().decode(base).replace('"fence":[1,2]', '"fence":[1,3]'))
  t.is(codeOf(await fresh.documents.takeGenesis(genesis, scene.owner, 'owner', { base: bent })), 'wrong-state')
  t.is(codeOf(await fresh.documents.takeGenesis(genesis, scene.owner, 'owner', { base })), 'ok')
  t.deepEqual(fresh.documents.summaryOf(id), owner.documents.summaryOf(id))
  await writeOne(owner, nextEntry(id, 'd3'), first!)
  for (const holder of [peer, late, fresh]) {
    await holder.documents.take(id, await allBytes(owner.documents, id), 'owner')
    t.deepEqual(await standingOf(holder, id), await standingOf(owner, id))
  }
})

test('what a writer wrote while away is late after the seal, and is listed with what it said', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd1'), first!)
  const away = await openHolder('away', {}, { documents: owner.documents, id })
  const [lost] = await writeOne(away, nextEntry(id, 'lost', bakery), second!)
  await owner.documents.seal(id, seal)
  const genesis = (await owner.documents.genesisOf(id))!
  // The seal comes to the writer, its change to the owner: both list it.
  t.is(codeOf(await away.documents.takeGenesis(genesis, scene.owner, 'owner')), 'ok')
  t.deepEqual(
    away.heard.at(-1)?.late.map(({ hash }) => hash),
    [lost!.hash],
  )
  const [taken] = await owner.documents.take(id, [lost!.bytes], 'away')
  t.is(taken?.kind, 'late')
  for (const { documents } of [owner, away]) {
    const [one, ...others] = await documents.late(id)
    t.deepEqual(others, [])
    t.like(one, { epoch: 1, hash: lost!.hash, author: second!.keyId, reason: 'cut' })
    t.is(one?.puts[0]?.key, bakery)
    t.false((await documents.standing(id)).has(bakery))
    t.deepEqual(documents.lateNames(id), [{ epoch: 1, hash: lost!.hash }])
  }
  // Its author may say it anew.
  await writeOne(away, nextEntry(id, 'lost', bakery), second!)
  t.true((await away.documents.standing(id)).has(bakery))
  // All of it is there after a start.
  await away.close()
  const again = await openDocuments(away.disk, scene, { seed: 5 })
  t.is((await again.documents.late(id)).length, 1)
})

test('a change of the key list begins an epoch: who is off it writes no more, and who is on it does', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd1'), second!)
  const peer = await openHolder('peer', {}, { documents: owner.documents, id })
  const fourth = scene.powers.signatures.signer(new Uint8Array(32).fill(9))
  const owner2 = nextOwner([first!, fourth])
  t.is(codeOf(await owner.documents.seal(id, { owner: owner2, signer: first! })), 'ok')
  t.is(owner.documents.epochOf(id)?.generation, 2)
  const genesis = (await owner.documents.genesisOf(id))!
  t.is(codeOf(await peer.documents.takeGenesis(genesis, owner2, 'owner')), 'ok')
  const [refused] = await peer.documents.write([nextEntry(id, 'd2')], second!)
  t.is(refused?.ok === false ? refused.refusal.code : '', 'not-a-writer')
  const text = entryText({ n: 1, fence: { generation: 2, n: 1 } })
  const made = await writeOne(peer, { documentId: id, edit: () => edit(text) }, fourth)
  await owner.documents.take(
    id,
    made.map(({ bytes }) => bytes),
    'peer',
  )
  t.deepEqual(owner.documents.summaryOf(id)?.fence, { generation: 2, n: 1 })
  t.deepEqual(owner.documents.summaryOf(id), peer.documents.summaryOf(id))
})

test('a conflict stays one over a seal, and is settled after it', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  const peer = await openHolder('peer', {}, { documents: owner.documents, id })
  await writeOne(owner, { documentId: id, edit: () => edit(entryText({ n: 1, decision: hexOf('a', 16) })) }, first!)
  await writeOne(peer, { documentId: id, edit: () => edit(entryText({ n: 1, decision: hexOf('b', 16) })) }, second!)
  await owner.documents.take(id, await allBytes(peer.documents, id), 'peer')
  await peer.documents.take(id, await allBytes(owner.documents, id), 'owner')
  t.is((await owner.documents.standing(id)).get(shop)?.length, 2)
  await owner.documents.seal(id, seal)
  await peer.documents.takeGenesis((await owner.documents.genesisOf(id))!, scene.owner, 'owner')
  for (const { documents } of [owner, peer]) t.is((await documents.standing(id)).get(shop)?.length, 2)
  const made = await writeOne(peer, nextEntry(id, 'c'), second!)
  await owner.documents.take(
    id,
    made.map(({ bytes }) => bytes),
    'peer',
  )
  t.is((await owner.documents.standing(id)).get(shop)?.length, 1)
  t.is(codeOf(await owner.documents.seal(id, seal)), 'ok')
})

test('two seals of one number: all come to one of them, and what was written in the other is late as a whole', async (t) => {
  const one = await openHolder('one')
  const id = await one.documents.create(intentLane, scene.owner, first!)
  await writeOne(one, nextEntry(id, 'd1'), first!)
  const two = await openHolder('two', {}, { documents: one.documents, id })
  const [outside] = await writeOne(two, nextEntry(id, 'only two', bakery), second!)
  await one.documents.seal(id, seal)
  await two.documents.seal(id, { owner: scene.owner, signer: second! })
  const inOne = await writeOne(one, nextEntry(id, 'in one'), first!)
  const inTwo = await writeOne(two, nextEntry(id, 'in two'), second!)
  const geneses = [(await one.documents.genesisOf(id))!, (await two.documents.genesisOf(id))!]
  const isOneAhead = one.documents.epochOf(id)!.id < two.documents.epochOf(id)!.id
  const [winner, loser] = isOneAhead ? [one, two] : [two, one]
  // The loser has all that the winner's cut holds.
  for (const { documents } of [one, two]) await documents.take(id, [outside!.bytes], 'peer')
  t.is(codeOf(await winner.documents.takeGenesis(geneses[isOneAhead ? 1 : 0]!, scene.owner, 'peer')), 'superseded')
  t.is(codeOf(await loser.documents.takeGenesis(geneses[isOneAhead ? 0 : 1]!, scene.owner, 'peer')), 'ok')
  await loser.documents.take(id, await allBytes(winner.documents, id), 'peer')
  t.deepEqual(loser.documents.summaryOf(id), winner.documents.summaryOf(id))
  const lost = isOneAhead ? inTwo : inOne
  const listed = await loser.documents.late(id)
  t.deepEqual(
    listed.filter(({ reason }) => reason === 'rival').map(({ hash }) => hash),
    lost.map(({ hash }) => hash),
  )
  // What only one cut holds is late exactly where that cut lost.
  t.is(
    listed.some(({ hash }) => hash === outside!.hash),
    isOneAhead,
  )
  // It goes to the others too, and the loser writes on without using a number twice.
  const taken = await winner.documents.takeLate(
    id,
    lost.map(({ bytes }) => bytes),
    'loser',
  )
  t.deepEqual(
    taken.map(({ kind }) => kind),
    ['late'],
  )
  const more = await writeOne(loser, nextEntry(id, 'again'), second!)
  await winner.documents.take(
    id,
    more.map(({ bytes }) => bytes),
    'loser',
  )
  t.deepEqual(loser.documents.summaryOf(id), winner.documents.summaryOf(id))
  t.deepEqual(winner.documents.quarantined(), [])
})

test('an old epoch is kept for two more and then goes; who comes after that joins by the base', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd0'), first!)
  const away = await openHolder('away', {}, { documents: owner.documents, id })
  const [lost] = await writeOne(away, nextEntry(id, 'lost', bakery), second!)
  for (let n = 1; n <= 4; n++) {
    await writeOne(owner, nextEntry(id, `d${n}`), first!)
    await owner.documents.seal(id, seal)
  }
  t.deepEqual(
    owner.documents.pastOf(id).map(({ epoch }) => epoch),
    [3, 4],
  )
  t.deepEqual(await owner.documents.hashes(id, 1), [])
  t.is((await owner.documents.hashes(id, 4)).length, 1)
  t.is(await owner.documents.genesisOf(id, 2), undefined)
  const genesis = (await owner.documents.genesisOf(id))!
  t.is(codeOf(await away.documents.takeGenesis(genesis, scene.owner, 'owner')), 'needs-base')
  await bring(owner.documents, away, id)
  t.deepEqual(away.documents.summaryOf(id), owner.documents.summaryOf(id))
  // It cannot tell what of its own is in the seal: all of it is listed, and goes to the owner.
  const listed = await away.documents.late(id)
  t.true(listed.some(({ hash, reason }) => hash === lost!.hash && reason === 'unsure'))
  const bytes = await away.documents.lateEnvelopes(id, new Set([lost!.hash]))
  t.deepEqual(
    (await owner.documents.takeLate(id, bytes, 'away')).map(({ kind }) => kind),
    ['late'],
  )
  t.is((await owner.documents.late(id))[0]?.hash, lost!.hash)
})

// It was taken for one that the seal left outside, because the late one was counted a second time.
test('a change that was late elsewhere, came in its epoch too and is inside the seal is not late, and is kept in its epoch', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd1'), first!)
  const peer = await openHolder('peer', {}, { documents: owner.documents, id })
  const made = await writeOne(owner, nextEntry(id, 'd2'), first!)
  const bytes = made.map((one) => one.bytes)
  t.is((await peer.documents.takeLate(id, bytes, 'other'))[0]?.kind, 'late')
  t.is((await peer.documents.take(id, bytes, 'owner'))[0]?.kind, 'held')
  await owner.documents.seal(id, seal)
  const genesis = (await owner.documents.genesisOf(id))!
  t.is(codeOf(await peer.documents.takeGenesis(genesis, scene.owner, 'owner')), 'ok')
  t.deepEqual(peer.documents.lateNames(id), [])
  t.deepEqual(await peer.documents.hashes(id, 1), await owner.documents.hashes(id, 1))
})

// Replicas were held to differ by it, though the same counts for all and all list it.
test('a change of a seal that lost, which came in its epoch and then as late, counts for nobody, is listed by all, and goes from the epoch with the next seal', async (t) => {
  const one = await openHolder('one')
  const id = await one.documents.create(intentLane, scene.owner, first!)
  await writeOne(one, nextEntry(id, 'd1'), first!)
  const two = await openHolder('two', {}, { documents: one.documents, id })
  await writeOne(two, nextEntry(id, 'only two', bakery), second!)
  await one.documents.seal(id, seal)
  await two.documents.seal(id, { owner: scene.owner, signer: second! })
  const isOneAhead = one.documents.epochOf(id)!.id < two.documents.epochOf(id)!.id
  const [winner, loser] = isOneAhead ? [one, two] : [two, one]
  const [lost] = await writeOne(loser, nextEntry(id, 'lost'), isOneAhead ? second! : first!)
  const bytes = [lost!.bytes]
  await bring(winner.documents, loser, id)
  t.like((await winner.documents.take(id, bytes, 'loser'))[0], { kind: 'held', status: { kind: 'parked' } })
  t.is((await winner.documents.takeLate(id, bytes, 'loser'))[0]?.kind, 'late')
  const agree = async () => {
    t.deepEqual(loser.documents.summaryOf(id), winner.documents.summaryOf(id))
    t.deepEqual(await standingOf(loser, id), await standingOf(winner, id))
    for (const { documents } of [one, two]) {
      const listed = (await documents.late(id)).find(({ hash }) => hash === lost!.hash)
      t.is(listed?.reason, 'rival')
    }
  }
  await agree()
  t.true((await winner.documents.hashes(id)).includes(lost!.hash))
  t.false((await loser.documents.hashes(id)).includes(lost!.hash))
  await writeOne(winner, nextEntry(id, 'next'), isOneAhead ? first! : second!)
  await loser.documents.take(id, await allBytes(winner.documents, id), 'winner')
  await agree()
  t.is(codeOf(await winner.documents.seal(id, { owner: scene.owner, signer: isOneAhead ? first! : second! })), 'ok')
  t.is(codeOf(await loser.documents.takeGenesis((await winner.documents.genesisOf(id))!, scene.owner, 'winner')), 'ok')
  await agree()
  t.deepEqual(await loser.documents.hashes(id, 2), await winner.documents.hashes(id, 2))
  t.false((await winner.documents.hashes(id, 2)).includes(lost!.hash))
})
