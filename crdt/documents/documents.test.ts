import test from 'ava'
import { createSeededRandom } from '../../base/index.ts'
import { createLaneReplica, documentIdOf } from '../lane/index.ts'
import {
  edit,
  entryText,
  hexOf,
  intentLane,
  laneScene,
  localLane,
  memberLane,
  networkId,
  shop,
} from '../lane/scene/index.ts'
import { createMemoryDisk, type Store, StoreError } from '../store/index.ts'
import { allBytes, nextEntry, openDocuments, writeOne } from './documents-scene.contract.ts'

const scene = laneScene()
const [signer, other] = scene.signers
const bakery = hexOf('bakery', 16)

test('what is written in one node is taken by another from bytes alone, and both come to the same', async (t) => {
  const a = await openDocuments(createMemoryDisk(), scene)
  const b = await openDocuments(createMemoryDisk(), scene, { seed: 2 })
  const id = await a.documents.create(intentLane, scene.owner, signer!)
  for (let n = 1; n <= 5; n++) await writeOne(a, nextEntry(id, `d${n}`, n % 2 ? shop : bakery), signer!)
  const genesis = await a.documents.genesisOf(id)
  t.like(await b.documents.takeGenesis(genesis!, scene.owner, 'a'), { ok: true })
  const taken = await b.documents.take(id, (await allBytes(a.documents, id)).toReversed(), 'a')
  t.true(taken.every(({ kind }) => kind === 'held'))
  t.deepEqual(b.documents.summaryOf(id), a.documents.summaryOf(id))
  t.deepEqual(await b.documents.hashes(id), await a.documents.hashes(id))
  t.deepEqual(await b.documents.standing(id), await a.documents.standing(id))
  t.deepEqual(await b.documents.view(id), await a.documents.view(id))
  t.deepEqual(await b.documents.genesisOf(id), genesis)
  t.is(b.documents.idOf(intentLane), id)
  t.deepEqual(b.documents.ids(), [id])
  t.deepEqual(b.documents.epochOf(id), a.documents.epochOf(id))
  t.is(b.documents.epochOf(id)?.place.writers.size, 3)
  const again = await b.documents.take(id, await allBytes(a.documents, id), 'a')
  t.deepEqual([...new Set(again.map(({ kind }) => kind))], ['known'])
})

test('after a start everything is as before, and nothing was replayed for it', async (t) => {
  const disk = createMemoryDisk()
  const before = await openDocuments(disk, scene)
  const id = await before.documents.create(intentLane, scene.owner, signer!)
  const member = await before.documents.create(memberLane, laneScene(memberLane).owner, signer!)
  for (let n = 1; n <= 3; n++) await writeOne(before, nextEntry(id, `d${n}`), signer!)
  const summaries = [id, member].map(before.documents.summaryOf)
  const epochs = [id, member].map(before.documents.epochOf)
  const standing = await before.documents.standing(id)
  await before.close()
  let hashed = 0
  const sha256 = (bytes: Uint8Array) => {
    hashed += 1
    return scene.powers.hash.sha256(bytes)
  }
  const after = await openDocuments(disk, { powers: { ...scene.powers, hash: { sha256 } } }, { seed: 2 })
  t.deepEqual(after.opened, { lanes: 2, damaged: [] })
  t.is(hashed, 3, 'the ids of three keys that both lanes share, and no envelope')
  t.deepEqual([id, member].map(after.documents.summaryOf), summaries)
  t.deepEqual([id, member].map(after.documents.epochOf), epochs)
  t.is(after.documents.idOf(memberLane), member)
  t.deepEqual(await after.documents.standing(id), standing)
  t.deepEqual(after.lines, [])
})

test('envelopes come after what they stand on, those asked for alone', async (t) => {
  const a = await openDocuments(createMemoryDisk(), scene)
  const id = await a.documents.create(intentLane, scene.owner, signer!)
  const made: string[] = []
  for (let n = 1; n <= 20; n++) {
    const envelopes = await writeOne(a, nextEntry(id, `d${n}`), signer!)
    made.push(...envelopes.map(({ hash }) => hash))
  }
  const replica = createLaneReplica({ epoch: a.documents.epochOf(id)!, powers: scene.powers })
  for (const bytes of await allBytes(a.documents, id))
    t.like(replica.receiveBytes(bytes), { kind: 'held', status: { kind: 'valid' } })
  const few = await a.documents.envelopes(id, new Set([made[7]!, made[2]!, 'ab'.repeat(32)]))
  t.is(few.length, 2)
  t.deepEqual(await a.documents.hashes(id), made.toSorted())
  t.deepEqual(await a.documents.envelopes('ab'.repeat(16), new Set(made)), [])
  t.deepEqual(await a.documents.hashes('ab'.repeat(16)), [])
})

test('a listener hears of what is on disk, in order, with who brought it', async (t) => {
  const disk = createMemoryDisk()
  const a = await openDocuments(disk, scene)
  const b = await openDocuments(createMemoryDisk(), scene, { seed: 2 })
  const seen: string[] = []
  const stop = a.documents.onChange(({ documentId, envelopes }) => {
    // What is heard survives a power cut: it is in the disk's synced part now.
    seen.push(`${documentId === id ? 'lane' : documentId} ${envelopes.length}`)
  })
  a.documents.onChange(() => {
    throw new Error('a listener that fails')
  })
  let id = ''
  id = await a.documents.create(intentLane, scene.owner, signer!)
  await writeOne(a, nextEntry(id, 'one'), signer!)
  stop()
  await writeOne(a, nextEntry(id, 'two'), signer!)
  t.deepEqual(seen.slice(1), ['lane 1'])
  t.is(seen.length, 2)
  t.deepEqual(
    a.heard.map(({ envelopes, from }) => [envelopes.length, from]),
    [
      [0, undefined],
      [1, undefined],
      [1, undefined],
    ],
  )
  t.is(a.lines.filter(({ message }) => /listener/.test(message)).length, 3)
  await b.documents.takeGenesis((await a.documents.genesisOf(id))!, scene.owner, 'peer a')
  await b.documents.take(id, await allBytes(a.documents, id), 'peer a')
  await b.documents.take(id, await allBytes(a.documents, id), 'peer a')
  t.deepEqual(
    b.heard.map(({ envelopes, from }) => [envelopes.length, from]),
    [
      [0, 'peer a'],
      [2, 'peer a'],
    ],
  )
})

test('what a listener heard survives a power cut at that moment', async (t) => {
  for (const step of ['genesis', 'write', 'take'] as const) {
    const source = await openDocuments(createMemoryDisk(), scene)
    const id = await source.documents.create(intentLane, scene.owner, signer!)
    await writeOne(source, nextEntry(id, 'one'), signer!)
    const disk = createMemoryDisk()
    const a = await openDocuments(disk, scene, { seed: 2 })
    const genesis = (await source.documents.genesisOf(id))!
    const heardOf = new Promise<number>((resolve) => {
      let count = 0
      a.documents.onChange(({ envelopes }) => {
        count += envelopes.length
        if (step !== 'genesis' && count === 0) return
        // Nothing but what was synced is kept.
        disk.crash({ ...createSeededRandom(1), unit: () => 0 })
        resolve(count)
      })
    })
    await a.documents.takeGenesis(genesis, scene.owner, 'x')
    if (step === 'write') await writeOne(a, nextEntry(id, 'two'), other!)
    if (step === 'take') await a.documents.take(id, await allBytes(source.documents, id), 'x')
    const count = await heardOf
    const after = await openDocuments(disk, scene, { seed: 3 })
    t.deepEqual(after.opened, { lanes: 1, damaged: [] }, step)
    t.is((await after.documents.hashes(id)).length, count, step)
  }
})

test('a lane is begun once, also when it is asked for twice at once', async (t) => {
  const a = await openDocuments(createMemoryDisk(), scene)
  const ids = await Promise.all([1, 2, 3].map(() => a.documents.create(intentLane, scene.owner, signer!)))
  t.is(new Set(ids).size, 1)
  t.is(a.heard.length, 1)
  const stranger = scene.powers.signatures.signer(new Uint8Array(32).fill(99))
  await t.throwsAsync(() => a.documents.create(localLane, laneScene(localLane).owner, stranger), {
    instanceOf: RangeError,
    message: /cannot begin local\/\.de/,
  })
  t.is(a.documents.idOf(localLane), undefined)
})

test('a lane that is begun at two nodes is one document, and what was written apart stands in it', async (t) => {
  const a = await openDocuments(createMemoryDisk(), scene)
  const b = await openDocuments(createMemoryDisk(), scene, { seed: 2 })
  const id = await a.documents.create(intentLane, scene.owner, signer!)
  t.is(await b.documents.create(intentLane, scene.owner, other!), id)
  // The fixture of the form: another id would begin each lane anew.
  t.is(id, 'd68b898351ca8a41ba5d232ba59a632c')
  t.is(id, documentIdOf({ networkId, lane: intentLane, owner: scene.owner.id }, scene.powers.hash))
  t.is(b.documents.epochOf(id)?.id, a.documents.epochOf(id)?.id)
  await writeOne(a, nextEntry(id, 'at a'), signer!)
  await writeOne(b, nextEntry(id, 'at b', bakery), other!)
  for (const [to, from] of [
    [a, b],
    [b, a],
  ] as const) {
    t.like(await to.documents.takeGenesis((await from.documents.genesisOf(id))!, scene.owner, 'peer'), { ok: true })
    await to.documents.take(id, await allBytes(from.documents, id), 'peer')
  }
  t.deepEqual([...(await a.documents.standing(id)).keys()].toSorted(), [bakery, shop].toSorted())
  t.deepEqual(a.documents.summaryOf(id), b.documents.summaryOf(id))
  t.deepEqual(a.documents.lateNames(id), [])
  // Another lane, and another owner of the same name, is another document.
  const lane = { networkId, lane: localLane, owner: scene.owner.id }
  t.not(documentIdOf(lane, scene.powers.hash), id)
  t.not(documentIdOf({ ...lane, lane: intentLane, owner: hexOf('anew', 16) }, scene.powers.hash), id)
})

test('a document of another id for a lane that is held is refused as a rival', async (t) => {
  const a = await openDocuments(createMemoryDisk(), scene)
  const id = await a.documents.create(intentLane, scene.owner, signer!)
  const refused = await a.documents.takeGenesis(laneScene().genesis, scene.owner, 'b')
  t.is(refused.ok ? '' : refused.refusal.code, 'rival')
  t.deepEqual(a.documents.ids(), [id])
  t.like(await a.documents.takeGenesis((await a.documents.genesisOf(id))!, scene.owner, 'b'), { ok: true })
  t.is(a.heard.length, 1)
  const wrong = await a.documents.takeGenesis(laneScene().genesis, { ...scene.owner, generation: 2 }, 'b')
  t.is(wrong.ok ? '' : wrong.refusal.code, 'wrong-owner')
  const garbage = await a.documents.takeGenesis(new Uint8Array(10), scene.owner, 'b')
  t.false(garbage.ok)
})

test('a lane of a random id, as earlier releases began them, is opened and gone on with', async (t) => {
  const a = await openDocuments(createMemoryDisk(), scene)
  t.like(await a.documents.takeGenesis(scene.genesis, scene.owner, 'earlier'), { ok: true })
  const id = await a.documents.create(intentLane, scene.owner, signer!)
  t.is(id, scene.epoch.documentId)
  await writeOne(a, nextEntry(id, 'on'), signer!)
  t.is((await a.documents.standing(id)).size, 1)
})

test('a write gives one answer per lane, in their order', async (t) => {
  const a = await openDocuments(createMemoryDisk(), scene)
  const local = laneScene(localLane)
  const intent = await a.documents.create(intentLane, scene.owner, signer!)
  const second = await a.documents.create(localLane, local.owner, signer!)
  const text = entryText({ n: 1 })
  const results = await a.documents.write(
    [
      { documentId: second, edit: () => new Map() },
      { documentId: intent, edit: () => edit(text) },
      { documentId: second, edit: () => edit('{}') },
      { documentId: second, edit: () => edit(text) },
      // Sees what the one before it in the same call wrote.
      { documentId: second, edit: ({ fence }) => edit(entryText({ n: fence.n + 1 })) },
      { documentId: intent, edit: () => edit(text) },
    ],
    signer!,
  )
  t.deepEqual(
    results.map((result) => (result.ok ? 'ok' : result.refusal.code)),
    ['no-change', 'ok', 'bad-entry', 'ok', 'ok', 'no-change'],
  )
  t.is(a.documents.summaryOf(second)?.fence.n, 2)
  t.deepEqual(
    a.heard.slice(2).map(({ documentId, envelopes }) => [documentId === second, envelopes.length]),
    [
      [true, 2],
      [false, 1],
    ],
  )
  const stranger = scene.powers.signatures.signer(new Uint8Array(32).fill(99))
  const [refused] = await a.documents.write([{ documentId: intent, edit: () => edit(entryText({ n: 9 })) }], stranger)
  t.is(refused?.ok ? '' : refused?.refusal.code, 'not-a-writer')
  await t.throwsAsync(() => a.documents.write([nextEntry('ab'.repeat(16), 'x')], signer!), { instanceOf: RangeError })
  await t.throwsAsync(() => a.documents.standing('ab'.repeat(16)), { instanceOf: RangeError })
  t.is(await a.documents.view('ab'.repeat(16)), undefined)
  t.is(await a.documents.genesisOf('ab'.repeat(16)), undefined)
})

test('writes of many lanes at once come to what one after the other would', async (t) => {
  const lanes = Array.from({ length: 150 }, (_, at) => ({ ...localLane, scope: `/s${at}` as never }))
  const disk = createMemoryDisk()
  const a = await openDocuments(disk, scene, { cacheReplicas: 10 })
  const ids: string[] = []
  for (const lane of lanes) ids.push(await a.documents.create(lane, laneScene(lane).owner, signer!))
  for (let round = 1; round <= 3; round++) {
    const results = await a.documents.write(
      ids.map((id) => nextEntry(id, `r${round}`)),
      signer!,
    )
    t.true(results.every(({ ok }) => ok))
  }
  await a.close()
  const b = await openDocuments(disk, scene, { seed: 2 })
  t.deepEqual(b.opened, { lanes: 150, damaged: [] })
  for (const id of ids) t.like(b.documents.summaryOf(id), { fence: { generation: 1, n: 3 } })
})

test('work on one lane goes one after the other, whatever is asked for at once', async (t) => {
  const a = await openDocuments(createMemoryDisk(), scene, { cacheReplicas: 0 })
  const local = laneScene(localLane)
  const ids = [
    await a.documents.create(intentLane, scene.owner, signer!),
    await a.documents.create(localLane, local.owner, signer!),
  ]
  const jobs = Array.from({ length: 40 }, (_, at) => {
    const order = at % 3 === 0 ? ids : ids.toReversed()
    return at % 4 === 3
      ? a.documents.standing(ids[at % 2]!)
      : a.documents.write(
          order.map((id) => nextEntry(id, `j${at}`)),
          signer!,
        )
  })
  await Promise.all(jobs)
  for (const id of ids) {
    t.is(a.documents.summaryOf(id)?.fence.n, 30)
    t.is(a.documents.summaryOf(id)?.heads.length, 1)
  }
})

test('a disk that refuses costs the write and nothing else: the lanes go on as a new incarnation', async (t) => {
  const disk = createMemoryDisk()
  const a = await openDocuments(disk, scene)
  const id = await a.documents.create(intentLane, scene.owner, signer!)
  const [first] = await writeOne(a, nextEntry(id, 'one'), signer!)
  const [second] = await writeOne(a, nextEntry(id, 'two'), signer!)
  t.is(second?.incarnation, first?.incarnation)
  const before = a.documents.summaryOf(id)
  disk.faults.isFull = true
  const error = await t.throwsAsync(() => writeOne(a, nextEntry(id, 'lost'), signer!), { instanceOf: StoreError })
  t.is((error as StoreError).code, 'disk-full')
  const source = await openDocuments(createMemoryDisk(), scene, { seed: 5 })
  await source.documents.takeGenesis((await a.documents.genesisOf(id))!, scene.owner, 'x')
  await writeOne(source, nextEntry(id, 'other'), other!)
  const bytes = await allBytes(source.documents, id)
  await t.throwsAsync(() => a.documents.take(id, bytes, 'x'), { instanceOf: StoreError })
  t.deepEqual(a.documents.summaryOf(id), before)
  t.is(a.heard.length, 3)
  disk.faults.isFull = false
  const [third] = await writeOne(a, nextEntry(id, 'three'), signer!)
  t.not(third?.incarnation, first?.incarnation)
  t.is(third?.seq, 1)
  t.like(await a.documents.take(id, bytes, 'x'), [{ kind: 'held' }])
  t.is((await a.documents.hashes(id)).length, 4)
})

test('a write that failed and is on disk all the same is taken for what it is', async (t) => {
  const disk = createMemoryDisk()
  let isLying = false
  const lying = () => {
    const store = disk.store()
    const write: Store['write'] = async (batch, options) => {
      await store.write(batch, options)
      if (isLying) throw new StoreError('write-failed', 'the sync failed')
    }
    return { ...store, write }
  }
  const a = await openDocuments({ store: lying }, scene)
  const id = await a.documents.create(intentLane, scene.owner, signer!)
  isLying = true
  await t.throwsAsync(() => writeOne(a, nextEntry(id, 'one'), signer!), { instanceOf: StoreError })
  isLying = false
  t.is(a.heard.length, 1)
  const [second] = await writeOne(a, nextEntry(id, 'two'), signer!)
  t.is(second?.seq, 1)
  t.is(a.documents.summaryOf(id)?.fence.n, 2)
  t.is((await a.documents.hashes(id)).length, 2)
  t.deepEqual(a.documents.summaryOf(id)?.heads, [second?.hash])
  t.deepEqual(
    a.heard.map(({ envelopes }) => envelopes.length),
    [0, 0, 1],
  )
})

test('an edit that throws costs the write and nothing else', async (t) => {
  const a = await openDocuments(createMemoryDisk(), scene)
  const id = await a.documents.create(intentLane, scene.owner, signer!)
  const failing = {
    documentId: id,
    edit: () => {
      throw new Error('cannot decide')
    },
  }
  await t.throwsAsync(() => a.documents.write([nextEntry(id, 'one'), failing], signer!), { message: 'cannot decide' })
  t.deepEqual(await a.documents.hashes(id), [])
  await writeOne(a, nextEntry(id, 'two'), signer!)
  t.is((await a.documents.hashes(id)).length, 1)
})
