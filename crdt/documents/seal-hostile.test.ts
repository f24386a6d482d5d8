import test from 'ava'
import { nothingBlocked } from '../authority/index.ts'
import { openEnvelope } from '../envelope/index.ts'
import {
  canonicalState,
  type LaneState,
  laneGuards,
  openGenesis,
  parseState,
  sealGenesis,
  stateHash,
  validSet,
} from '../lane/index.ts'
import { craft, entryText, hexOf, intentLane, networkId, shop } from '../lane/scene/index.ts'
import { allBytes, nextEntry, writeOne } from './documents-scene.contract.ts'
import { type SealGuards, sealGuards } from './index.ts'
import { bring, codeOf, openHolder, scene } from './seal-scene.contract.ts'

const [first, second] = scene.signers
const without = (name: keyof SealGuards, open: SealGuards[typeof name]): SealGuards => ({ ...sealGuards, [name]: open })

/** A lane with two entries at its owner, and one that holds it all. */
const world = async (sealing?: SealGuards) => {
  const owner = await openHolder('owner')
  const id = await owner.documents.create(intentLane, scene.owner, first!)
  await writeOne(owner, nextEntry(id, 'd1'), first!)
  await writeOne(owner, nextEntry(id, 'd2', hexOf('bakery', 16)), first!)
  const victim = await openHolder('victim', sealing && { sealing }, { documents: owner.documents, id })
  return { owner, victim, id }
}

/** A seal as a hostile key of the owner signs it: with any cut and any state. */
const forge = async (
  { owner, id }: Awaited<ReturnType<typeof world>>,
  change: { readonly heads?: readonly string[]; readonly state?: (state: LaneState) => LaneState } = {},
  signer = second!,
) => {
  const epoch = owner.documents.epochOf(id)!
  const standing = await owner.documents.standing(id)
  const state: LaneState = {
    lane: intentLane,
    values: new Map([...standing].map(([key, puts]) => [key, puts.map(({ value }) => value)])),
    fence: owner.documents.summaryOf(id)!.fence,
  }
  const said = change.state?.(state) ?? state
  const heads = change.heads ?? owner.documents.summaryOf(id)!.heads
  const base = { genesis: epoch.id, heads, state: stateHash(said, scene.powers.hash) }
  const fields = {
    networkId,
    documentId: id,
    lane: intentLane,
    owner: scene.owner,
    after: { epoch: epoch.epoch, base },
  }
  const { bytes } = sealGenesis(fields, [signer], scene.powers)
  return { bytes, text: new TextEncoder().encode(canonicalState(said)) }
}
const emptied = (state: LaneState): LaneState => ({ ...state, values: new Map([...state.values].slice(1)) })

test('a seal that leaves out what stands is refused by whoever holds the epoch; without the guard an entry is gone', async (t) => {
  for (const sealing of [undefined, without('isState', () => true)]) {
    const scenery = await world(sealing)
    const { victim, id } = scenery
    const { bytes, text } = await forge(scenery, { state: emptied })
    const taken = await victim.documents.takeGenesis(bytes, scene.owner, 'peer', { base: text })
    t.is(codeOf(taken), sealing === undefined ? 'wrong-state' : 'ok')
    if (sealing === undefined) t.is((await victim.documents.standing(id)).size, 2)
    t.is(victim.documents.epochOf(id)?.epoch, sealing === undefined ? 1 : 2)
  }
})

test('a base that is not the one its genesis names is refused; without the guard it says what it likes', async (t) => {
  for (const sealing of [undefined, without('isState', () => true)]) {
    const scenery = await world()
    await scenery.owner.documents.seal(scenery.id, { owner: scene.owner, signer: first! })
    const bytes = (await scenery.owner.documents.genesisOf(scenery.id))!
    const base = new TextDecoder().decode((await scenery.owner.documents.baseOf(scenery.id))!)
    const parsed = parseState(base, intentLane, scene.powers.hash)
    if (!parsed.ok) return t.fail(parsed.refusal.message)
    const bent = new TextEncoder().encode(canonicalState(emptied(parsed.state)))
    const fresh = await openHolder('fresh', sealing && { sealing })
    const taken = await fresh.documents.takeGenesis(bytes, scene.owner, 'peer', { base: bent })
    t.is(codeOf(taken), sealing === undefined ? 'wrong-state' : 'ok')
  }
})

test('a seal whose cut holds what does not count, or what is not there, begins nothing', async (t) => {
  const scenery = await world()
  const { owner, victim, id } = scenery
  const lane = { ...scene, epoch: owner.documents.epochOf(id)! }
  const bad = craft(lane, scene.writer(1), { seq: 1, startOp: 9, deps: [], puts: [] })
  await victim.documents.take(id, [bad.bytes], 'peer')
  const heads = owner.documents.summaryOf(id)!.heads
  for (const [cut, code] of [
    [[...heads, bad.hash], 'bad-cut'],
    [[...heads, 'ab'.repeat(32)], 'lacks-changes'],
    [[], 'wrong-state'],
  ] as const) {
    const { bytes } = await forge(scenery, { heads: cut })
    t.is(codeOf(await victim.documents.takeGenesis(bytes, scene.owner, 'peer')), code)
  }
  t.is(victim.documents.epochOf(id)?.epoch, 1)
})

test('a stranger seals nothing, nor does a key that was taken off or is blocked', async (t) => {
  const scenery = await world()
  const { victim } = scenery
  const stranger = scene.powers.signatures.signer(new Uint8Array(32).fill(77))
  const { bytes } = await forge(scenery, {}, stranger)
  t.is(codeOf(await victim.documents.takeGenesis(bytes, scene.owner, 'peer')), 'not-enough-signatures')
  const good = await forge(scenery)
  const sealers = new Map([[first!.keyId, first!.publicKey]])
  t.is(
    codeOf(await victim.documents.takeGenesis(good.bytes, scene.owner, 'peer', { sealers })),
    'not-enough-signatures',
  )
  t.is(codeOf(await victim.documents.takeGenesis(good.bytes, scene.owner, 'peer')), 'ok')
})

test('of two seals of one number one stays; without the guard each that comes takes the place of the other', async (t) => {
  for (const sealing of [undefined, without('isAhead', () => true)]) {
    const scenery = await world(sealing)
    const { owner, victim, id } = scenery
    const both = [
      await forge(scenery),
      await forge(scenery, { heads: [], state: (s) => ({ ...s, values: new Map(), fence: { generation: 1, n: 0 } }) }),
    ]
    const ids = both.map(({ bytes }) => {
      const opened = openGenesis(bytes, { networkId, owner: scene.owner, blocked: nothingBlocked }, scene.powers)
      return opened.ok ? opened.epoch.id : ''
    })
    const came: string[] = []
    for (const at of [0, 1, 0, 1]) {
      await victim.documents.takeGenesis(both[at]!.bytes, scene.owner, 'peer')
      came.push(victim.documents.epochOf(id)!.id)
    }
    const least = ids.toSorted()[0]
    if (sealing === undefined) t.deepEqual(came.slice(1), [least, least, least])
    else t.true(new Set(came.slice(1)).size > 1)
    t.truthy(owner)
  }
})

test('late changes of one author have a bound; without the guard they fill the disk', async (t) => {
  for (const sealing of [undefined, without('fits', () => true)]) {
    const { owner, victim, id } = await world(sealing)
    const lane = { ...scene, epoch: owner.documents.epochOf(id)! }
    await owner.documents.seal(id, { owner: scene.owner, signer: first! })
    await bring(owner.documents, victim, id)
    const flood = Array.from({ length: 300 }, (_, n) =>
      craft(lane, scene.writer(1, `life ${n}`), { seq: 1, startOp: 1, deps: [], puts: [] }),
    )
    const taken = await victim.documents.take(
      id,
      flood.map(({ bytes }) => bytes),
      'peer',
    )
    const kept = taken.filter(({ kind }) => kind === 'late').length
    t.is(kept, sealing === undefined ? 256 : 300)
    t.is(victim.documents.lateNames(id).length, kept)
    // An honest author has room of its own.
    const honest = craft(lane, scene.writer(2), { seq: 1, startOp: 1, deps: [], puts: [] })
    t.deepEqual(await victim.documents.take(id, [honest.bytes], 'peer'), [{ kind: 'late' }])
  }
})

test('a change that passes by what its epoch began with counts for nothing; without the guard it hides in a conflict', async (t) => {
  const { owner, id } = await world()
  await owner.documents.seal(id, { owner: scene.owner, signer: first! })
  const epoch = owner.documents.epochOf(id)!
  const base = parseState(new TextDecoder().decode((await owner.documents.baseOf(id))!), intentLane, scene.powers.hash)
  if (!base.ok) return t.fail(base.refusal.message)
  const envelope = craft({ ...scene, epoch }, scene.writer(1), {
    seq: 1,
    startOp: 1,
    deps: [],
    puts: [{ key: shop, value: entryText({ n: 3 }), replaces: [] }],
  })
  const guards = Object.values(laneGuards).filter((guard) => guard !== laneGuards.base)
  t.deepEqual(validSet(epoch, [envelope], scene.powers.hash, { base: base.state }).valid, [])
  t.is(validSet(epoch, [envelope], scene.powers.hash, { base: base.state, guards }).valid.length, 1)
})

test('envelopes of one seal never count under its rival, though number, writers and places are the same', async (t) => {
  const { owner, victim, id } = await world()
  await owner.documents.seal(id, { owner: scene.owner, signer: first! })
  await victim.documents.seal(id, {
    owner: scene.owner,
    signer: second!,
    writers: [first!.publicKey, second!.publicKey],
  })
  const made = await writeOne(owner, nextEntry(id, 'd3'), first!)
  const place = victim.documents.epochOf(id)!.place
  t.true(openEnvelope(made[0]!.bytes, place, scene.powers).ok)
  const [taken] = await victim.documents.take(id, [made[0]!.bytes], 'peer')
  t.like(taken, { kind: 'held', status: { kind: 'parked' } })
  t.is((await victim.documents.standing(id)).size, 2)
  t.is((await allBytes(owner.documents, id)).length, 1)
})
