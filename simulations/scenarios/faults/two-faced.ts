import { createSeededRandom, type Random, randomHex, silentLog } from '../../../base/index.ts'
import {
  createBook,
  createDocuments,
  createMemoryDisk,
  type Documents,
  laneOwner,
  nodeHash,
  type Owner,
  type Signer,
  sealGenesis,
} from '../../../crdt/index.ts'
import { encodeMessage } from '../../../crdt/replication/index.ts'
import { writeEntries } from '../../../node/services/deployments/index.ts'
import type { Machine, SpokenStream, World } from '../../world/index.ts'
import { readPiece } from '../lanes.ts'
import { type Fault, pick, running } from './fault.ts'
import { signAgain } from './forged-changes.ts'

/** A lane of an owner in bad hands, and the streams to those who hold it, in two halves. */
interface Grip {
  readonly world: World
  readonly machine: Machine
  readonly signer: Signer
  readonly random: Random
  readonly documentId: string
  readonly halves: readonly [readonly SpokenStream[], readonly SpokenStream[]]
}

/** What of the lane lies on the owner's disk, opened a second time: what is written there its own program does not see. */
interface Copy {
  readonly documents: Documents
  readonly owner: Owner
  /** Number of the open epoch. */
  readonly epoch: number
}

const documentStreams = (world: World, machine: Machine): readonly SpokenStream[] => {
  const last = new Map<string, SpokenStream>()
  for (const link of world.network.spokenBy(machine.place.name))
    for (const stream of link.streams()) if (stream.purpose === 'documents') last.set(stream.to, stream)
  return [...last.values()]
}

const holds = (machine: Machine, documentId: string): boolean =>
  machine.disk.names().stored.some((key) => key.startsWith(`d/${documentId}/g/`))

/** Lanes with entries that a machine owns and at least two others hold. */
const grips = (world: World, machine: Machine, random: Random): readonly Grip[] => {
  const signer = machine.signer()
  const streams = documentStreams(world, machine)
  if (signer === undefined || streams.length < 2) return []
  const found = new Map<string, Grip>()
  for (const key of machine.disk.names().stored) {
    if (!/^d\/\w+\/g\//.test(key)) continue
    const piece = machine.disk.peek(key).flatMap((bytes) => readPiece(key, bytes) ?? [])[0]
    if (piece?.kind !== 'genesis' || piece.lane.kind !== 'intent') continue
    const owner = laneOwner(piece.lane)
    if (owner === undefined || !('scope' in owner) || owner.scope !== machine.place.scope) continue
    const holders = streams.filter(({ to }) => holds(world.machine(to), piece.documentId))
    if (holders.length < 2) continue
    const half = Math.ceil(holders.length / 2)
    const halves = [holders.slice(0, half), holders.slice(half)] as const
    found.set(piece.documentId, { world, machine, signer, random, documentId: piece.documentId, halves })
  }
  return [...found.values()]
}

/** @param seed copies of one seed sign with the same numbers of the same actor */
const openCopy = async (grip: Grip, contents: ReadonlyMap<string, Uint8Array>, seed: number): Promise<Copy> => {
  const { world, machine, documentId } = grip
  const store = createMemoryDisk().store()
  await store.open()
  await store.write(
    [...contents].map(([key, value]) => ({ kind: 'put', key, value })),
    { sync: true },
  )
  const networkId = machine.node()?.networkId ?? ''
  const powers = { hash: nodeHash, signatures: world.signatures }
  const random = createSeededRandom(seed)
  const book = createBook({ store, powers, log: silentLog, networkId })
  await book.open()
  const documents = createDocuments({ store, networkId: () => networkId, powers, random, log: silentLog })
  await documents.open()
  const epoch = documents.epochOf(documentId)
  const by = epoch && laneOwner(epoch.lane)
  const owner =
    by !== undefined && 'scope' in by
      ? by.roles.flatMap((role) => book.ownerAt(by.scope, role) ?? []).find(({ keys }) => keys.has(grip.signer.keyId))
      : undefined
  if (epoch === undefined || owner === undefined) throw new RangeError(`${documentId} is not this owner's`)
  return { documents, owner, epoch: epoch.epoch }
}

/** Decides anew what stands already: nothing is to run otherwise for it. */
const writeAgain = async ({ documentId, signer, random }: Grip, { documents }: Copy, what: string) => {
  const epoch = documents.epochOf(documentId)
  const entries = [...((await documents.view(documentId))?.entries ?? [])]
  const [application, [entry]] = entries.find(([, [first]]) => first !== undefined) ?? ['', []]
  if (epoch === undefined || entry === undefined) throw new RangeError('nothing stands in the lane')
  const { version, step, decision } = entry
  const write = {
    child: epoch.lane.kind === 'intent' ? epoch.lane.scope : ('/' as never),
    application,
    version,
    decision: randomHex(random.fork(what), 16),
    step,
    seen: [decision],
  }
  const [written] = await documents.write(
    [{ documentId, edit: (draft) => writeEntries(draft, [write], epoch.generation) }],
    signer,
  )
  if (written?.ok !== true) throw new RangeError(`it could not be written: ${written?.refusal.message}`)
  return written.envelopes.map(({ bytes }) => bytes)
}

/** @returns the record that begins the next epoch */
const seal = async ({ documentId, signer }: Grip, { documents, owner }: Copy): Promise<Uint8Array> => {
  const sealed = await documents.seal(documentId, { owner, signer, isForced: true })
  const genesis = await documents.genesisOf(documentId)
  if (!sealed.ok || genesis === undefined) throw new RangeError('the lane could not be sealed')
  return genesis
}

type Gift = { readonly envelopes?: readonly Uint8Array[]; readonly genesis?: Uint8Array }

const hand = (documentId: string, to: readonly SpokenStream[], { envelopes, genesis }: Gift) => {
  for (const stream of to) {
    if (envelopes) stream.say(encodeMessage({ kind: 'envelopes', documentId, envelopes }))
    if (genesis) stream.say(encodeMessage({ kind: 'genesis', bytes: genesis }))
  }
}

type Deed = (grip: Grip, copies: readonly [Copy, Copy, Copy]) => Promise<void>

/** Two changes of one number, each to one half. */
const signTwice: Deed = async (grip, [one, other]) => {
  const [first, second] = [await writeAgain(grip, one, 'one'), await writeAgain(grip, other, 'other')]
  hand(grip.documentId, grip.halves[0], { envelopes: first })
  hand(grip.documentId, grip.halves[1], { envelopes: second })
}

/** Two seals of one number, of which one holds a change that the other has not. */
const sealTwice: Deed = async (grip, [one, other]) => {
  const genesis = await seal(grip, one)
  const envelopes = await writeAgain(grip, other, 'one')
  hand(grip.documentId, grip.halves[0], { genesis })
  hand(grip.documentId, grip.halves[1], { envelopes, genesis: await seal(grip, other) })
}

/** Another state than one that was sealed: of some decision another digit. */
const spoilBase = (text: Uint8Array): Uint8Array =>
  Buffer.from(
    Buffer.from(text)
      .toString()
      .replace(/("decision\\*":\\*")(.)/, (_, before: string, digit: string) => before + (digit === '0' ? '1' : '0')),
  )

/**
 * A seal that names a state its changes do not come to, to one half; to the other one that needs a change it lacks, with a
 * base that is not the one named, and later that change.
 */
const sealFalsely: Deed = async (grip, [{ documents, owner }, other]) => {
  const { documentId, signer, random, halves, machine, world } = grip
  const epoch = documents.epochOf(documentId)
  if (epoch === undefined) return
  const heads = documents.summaryOf(documentId)?.heads.filter((head) => head !== epoch.id) ?? []
  const base = { genesis: epoch.id, heads, state: randomHex(random, 32) }
  const { bytes } = sealGenesis(
    {
      networkId: machine.node()?.networkId ?? '',
      documentId,
      lane: epoch.lane,
      owner,
      after: { epoch: epoch.epoch, base },
    },
    [signer],
    { hash: nodeHash },
  )
  hand(documentId, halves[0], { genesis: bytes })
  const envelopes = await writeAgain(grip, other, 'one')
  const genesis = await seal(grip, other)
  const text = spoilBase((await other.documents.baseOf(documentId)) ?? new Uint8Array())
  hand(documentId, halves[1], { genesis })
  const id = other.documents.epochOf(documentId)?.id ?? ''
  const lie = encodeMessage({ kind: 'base', documentId, genesis: id, total: text.length, at: 0, bytes: text })
  for (const stream of halves[1]) stream.say(lie)
  world.at(world.nowMs() + 2_000, 'two-faced', () =>
    hand(documentId, [...halves[0], ...halves[1]], { envelopes, genesis }),
  )
}

/** More than a node keeps of one author, of what waits or is late. */
const flood = 300

/** Changes that stand on one that is not there, and then that one. */
const floodWaiting: Deed = async (grip, [one]) => {
  const { documentId, halves } = grip
  const first = await writeAgain(grip, one, 'first')
  const envelopes: Uint8Array[] = []
  for (let count = 0; count < flood; count++) envelopes.push(...(await writeAgain(grip, one, `more ${count}`)))
  hand(documentId, halves[0], { envelopes })
  // At once: who has changes that wait for one that never comes keeps them alone.
  hand(documentId, [...halves[0], ...halves[1]], { envelopes: [...first, ...envelopes] })
}

/** A seal, and to one half more changes from before it than anybody keeps. */
const floodLate: Deed = async (grip, [one, other]) => {
  const { documentId, halves, random, signer } = grip
  const [genuine] = await writeAgain(grip, one, 'one')
  hand(documentId, [...halves[0], ...halves[1]], { genesis: await seal(grip, other) })
  if (genuine === undefined) return
  const envelopes = Array.from({ length: flood }, () => signAgain(genuine, signer, random))
  for (const stream of halves[0]) stream.say(encodeMessage({ kind: 'late-changes', documentId, envelopes }))
}

/** A seal under two changes of one number, which it leaves out. */
const sealUnderProof: Deed = async (grip, [one, other, third]) => {
  const envelopes = [...(await writeAgain(grip, one, 'one')), ...(await writeAgain(grip, other, 'other'))]
  hand(grip.documentId, grip.halves[0], { envelopes: envelopes.slice(0, 1) })
  await third.documents.take(grip.documentId, envelopes, 'itself')
  hand(grip.documentId, grip.halves[1], { envelopes, genesis: await seal(grip, third) })
}

/** Everybody gets a seal, and some later a change that was written before it by who did not know of it. */
const writeAway: Deed = async (grip, [one, other]) => {
  const { documentId, halves, world, random } = grip
  const envelopes = await writeAgain(grip, one, 'one')
  hand(documentId, [...halves[0], ...halves[1]], { genesis: await seal(grip, other) })
  const laterMs = world.nowMs() + 1_000 + Math.floor(2_000 * random.unit())
  world.at(laterMs, 'two-faced', () => hand(documentId, halves[1], { envelopes }))
}

/** An owner of lanes in bad hands does it, and is itself again when it is over: then all it is linked to compare anew. */
const twoFaced = <Name extends string>(name: Name, text: string, deed: Deed): Fault & { readonly name: Name } => ({
  name,
  lastsMs: [4_000, 15_000],
  begin: (world, random) => {
    const machine = pick(
      random,
      running(world).filter((one) => one.place.role !== 'edge' && one.node() !== undefined),
    )
    const chance = random.fork(`two-faced ${world.nowMs()}`)
    const grip = machine && pick(random, grips(world, machine, chance))
    if (machine === undefined || grip === undefined) return undefined
    const seed = Math.floor(2 ** 31 * chance.unit())
    const act = async () => {
      const contents = await machine.disk.scan('')
      const open = () => openCopy(grip, contents, seed)
      const copies = [await open(), await open(), await openCopy(grip, contents, seed + 1)] as const
      await deed(grip, copies)
      for (const { documents } of copies) await documents.close()
    }
    act().then(
      () => world.note(`two-faced ${machine.place.name}: done`),
      (error: unknown) => world.note(`two-faced ${machine.place.name}: ${String(error)}`),
    )
    const to = grip.halves.map((half) => half.map((stream) => stream.to).join(' '))
    return {
      text: `${machine.place.name} ${text} in ${grip.documentId.slice(0, 8)}, one to ${to[0]}, one to ${to[1]}`,
      end: () => {
        for (const { to: peer } of [...grip.halves[0], ...grip.halves[1]]) world.network.reset(machine.place.name, peer)
      },
    }
  },
})

export const twoFacedOwners = {
  'signs-twice': twoFaced('signs-twice', 'signs two changes with one number', signTwice),
  'seals-twice': twoFaced('seals-twice', 'signs two seals with one number', sealTwice),
  'seals-falsely': twoFaced('seals-falsely', 'signs a seal of what its changes do not come to', sealFalsely),
  'seals-under-proof': twoFaced('seals-under-proof', 'signs two changes with one number and a seal', sealUnderProof),
  'floods-waiting': twoFaced('floods-waiting', 'signs many changes that wait for one', floodWaiting),
  'floods-late': twoFaced('floods-late', 'signs a seal and many changes from before', floodLate),
  'seals-while-away': twoFaced('seals-while-away', 'signs a seal and then a change from before', writeAway),
} as const satisfies Readonly<Record<string, Fault>>
