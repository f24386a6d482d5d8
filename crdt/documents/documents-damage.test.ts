import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { createSeededRandom } from '../../base/index.ts'
import { intentLane, laneScene, memberLane } from '../lane/scene/index.ts'
import { createMemoryDisk, type MemoryDisk, type StoreChange } from '../store/index.ts'
import { envelopeKey, genesisKey, summaryKey } from './document-keys.ts'
import { allBytes, nextEntry, type OpenedScene, openDocuments, writeOne } from './documents-scene.contract.ts'

const scene = laneScene()
const members = laneScene(memberLane)
const [signer] = scene.signers

/** Changes a disk behind the back of the documents. */
const tamper = async (disk: MemoryDisk, changes: readonly StoreChange[]) => {
  const store = disk.store()
  await store.open()
  await store.write(changes, { sync: true })
  await store.close()
}
const flip = (disk: MemoryDisk, key: string, seed = 1) => disk.damage(key, createSeededRandom(seed))

/** A node with five entries in a lane, closed; and a peer that has all of it. */
const fiveEntries = async (lane: typeof intentLane = intentLane) => {
  const disk = createMemoryDisk()
  const first = await openDocuments(disk, scene)
  const id = await first.documents.create(lane, (lane === intentLane ? scene : members).owner, signer!)
  const hashes: string[] = []
  for (let n = 1; n <= 5; n++) {
    const write =
      lane === intentLane
        ? nextEntry(id, `d${n}`)
        : { documentId: id, edit: () => new Map([['host/h1', `value ${n}`]]) }
    hashes.push(...(await writeOne(first, write, signer!)).map(({ hash }) => hash))
  }
  const whole = first.documents.summaryOf(id)
  const genesis = (await first.documents.genesisOf(id))!
  const bytes = await allBytes(first.documents, id)
  await first.close()
  return { disk, id, hashes, whole, genesis, bytes }
}

const bringBack = async (
  t: ExecutionContext,
  { documents }: OpenedScene,
  world: Awaited<ReturnType<typeof fiveEntries>>,
) => {
  await documents.take(world.id, world.bytes, 'peer')
  t.deepEqual(documents.summaryOf(world.id), world.whole)
  t.deepEqual(await documents.hashes(world.id), world.hashes.toSorted())
}

for (const [title, harm] of [
  ['flipped', async (disk: MemoryDisk, key: string) => flip(disk, key)],
  ['gone', (disk: MemoryDisk, key: string) => tamper(disk, [{ kind: 'delete', key }])],
] as const)
  test(`an envelope that is ${title} at a start: the lane is damaged and read-only until a peer brings it back`, async (t) => {
    for (const at of [0, 2, 4]) {
      const world = await fiveEntries()
      const { disk, id, hashes } = world
      await harm(disk, envelopeKey(id, 1, hashes[at]!))
      const node = await openDocuments(disk, scene, { seed: 2 })
      t.deepEqual(node.opened, { lanes: 1, damaged: [id] })
      // What is left counts as far as it stands on what is left; so the digest differs and a peer sees what is missing.
      t.is(node.documents.summaryOf(id)?.fence.n, at)
      t.is((await node.documents.hashes(id)).length, 4)
      const [refused] = await node.documents.write([nextEntry(id, 'new')], signer!)
      t.is(refused?.ok ? '' : refused?.refusal.code, 'behind')
      t.regex(refused?.ok ? '' : (refused?.refusal.message ?? ''), /fence 5 .*until a peer brought them back/)
      await node.close()
      // Also after the next start, which finds a summary that fits.
      const again = await openDocuments(disk, scene, { seed: 3 })
      t.deepEqual(again.opened, { lanes: 1, damaged: [id] })
      const [still] = await again.documents.write([nextEntry(id, 'new')], signer!)
      t.is(still?.ok ? '' : still?.refusal.code, 'behind')
      await bringBack(t, again, world)
      t.is((await writeOne(again, nextEntry(id, 'new'), signer!)).length, 1)
      t.is(again.documents.summaryOf(id)?.fence.n, 6)
      await again.close()
      t.deepEqual((await openDocuments(disk, scene, { seed: 4 })).opened, { lanes: 1, damaged: [] })
    }
  })

test('a damaged lane without fences is written on as another incarnation, and comes together again', async (t) => {
  const world = await fiveEntries(memberLane)
  const { disk, id, hashes } = world
  flip(disk, envelopeKey(id, 1, hashes[4]!))
  const node = await openDocuments(disk, scene, { seed: 2 })
  t.deepEqual(node.opened.damaged, [id])
  const write = { documentId: id, edit: () => new Map([['host/h2', 'new']]) }
  const [envelope] = await writeOne(node, write, signer!)
  t.is(envelope?.seq, 1)
  await node.documents.take(id, world.bytes, 'peer')
  t.deepEqual(
    [...(await node.documents.standing(id))].map(([key, puts]) => [key, puts.map(({ value }) => value)]),
    [
      ['host/h1', ['value 5']],
      ['host/h2', ['new']],
    ],
  )
  t.is(node.documents.summaryOf(id)?.heads.length, 2)
  await node.close()
  t.deepEqual((await openDocuments(disk, scene, { seed: 4 })).opened.damaged, [])
})

test('damage that comes while the node runs is found when the lane is next read, and told', async (t) => {
  const world = await fiveEntries()
  const { disk, id, hashes } = world
  const node = await openDocuments(disk, scene, { seed: 2, cacheReplicas: 0 })
  t.deepEqual(node.opened.damaged, [])
  flip(disk, envelopeKey(id, 1, hashes[3]!))
  t.is((await node.documents.standing(id)).size, 1)
  t.is(node.documents.summaryOf(id)?.fence.n, 3)
  t.deepEqual(node.heard, [{ documentId: id, isNew: true, isSeal: false, envelopes: [], late: [], from: undefined }])
  t.true(node.lines.some(({ level, message }) => level === 'warn' && /not what it was/.test(message)))
  const [refused] = await node.documents.write([nextEntry(id, 'new')], signer!)
  t.is(refused?.ok ? '' : refused?.refusal.code, 'behind')
  await bringBack(t, node, world)
})

test('a damaged lane is opened and read also while the disk is full', async (t) => {
  const world = await fiveEntries()
  const { disk, id, hashes } = world
  flip(disk, envelopeKey(id, 1, hashes[4]!))
  disk.faults.isFull = true
  const node = await openDocuments(disk, scene, { seed: 2, cacheReplicas: 0 })
  t.deepEqual(node.opened, { lanes: 1, damaged: [id] })
  flip(disk, envelopeKey(id, 1, hashes[3]!))
  t.is((await node.documents.standing(id)).size, 1)
  t.is(node.documents.summaryOf(id)?.fence.n, 3)
  t.is(node.lines.filter(({ message }) => /could not be saved/.test(message)).length, 2)
  disk.faults.isFull = false
  await bringBack(t, node, world)
})

test('a value that is whole and belongs elsewhere counts as damaged', async (t) => {
  const world = await fiveEntries()
  const { disk, id, hashes } = world
  await tamper(disk, [{ kind: 'put', key: envelopeKey(id, 1, hashes[4]!), value: world.bytes[0]! }])
  const node = await openDocuments(disk, scene, { seed: 2 })
  t.is((await node.documents.standing(id)).size, 1)
  t.is(node.documents.summaryOf(id)?.fence.n, 4)
  t.deepEqual(await node.documents.hashes(id), hashes.slice(0, 4).toSorted())
  await bringBack(t, node, world)
})

test('an envelope that goes while the node runs is missed when the lane is next read', async (t) => {
  const world = await fiveEntries()
  const { disk, id, hashes } = world
  const node = await openDocuments(disk, scene, { seed: 2 })
  await node.store.write([{ kind: 'delete', key: envelopeKey(id, 1, hashes[4]!) }], { sync: true })
  t.is((await node.documents.standing(id)).size, 1)
  t.is(node.documents.summaryOf(id)?.fence.n, 4)
  t.is(node.heard.length, 1)
  await bringBack(t, node, world)
})

test('a saved summary is a cache: without it, or with one of another version, the lane is made anew', async (t) => {
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  for (const [change, isDamaged] of [
    [undefined, false],
    [text({ _v: 0 }), false],
    [text({ _v: 2, anything: true }), false],
    [text({ _v: 1 }), false],
    [text([]), false],
    [new Uint8Array([255, 0]), false],
    ['flip', true],
  ] as const) {
    const { disk, id, whole } = await fiveEntries()
    const key = summaryKey(id)
    if (change === 'flip') flip(disk, key)
    else await tamper(disk, [change === undefined ? { kind: 'delete', key } : { kind: 'put', key, value: change }])
    const node = await openDocuments(disk, scene, { seed: 2 })
    t.deepEqual(node.opened, { lanes: 1, damaged: isDamaged ? [id] : [] })
    t.deepEqual(node.documents.summaryOf(id), whole)
    t.is((await writeOne(node, nextEntry(id, 'new'), signer!)).length, 1)
    await node.close()
    t.deepEqual((await openDocuments(disk, scene, { seed: 3 })).opened, { lanes: 1, damaged: [] })
  }
})

test('a lane whose genesis is damaged goes on, and a peer brings the genesis back', async (t) => {
  const { disk, id, genesis, whole } = await fiveEntries()
  flip(disk, genesisKey(id, 1))
  const node = await openDocuments(disk, scene, { seed: 2 })
  t.deepEqual(node.opened, { lanes: 1, damaged: [id] })
  t.deepEqual(node.documents.summaryOf(id), whole)
  t.is(await node.documents.genesisOf(id), undefined)
  t.like(await node.documents.takeGenesis(genesis, scene.owner, 'peer'), { ok: true })
  t.deepEqual(await node.documents.genesisOf(id), genesis)
  await node.close()
  t.deepEqual((await openDocuments(disk, scene, { seed: 3 })).opened, { lanes: 1, damaged: [] })
})

test('envelopes whose genesis and summary are gone are no lane, until the genesis comes again', async (t) => {
  const world = await fiveEntries()
  const { disk, id, genesis, whole, hashes } = world
  await tamper(disk, [
    { kind: 'delete', key: genesisKey(id, 1) },
    { kind: 'delete', key: summaryKey(id) },
    { kind: 'put', key: envelopeKey(id, 1, 'ab'.repeat(32)), value: new Uint8Array(300) },
  ])
  const node = await openDocuments(disk, scene, { seed: 2 })
  t.deepEqual(node.opened, { lanes: 0, damaged: [] })
  t.deepEqual(node.documents.ids(), [])
  t.true(node.lines.some(({ message }) => /genesis is gone/.test(message)))
  t.like(await node.documents.takeGenesis(genesis, scene.owner, 'peer'), { ok: true })
  t.deepEqual(node.documents.summaryOf(id), whole)
  t.deepEqual(await node.documents.hashes(id), hashes.toSorted())
  await node.close()
  t.deepEqual((await openDocuments(disk, scene, { seed: 3 })).opened, { lanes: 1, damaged: [] })
})

test('a disk that tears its last batch costs at most what a peer brings back', async (t) => {
  for (let seed = 0; seed < 25; seed++) {
    const world = await fiveEntries()
    const { disk, id } = world
    const node = await openDocuments(disk, scene, { seed: 2 })
    const [envelope] = await writeOne(node, nextEntry(id, 'six'), signer!)
    const bytes = [...world.bytes, envelope!.bytes]
    const whole = node.documents.summaryOf(id)
    await node.close()
    // The last batch once more, unsynced this time, and torn.
    const lost = await openDocuments(disk, scene, { seed: 3 })
    const six = envelopeKey(id, 1, envelope!.hash)
    const summary = (await lost.store.get(summaryKey(id)))!
    await lost.store.write([{ kind: 'delete', key: six }], { sync: true })
    const again: StoreChange[] = [
      { kind: 'put', key: six, value: envelope!.bytes },
      { kind: 'put', key: summaryKey(id), value: summary },
    ]
    await lost.store.write(again, { sync: false })
    disk.faults.tearsLastBatch = true
    disk.crash(createSeededRandom(seed))
    const after = await openDocuments(disk, scene, { seed: 4 })
    await after.documents.take(id, bytes, 'peer')
    t.deepEqual(after.documents.summaryOf(id), whole)
    t.is((await after.documents.hashes(id)).length, 6)
    await after.close()
    t.deepEqual((await openDocuments(disk, scene, { seed: 5 })).opened.damaged, [])
  }
})

const harm = fc.record({ at: fc.nat(6), kind: fc.constantFrom('flip' as const, 'delete' as const), seed: fc.nat() })

test('whatever is damaged, a start never fails, and a peer that has everything makes it whole', async (t) => {
  t.timeout(60_000)
  await fc.assert(
    fc.asyncProperty(fc.array(harm, { minLength: 1, maxLength: 6 }), async (harms) => {
      const { disk, id, hashes, whole, genesis, bytes } = await fiveEntries()
      const keys = [genesisKey(id, 1), summaryKey(id), ...hashes.map((hash) => envelopeKey(id, 1, hash))]
      const deleted = new Set<string>()
      for (const { at, kind, seed } of harms) {
        const key = keys[at]!
        if (kind === 'delete') await tamper(disk, [{ kind, key }])
        else if (!deleted.has(key)) flip(disk, key, seed)
        if (kind === 'delete') deleted.add(key)
      }
      const node = await openDocuments(disk, scene, { seed: 2 })
      await node.documents.takeGenesis(genesis, scene.owner, 'peer')
      await node.documents.take(id, bytes, 'peer')
      const isWhole = JSON.stringify(node.documents.summaryOf(id)) === JSON.stringify(whole)
      const [written] = await node.documents.write([nextEntry(id, 'new')], signer!)
      await node.close()
      const again = await openDocuments(disk, scene, { seed: 3 })
      return isWhole && written?.ok === true && again.opened.damaged.length === 0 && again.opened.lanes === 1
    }),
    { numRuns: 100 },
  )
  t.pass()
})
