import test from 'ava'
import fc from 'fast-check'
import { createManualClock, createSeededRandom } from '../../base/index.ts'
import { openEnvelope } from '../envelope/index.ts'
import { createLaneReplica, type LaneReplica, validSet } from '../lane/index.ts'
import { craft, edit, entryText, hexOf, intentLane, type LaneScene, laneScene, shop } from '../lane/scene/index.ts'
import { createMemoryDisk, StoreError } from '../store/index.ts'
import { nextEntry, type OpenedScene, openDocuments } from './documents-scene.contract.ts'

const scene = laneScene()
const [signer] = scene.signers
const applications = [shop, hexOf('bakery', 16)]

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), pick: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('peer writes' as const), pick: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('peer forks' as const), pick: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('give' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash in a write' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('full disk' as const), pick: fc.nat(1) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A peer's replica of the lane, with an honest writer and one that signs two changes of one number. */
const createPeer = ({ epoch, powers }: Pick<LaneScene, 'epoch' | 'powers'>) => {
  const replica: LaneReplica = createLaneReplica({ epoch, powers })
  const made: Uint8Array[] = []
  return {
    replica,
    made,
    write: (application: string, count: number) => {
      const text = entryText({ n: replica.summary().fence.n + 1, decision: hexOf(`p${count}`, 16) })
      const result = replica.author(edit(text, application), scene.writer(1, `peer ${count % 3}`))
      if (result.ok) made.push(...result.envelopes.map(({ bytes }) => bytes))
    },
    fork: (count: number, laneOf: LaneScene) => {
      const heads = replica.graph.state().heads()
      const envelope = craft(laneOf, scene.writer(2, 'forked'), {
        seq: 1,
        startOp: 1 + heads.reduce((most, { change }) => Math.max(most, change.header.maxOp), 0),
        deps: heads.map(({ change }) => change.header.hash).slice(0, 16),
        puts: [
          {
            key: shop,
            value: entryText({ n: replica.summary().fence.n + 1, decision: hexOf(`f${count}`, 16) }),
            replaces: (replica.standing().get(shop) ?? []).map(({ id }) => id),
          },
        ],
      })
      made.push(envelope.bytes)
      replica.receive(envelope)
    },
  }
}

/** Plays the steps on one node and gives what it acknowledged, and what it came to. */
const play = async (steps: readonly Step[]) => {
  const disk = createMemoryDisk()
  let seed = 1
  let node: OpenedScene = await openDocuments(disk, scene, { seed })
  const id = await node.documents.create(intentLane, scene.owner, signer!)
  const epoch = node.documents.epochOf(id)!
  const laneOf = { ...scene, epoch }
  const peer = createPeer(laneOf)
  const acknowledged = new Map<string, Uint8Array>()
  const hear = () => {
    for (const { envelopes } of node.heard.splice(0))
      for (const { hash, bytes } of envelopes) acknowledged.set(hash, bytes)
  }
  const start = async () => {
    seed += 1
    node = await openDocuments(disk, scene, { seed, cacheReplicas: seed % 3 })
    if (node.opened.damaged.length > 0) throw new Error('damaged after a crash')
  }
  const run: { readonly [Kind in Step['kind']]: (pick: number, count: number) => Promise<unknown> } = {
    write: (pick, count) => node.documents.write([nextEntry(id, `w${count}`, applications[pick])], signer!),
    'peer writes': async (pick, count) => peer.write(applications[pick % 2]!, count),
    'peer forks': async (_, count) => peer.fork(count, laneOf),
    take: (pick) => {
      // Some of what the peer has, in an order of its own, some of it twice.
      const some = peer.made.filter((_, at) => ((pick >> (at % 20)) & 1) === 0)
      return node.documents.take(id, pick % 2 ? some.toReversed() : [...some, ...some.slice(0, 2)], 'peer')
    },
    give: async (pick) => {
      const bytes = [...acknowledged.values()]
      for (const one of pick % 2 ? bytes : bytes.slice(0, pick % 5)) peer.replica.receiveBytes(one)
    },
    crash: async (pick) => {
      disk.crash(createSeededRandom(pick))
      await start()
    },
    'crash in a write': async (pick, count) => {
      const clock = createManualClock()
      disk.faults.slowSync = { clock, delayMs: 10 }
      void node.documents.write([nextEntry(id, `c${count}`)], signer!)
      for (let turn = 0; turn < (pick % 4) * 40; turn++) await Promise.resolve()
      disk.faults.slowSync = undefined
      disk.crash(createSeededRandom(pick))
      await start()
      // What was on its way may be there; if so it counts as acknowledged from now on.
      const hashes = await node.documents.hashes(id)
      for (const bytes of await node.documents.envelopes(id, new Set(hashes)))
        acknowledged.set(scene.powers.hash.sha256(bytes).toString(), bytes)
    },
    restart: async () => {
      await node.close()
      await start()
    },
    'full disk': async (_, count) => {
      disk.faults.isFull = true
      const refused = await node.documents.write([nextEntry(id, `l${count}`)], signer!).catch((error) => error)
      if (!(refused instanceof StoreError)) throw new Error('written to a full disk')
      disk.faults.isFull = false
    },
  }
  for (const [count, { kind, pick }] of steps.entries()) {
    await run[kind](pick, count)
    hear()
  }
  const opened = [...acknowledged.values()].flatMap((bytes) => {
    const result = openEnvelope(bytes, epoch.place, scene.powers)
    return result.ok ? [result.envelope] : []
  })
  return { node, id, epoch, envelopes: [...new Map(opened.map((one) => [one.hash, one])).values()] }
}

test('whatever is written, taken, crashed and opened again comes to the valid set of what was acknowledged', async (t) => {
  t.timeout(100_000)
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const { node, id, epoch, envelopes } = await play(steps)
      const whole = validSet(epoch, envelopes, scene.powers.hash)
      const summary = node.documents.summaryOf(id)
      const hashes = await node.documents.hashes(id)
      const standing = createLaneReplica({ epoch, powers: scene.powers })
      for (const envelope of whole.valid) standing.receive(envelope)
      for (const { kind } of steps) seen.add(kind)
      if (whole.excluded.length > 0) seen.add('excluded')
      if (whole.parked.length > 0) seen.add('parked')
      return (
        JSON.stringify(hashes) === JSON.stringify(envelopes.map(({ hash }) => hash).toSorted()) &&
        JSON.stringify(summary?.heads) === JSON.stringify(whole.heads) &&
        JSON.stringify(summary?.fence) === JSON.stringify(whole.fence) &&
        JSON.stringify([...(await node.documents.standing(id))]) === JSON.stringify([...standing.standing()]) &&
        // Its own key never signs two changes of one number, whatever befell it.
        whole.equivocations.every(({ author }) => author !== signer!.keyId)
      )
    }),
    { numRuns: 400 },
  )
  t.is(seen.size, 11, [...seen].join())
})
