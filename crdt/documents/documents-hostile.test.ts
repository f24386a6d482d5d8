import test from 'ava'
import fc from 'fast-check'
import { type Envelope, maxEnvelopeBytes } from '../envelope/index.ts'
import { createParking, parkingLimits, sealGenesis } from '../lane/index.ts'
import { craft, hexOf, intentLane, laneScene, localLane, networkId } from '../lane/scene/index.ts'
import { createMemoryDisk } from '../store/index.ts'
import { nextEntry, openDocuments, writeOne } from './documents-scene.contract.ts'

const scene = laneScene()
const [signer] = scene.signers

const oneLane = async (options: Parameters<typeof openDocuments>[2] = {}) => {
  const disk = createMemoryDisk()
  const node = await openDocuments(disk, scene, options)
  const id = await node.documents.create(intentLane, scene.owner, signer!)
  const epoch = node.documents.epochOf(id)!
  return { disk, node, id, laneOf: { ...scene, epoch } }
}

/** Signed, and of no use yet: each stands on a change that nobody has. */
const orphan = (laneOf: typeof scene, at: number, dep = hexOf(`missing ${at}`, 32)): Envelope =>
  craft(laneOf, scene.writer(2, `life ${at}`), { seq: 1, startOp: 2, deps: [dep], puts: [] })

test('what no writer signed for the lane is refused by its code and leaves no byte on disk', async (t) => {
  const { disk, node, id, laneOf } = await oneLane()
  const [good] = await writeOne(node, nextEntry(id, 'one'), signer!)
  const before = disk.sizeBytes()
  const flipped = good!.bytes.slice()
  flipped[flipped.length - 1]! ^= 1
  const renamed = good!.bytes.slice()
  renamed[40]! ^= 1
  const stranger = laneScene(intentLane, 5)
  const foreign = craft(laneOf, stranger.writer(4), { seq: 1, startOp: 1, deps: [], puts: [] })
  const elsewhere = orphan(laneScene(localLane), 1)
  const cases = [
    [new Uint8Array(), 'bad-length'],
    [Uint8Array.of(2, 3), 'newer-format'],
    [good!.bytes.subarray(0, 200), 'bad-length'],
    [new Uint8Array(maxEnvelopeBytes + 1).fill(1), 'bad-length'],
    [flipped, 'bad-signature'],
    [renamed, 'wrong-document'],
    [elsewhere.bytes, 'wrong-document'],
    [foreign.bytes, 'not-a-writer'],
  ] as const
  const taken = await node.documents.take(
    id,
    cases.map(([bytes]) => bytes),
    'peer',
  )
  t.deepEqual(
    taken.map((one) => (one.kind === 'refused' ? one.refusal.code : one.kind)),
    cases.map(([, code]) => code),
  )
  t.is(disk.sizeBytes(), before)
  t.is(node.heard.length, 2)
  const [nowhere] = await node.documents.take('ab'.repeat(16), [good!.bytes], 'peer')
  t.is(nowhere?.kind === 'refused' ? nowhere.refusal.code : '', 'wrong-document')
})

test('no bytes make it throw', async (t) => {
  const { node, id } = await oneLane()
  const [good] = await writeOne(node, nextEntry(id, 'one'), signer!)
  const genesis = (await node.documents.genesisOf(id))!
  const mangle = (bytes: Uint8Array, edits: readonly (readonly [number, number])[]) => {
    const copy = bytes.slice()
    for (const [at, value] of edits) copy[at % copy.length] = value
    return copy
  }
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      async (noise, edits) => {
        const answers = await node.documents.take(id, [noise, mangle(good!.bytes, edits)], 'peer')
        const first = await node.documents.takeGenesis(noise, scene.owner, 'peer')
        const second = await node.documents.takeGenesis(mangle(genesis, edits), scene.owner, 'peer')
        return answers.length === 2 && !first.ok && typeof second.ok === 'boolean'
      },
    ),
    { numRuns: 200 },
  )
  t.is((await node.documents.hashes(id)).length, 1)
  t.deepEqual(node.documents.ids(), [id])
})

test('a flood of envelopes that wait takes bounded room on disk, also through restarts', async (t) => {
  const { disk, node, id, laneOf } = await oneLane()
  const flood = Array.from({ length: parkingLimits.authorCount + 150 }, (_, at) => orphan(laneOf, at).bytes)
  const kinds = (await node.documents.take(id, flood, 'peer')).map(({ kind }) => kind)
  t.is(kinds.filter((kind) => kind === 'held').length, parkingLimits.authorCount)
  t.is(kinds.filter((kind) => kind === 'dropped').length, 150)
  t.is((await node.documents.hashes(id)).length, parkingLimits.authorCount)
  await node.close()
  const again = await openDocuments(disk, scene, { seed: 2, cacheReplicas: 0 })
  t.deepEqual(again.opened, { lanes: 1, damaged: [] })
  for (let round = 0; round < 3; round++) {
    await again.documents.take(id, flood, 'peer')
    t.is((await again.documents.hashes(id)).length, parkingLimits.authorCount)
  }
  // The lane is none the worse for it.
  await writeOne(again, nextEntry(id, 'one'), signer!)
  t.is(again.documents.summaryOf(id)?.fence.n, 1)
})

for (const isAlone of [true, false])
  test(`what waits on disk counts when what it waits for comes ${isAlone ? 'alone' : 'with it'}, also where memory has no room for it`, async (t) => {
    const limits = (authorCount: number) => createParking({ authorCount, authorBytes: 2 ** 20, totalBytes: 2 ** 20 })
    const source = await oneLane()
    const made: Envelope[] = []
    for (let n = 1; n <= 6; n++) made.push(...(await writeOne(source.node, nextEntry(source.id, `d${n}`), signer!)))
    const disk = createMemoryDisk()
    const node = await openDocuments(disk, scene, { seed: 2, parking: limits(5) })
    await node.documents.takeGenesis((await source.node.documents.genesisOf(source.id))!, scene.owner, 'peer')
    const [first, ...rest] = made.map(({ bytes }) => bytes)
    await node.documents.take(source.id, rest, 'peer')
    await node.close()
    for (const authorCount of [2, 0]) {
      const copy = await openDocuments(disk, scene, { seed: 3, parking: limits(authorCount) })
      t.deepEqual(copy.opened, { lanes: 1, damaged: [] })
      t.is((await copy.documents.hashes(source.id)).length, 5)
      t.is((await copy.documents.standing(source.id)).size, 0)
      await copy.close()
    }
    const after = await openDocuments(disk, scene, { seed: 4, parking: limits(2) })
    await after.documents.take(source.id, isAlone ? [first!] : [first!, ...rest], 'peer')
    t.is(after.heard.at(-1)?.envelopes.length, 1)
    t.deepEqual(after.documents.summaryOf(source.id), source.node.documents.summaryOf(source.id))
    t.deepEqual(await after.documents.standing(source.id), await source.node.documents.standing(source.id))
    await after.close()
    const last = await openDocuments(disk, scene, { seed: 5, parking: limits(2) })
    t.deepEqual(last.opened, { lanes: 1, damaged: [] })
    t.deepEqual(last.documents.summaryOf(source.id), source.node.documents.summaryOf(source.id))
  })

test('two changes of one number are both kept, as the proof they are', async (t) => {
  const { disk, node, id, laneOf } = await oneLane()
  const fork = (word: string) =>
    craft(laneOf, scene.writer(2, 'forked'), {
      seq: 1,
      startOp: 1,
      deps: [],
      puts: [{ key: hexOf(word, 16), value: 'x', replaces: [] }],
    }).bytes
  await node.documents.take(id, [fork('a'), fork('b')], 'peer')
  t.is((await node.documents.hashes(id)).length, 2)
  await node.close()
  const again = await openDocuments(disk, scene, { seed: 2 })
  t.deepEqual(again.opened, { lanes: 1, damaged: [] })
  t.deepEqual(again.documents.summaryOf(id)?.heads, [])
})

test('bytes that are part of a larger message are copied', async (t) => {
  const source = await oneLane()
  const [envelope] = await writeOne(source.node, nextEntry(source.id, 'one'), signer!)
  const node = await openDocuments(createMemoryDisk(), scene, { seed: 2 })
  await node.documents.takeGenesis((await source.node.documents.genesisOf(source.id))!, scene.owner, 'peer')
  const message = new Uint8Array(100_000)
  message.set(envelope!.bytes, 50)
  await node.documents.take(source.id, [message.subarray(50, 50 + envelope!.bytes.length)], 'peer')
  message.fill(0)
  t.is(node.heard.at(-1)?.envelopes[0]?.bytes.buffer.byteLength, envelope!.bytes.length)
  const [kept] = await node.documents.envelopes(source.id, new Set([envelope!.hash]))
  t.deepEqual(Buffer.from(kept!), Buffer.from(envelope!.bytes))
})

test('a genesis of a later epoch is refused without what it begins with', async (t) => {
  const node = await openDocuments(createMemoryDisk(), scene)
  const base = { genesis: hexOf('before', 32), heads: [], state: hexOf('state', 32) }
  const fields = { networkId, documentId: hexOf('later', 16), lane: intentLane, owner: scene.owner }
  const { bytes } = sealGenesis({ ...fields, after: { epoch: 1, base } }, [signer!], scene.powers)
  const refused = await node.documents.takeGenesis(bytes, scene.owner, 'peer')
  t.is(refused.ok ? '' : refused.refusal.code, 'needs-base')
  t.regex(refused.ok ? '' : refused.refusal.message, /epoch 2 of .* needs what it begins with/)
  t.deepEqual(node.documents.ids(), [])
})
