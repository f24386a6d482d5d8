import test from 'ava'
import { createManualClock, createSeededRandom } from '../../base/index.ts'
import { hexOf, intentLane } from '../lane/scene/index.ts'
import { StoreError } from '../store/index.ts'
import { nextEntry, openDocuments, writeOne } from './documents-scene.contract.ts'
import { type Holder, openHolder, scene } from './seal-scene.contract.ts'

const [first, second] = scene.signers
const bakery = hexOf('bakery', 16)

/** A sealed lane whose next change of epoch moves late changes, an old epoch and, at `rival`, a chain that loses. */
const beforeTurn = async () => {
  const owner = await openHolder('owner', { keepEpochs: 1 })
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd1'), first!)
  const rival = await openHolder('rival', { keepEpochs: 1 }, { documents: owner.documents, id })
  await writeOne(rival, nextEntry(id, 'lost', bakery), second!)
  await owner.documents.seal(id, { owner: scene.owner, signer: first! })
  await rival.documents.seal(id, { owner: scene.owner, signer: second! })
  await writeOne(owner, nextEntry(id, 'one'), first!)
  await writeOne(rival, nextEntry(id, 'two'), second!)
  const isOwnerAhead = owner.documents.epochOf(id)!.id < rival.documents.epochOf(id)!.id
  const [winner, loser] = isOwnerAhead ? [owner, rival] : [rival, owner]
  const common = await winner.documents.envelopes(id, new Set(await winner.documents.hashes(id, 1)), 1)
  return { id, winner, loser, common, genesis: (await winner.documents.genesisOf(id))! }
}
type World = Awaited<ReturnType<typeof beforeTurn>>

const works: Readonly<Record<string, (world: World) => { at: Holder; turn: () => Promise<unknown> }>> = {
  'its owner seals': ({ id, winner }) => ({
    at: winner,
    turn: () => winner.documents.seal(id, { owner: scene.owner, signer: first! }),
  }),
  'a seal that goes before the held one is taken': ({ loser, genesis }) => ({
    at: loser,
    turn: () => loser.documents.takeGenesis(genesis, scene.owner, 'peer'),
  }),
  'a late change is taken': ({ id, winner, loser }) => ({
    at: winner,
    turn: async () =>
      winner.documents.takeLate(
        id,
        await loser.documents.envelopes(id, new Set(await loser.documents.hashes(id))),
        'peer',
      ),
  }),
}

const account = async ({ documents }: Pick<Holder, 'documents'>, id: string) => {
  const epochs = [...documents.pastOf(id).map(({ epoch }) => epoch), documents.epochOf(id)!.epoch]
  const standing = [...(await documents.standing(id))].map(([key, puts]) => [key, puts.map(({ value }) => value)])
  const hashes = await Promise.all(epochs.map((epoch) => documents.hashes(id, epoch)))
  const late = (await documents.late(id)).map(({ hash, reason }) => `${hash} ${reason}`)
  return JSON.stringify([documents.summaryOf(id), epochs, hashes, standing, late.toSorted()])
}

for (const [title, begin] of Object.entries(works))
  test(`a power cut at any moment while ${title}: the lane is as it was, or as it is after`, async (t) => {
    t.timeout(100_000)
    const came = new Set<string>()
    for (let turns = 0; turns < 240; turns += 16) {
      const world = await beforeTurn()
      const { id, loser, common } = world
      await loser.documents.take(id, common, 'peer')
      const { at, turn } = begin(world)
      const before = await account(at, id)
      const clock = createManualClock()
      at.disk.faults.slowSync = { clock, delayMs: 10 }
      turn().catch(() => {})
      for (let n = 0; n < turns; n++) await Promise.resolve()
      if (turns % 32 === 0) await new Promise((resolve) => setImmediate(resolve))
      at.disk.faults.slowSync = undefined
      at.disk.crash(createSeededRandom(turns))
      const again = await openDocuments(at.disk, scene, { seed: turns + 2, keepEpochs: 1 })
      t.deepEqual(again.opened, { lanes: 1, damaged: [] })
      const found = await account(again, id)
      const done = await beforeTurn().then(async (other) => {
        await other.loser.documents.take(other.id, other.common, 'peer')
        const same = begin(other)
        await same.turn()
        return account(same.at, other.id)
      })
      came.add(found === before ? 'before' : found === done ? 'after' : `neither: ${found}\n${before}\n${done}`)
    }
    t.deepEqual([...came].toSorted(), ['after', 'before'])
  })

test('a full disk: the lane is not sealed, and is written on', async (t) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd1'), first!)
  owner.disk.faults.isFull = true
  await t.throwsAsync(owner.documents.seal(id, { owner: scene.owner, signer: first! }), { instanceOf: StoreError })
  owner.disk.faults.isFull = false
  t.is(owner.documents.epochOf(id)?.epoch, 1)
  await writeOne(owner, nextEntry(id, 'd2'), first!)
  t.true((await owner.documents.seal(id, { owner: scene.owner, signer: first! })).ok)
  t.is(owner.documents.summaryOf(id)?.fence.n, 2)
})
