import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '../../../base/index.ts'
import {
  type Book,
  createBook,
  createDocuments,
  createLaneReplica,
  createNodeSignatures,
  type Documents,
  formatLaneName,
  fromHex,
  laneOwner,
  laneViewOf,
  nodeHash,
  nothingBlocked,
  type Owner,
  openEnvelope,
  openGenesis,
  parseState,
  stateHash,
} from '../../../crdt/index.ts'
import { createLevelStore } from '../../../crdt/store/level/index.ts'
import { systemRandom } from '../../../node/powers/index.ts'
import type { DemoNode } from '../../demo/index.ts'
import { signal } from './node-process.ts'
import type { HeldLane, HeldStore } from './store-judge.ts'
import { retired, type SketchedStore } from './told-judge.ts'
import type { TreeScene } from './tree-scene.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }

const ownerOfLane = (book: Book, lane: Parameters<typeof laneOwner>[0]): Owner | undefined => {
  const named = laneOwner(lane)
  if (named === undefined) return undefined
  if ('tenant' in named) return book.owner(named.tenant)
  return named.roles.map((role) => book.ownerAt(named.scope, role)).find((one) => one !== undefined)
}

/** Judges one lane from its bytes: nothing the node concluded is taken over. */
const readLane = async (book: Book, documents: Documents, id: string): Promise<HeldLane | undefined> => {
  const held = documents.epochOf(id)
  const genesis = await documents.genesisOf(id)
  if (held === undefined) return undefined
  const lane = formatLaneName(held.lane)
  const owner = ownerOfLane(book, held.lane)
  const empty = { lane, envelopes: [], fence: '', entries: '' }
  if (owner === undefined) return { ...empty, faults: ['nobody known owns it'] }
  const opened =
    genesis && openGenesis(genesis, { networkId: book.networkId() ?? '', owner, blocked: nothingBlocked }, powers)
  if (!opened?.ok) return { ...empty, faults: [`its first record: ${opened?.refusal.message ?? 'missing'}`] }
  const { epoch } = opened
  const hashes = await documents.hashes(id)
  const base = await documents.baseOf(id)
  const begun = base && parseState(new TextDecoder().decode(base), epoch.lane, nodeHash)
  if (epoch.base !== null && (!begun?.ok || stateHash(begun.state, nodeHash) !== epoch.base.state))
    return { ...empty, faults: ['what its epoch began with is not what its first record names'] }
  const replica = createLaneReplica({ epoch, powers, ...(begun?.ok && { base: begun.state }) })
  const faults: string[] = []
  for (const bytes of await documents.envelopes(id, new Set(hashes))) {
    const envelope = openEnvelope(bytes, epoch.place, powers)
    if (!envelope.ok) faults.push(`an envelope is refused: ${envelope.refusal.message}`)
    else if (!owner.keys.has(envelope.envelope.author)) faults.push(`${envelope.envelope.hash} by no key of the owner`)
    else replica.receive(envelope.envelope)
  }
  for (const { envelope, status } of replica.graph.unused())
    faults.push(
      `${envelope.hash} is ${status.kind}${status.kind === 'excluded' ? `: ${status.exclusion.message}` : ''}`,
    )
  const state = replica.state()
  if (!state.ok) faults.push(state.quarantine.message)
  const standing = replica.standing()
  const { fence } = replica.summary()
  const entries = laneViewOf(replica, standing)?.entries ?? standing
  const found: HeldLane = {
    lane,
    envelopes: hashes,
    fence: `${fence.generation}.${fence.n}`,
    entries: JSON.stringify([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    faults,
  }
  replica.close()
  return found
}

interface OpenStore {
  readonly book: Book
  readonly documents: Documents
  /** Documents of which the disk lost something. */
  readonly damaged: readonly string[]
}

/** Opens a copy of a node's folder as its program would. */
const withStore = async <Result>(folder: string, work: (open: OpenStore) => Promise<Result>): Promise<Result> => {
  const store = createLevelStore(join(folder, 'store'), { log: silentLog })
  await store.open()
  try {
    const book = createBook({ store, powers, log: silentLog })
    await book.open()
    const networkId = book.networkId() ?? ''
    const documents = createDocuments({
      store,
      networkId: () => networkId,
      powers,
      random: systemRandom,
      log: silentLog,
    })
    const { damaged } = await documents.open()
    const result = await work({ book, documents, damaged })
    await documents.close()
    return result
  } finally {
    await store.close()
  }
}

const stateIn = <Value>(folder: string, name: string): Value | undefined => {
  const path = join(folder, `${name}.json`)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { readonly value: Value }).value : undefined
}

const readStore = (node: string, folder: string): Promise<HeldStore> =>
  withStore(folder, async ({ book, documents, damaged }) => {
    const lanes: HeldLane[] = []
    for (const id of documents.ids()) {
      const lane = await readLane(book, documents, id)
      if (lane !== undefined) lanes.push(lane)
    }
    const seed = stateIn<{ readonly seed: string }>(folder, 'key')?.seed ?? ''
    const certificate = book.certificateOf(powers.signatures.signer(fromHex(seed)).keyId)
    return {
      node,
      lanes,
      damaged,
      certificate: certificate && {
        id: certificate.id,
        number: certificate.body.number,
        fromMs: certificate.body.fromMs,
      },
    }
  })

/** What is told in a lane of intents: the version of each application, by its id. */
const toldIn = async (documents: Documents, id: string): Promise<ReadonlyMap<string, string>> =>
  new Map(
    [...((await documents.view(id))?.entries ?? [])].map(([application, standing]) => [
      application,
      standing.map(({ version }) => version ?? retired).join(),
    ]),
  )

interface Accepted {
  readonly applications: readonly {
    readonly phase: string
    readonly origin?: { readonly application: string; readonly version: string }
  }[]
}

/** What was told in lanes that were read, by name and heads: equal heads hold the same. */
export type ToldBefore = Map<string, ReadonlyMap<string, string>>

/** A quick look at a store: what is told in it, believing what its node wrote. */
const sketchStore = (node: string, scope: string, folder: string, before: ToldBefore): Promise<SketchedStore> =>
  withStore(folder, async ({ documents }) => {
    const lanes: SketchedStore['lanes'][number][] = []
    for (const id of documents.ids()) {
      const name = documents.epochOf(id)?.lane
      if (name === undefined) continue
      const [lane, heads] = [formatLaneName(name), documents.summaryOf(id)?.heads.join() ?? '']
      if (name.kind !== 'intent') {
        lanes.push({ lane, heads })
        continue
      }
      const key = `${lane} ${heads}`
      const told = before.get(key) ?? (await toldIn(documents, id))
      before.set(key, told)
      lanes.push({ lane, heads, scope: name.scope, owner: name.owner, told })
    }
    const accepted = (stateIn<Accepted>(folder, 'accepted')?.applications ?? []).flatMap(
      ({ phase, origin }) => origin && [[origin.application, phase === 'run' ? origin.version : retired] as const],
    )
    return { node, scope, lanes, accepted: new Map(accepted.filter((one) => one !== undefined)) }
  })

const kept = ['store', 'key.json', 'accepted.json']

const copyFolder = (dataDir: string, copy: string): void => {
  for (const name of kept) {
    const from = join(dataDir, 'data', name)
    if (existsSync(from)) cpSync(from, join(copy, name), { recursive: true })
  }
}

/** Reads the folder of a node that does not run. @param copy folder for a copy, removed afterwards */
export const readFolder = async (node: string, dataDir: string, copy: string): Promise<HeldStore> => {
  try {
    copyFolder(dataDir, copy)
    return await readStore(node, copy)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/**
 * Copies the folders of all nodes as they are at one moment: all are halted meanwhile, which a store survives as it
 * survives a kill, and go on unharmed.
 */
const withCopies = async <Result>(
  { world, place }: TreeScene,
  work: (node: DemoNode, copy: string) => Promise<Result>,
): Promise<readonly Result[]> => {
  const nodes = world.nodes()
  const copies = join(place.ownDir, 'copies')
  rmSync(copies, { recursive: true, force: true })
  try {
    try {
      for (const { pid } of nodes) signal(pid, 'SIGSTOP')
      for (const node of nodes) copyFolder(node['data-dir'], join(copies, node.name))
    } finally {
      for (const { pid } of nodes) signal(pid, 'SIGCONT')
    }
    const found: Result[] = []
    for (const node of nodes) found.push(await work(node, join(copies, node.name)))
    return found
  } finally {
    rmSync(copies, { recursive: true, force: true })
  }
}

/** Every store of the tree at one moment, each envelope judged again. */
export const readStores = (scene: TreeScene): Promise<readonly HeldStore[]> =>
  withCopies(scene, ({ name }, copy) => readStore(name, copy))

/** What is told in every store of the tree at one moment. */
export const sketchStores = (scene: TreeScene, before: ToldBefore): Promise<readonly SketchedStore[]> =>
  withCopies(scene, ({ name, scope }, copy) => sketchStore(name, scope, copy, before))
