import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSeededRandom, parseScopePath, randomHex, SkerryError, silentLog } from '../../base/index.ts'
import {
  createBook,
  createDocuments,
  createNodeSignatures,
  formatEntry,
  keyListKind,
  type LaneName,
  nextFence,
  nodeHash,
  rootKind,
  sealRecord,
  toHex,
  whySeal,
} from '../../crdt/index.ts'
import { createPlainDocument, readPlainDocument } from '../../crdt/lane/plain/index.ts'
import { createLevelStore } from '../../crdt/store/level/index.ts'
import { systemRandom } from '../../node/powers/index.ts'
import { againstPeer, alone, type BenchOptions, type BenchRow, stated } from './bench-row.ts'

/** Changes of one lane at the first look, and at the second. */
const looks = [10_000, 100_000] as const
const applications = 100
/** Changes signed and synced in one batch: the bench waits for no disk it does not measure. */
const atOnce = 100
const loads = 5
/** Changes in the open epoch at each look: most of what there is room for, so that neither look has luck. */
const openChanges = 500
/** From the first look to the second: a lane that is sealed does not grow with its changes. */
const barGrowth = 1.5
/** Beside a plain document of as many changes. */
const bars = { bytes: 0.25, load: 0.5 } as const

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const signer = powers.signatures.signer(nodeHash.sha256(Buffer.from('tower')))
const idOf = (name: string): string => toHex(nodeHash.sha256(Buffer.from(name))).slice(0, 32)
const lane: LaneName = {
  kind: 'intent',
  scope: parseScopePath('/north'),
  tenant: idOf('tenant'),
  owner: parseScopePath('/'),
}

const firstRecords = () => {
  const keys = [toHex(signer.publicKey)]
  const root = sealRecord(
    rootKind,
    { network: null, number: 1, previous: null, keys, threshold: 1, beacon: null },
    [signer],
    powers,
  )
  const list = sealRecord(
    keyListKind,
    {
      network: root.id,
      owner: idOf('/'),
      role: 'zone',
      scope: '/',
      succession: 'granted',
      generation: 1,
      previous: null,
      keys,
      threshold: 1,
    },
    [signer],
    powers,
  )
  return { networkId: root.id, records: [root, list] }
}
const { networkId, records } = firstRecords()

/** The applications and entries of every change, the same for both sides: ids are chance, as they are in life. */
const createChanges = () => {
  const random = createSeededRandom(7)
  const names = Array.from({ length: applications }, (_, at) => idOf(`application ${at}`))
  return (n: number) => {
    const entry = {
      decision: randomHex(random, 16),
      version: randomHex(random, 32),
      step: 0,
      share: null,
      seen: [],
      retired: false,
    }
    return { application: names[n % applications] ?? '', entry }
  }
}

/** Keys and values of a store; what its folder holds beside them goes when LevelDB compacts. */
const storedBytes = async (folder: string): Promise<number> => {
  const store = createLevelStore(folder, { log: silentLog })
  await store.open()
  let sizeBytes = 0
  for await (const { key, value } of store.scan({ prefix: 'd/' })) sizeBytes += key.length + (value?.length ?? 0)
  await store.close()
  return sizeBytes
}

const folderBytes = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

const openLane = async (folder: string) => {
  const store = createLevelStore(folder, { log: silentLog })
  await store.open()
  const book = createBook({ store, powers, log: silentLog, networkId })
  await book.open()
  await book.take(records.map(({ bytes }) => bytes))
  const documents = createDocuments({ store, networkId: () => networkId, powers, random: systemRandom, log: silentLog })
  await documents.open()
  const close = async () => {
    await documents.close()
    await store.close()
  }
  return { documents, owner: book.ownerAt('/', 'zone'), close }
}

/** Writes changes up to a number and on until the open epoch is as full as at every look, and seals as an owner does. */
const writeTo = async (
  folder: string,
  from: number,
  to: number,
  changes: ReturnType<typeof createChanges>,
  signal: AbortSignal,
) => {
  const { documents, owner, close } = await openLane(folder)
  try {
    if (owner === undefined) throw new RangeError('the lane of the benchmark has no owner')
    const documentId = await documents.create(lane, owner, signer)
    let n = from
    for (; n < to || documents.loadOf(documentId)?.count !== openChanges; n += atOnce) {
      signal.throwIfAborted()
      const first = n
      const writes = Array.from({ length: atOnce }, (_, at) => ({
        documentId,
        edit: ({ fence }: { readonly fence: { readonly generation: number; readonly n: number } }) => {
          const { application, entry } = changes(first + at)
          return new Map([[application, formatEntry({ ...entry, fence: nextFence(fence, 1) ?? fence })]])
        },
      }))
      const refused = (await documents.write(writes, signer)).find((result) => !result.ok)
      if (refused !== undefined && !refused.ok) throw new SkerryError('not-written', refused.refusal.message)
      const load = documents.loadOf(documentId)
      if (load === undefined || whySeal(load, { generation: 1, writers: owner.keys.keys() }) === undefined) continue
      const sealed = await documents.seal(documentId, { owner, signer })
      if (!sealed.ok) throw new SkerryError('not-sealed', sealed.refusal.message)
    }
    return { written: n, epoch: documents.epochOf(documentId)?.epoch ?? 0 }
  } finally {
    await close()
  }
}

/** Milliseconds from a closed store to what stands in the lane. */
const loadLane = async (folder: string): Promise<number> => {
  const fromMs = performance.now()
  const { documents, close } = await openLane(folder)
  const standing = await documents.standing(documents.idOf(lane) ?? '')
  const spentMs = performance.now() - fromMs
  await close()
  if (standing.size !== applications) throw new SkerryError('not-held', `the lane holds ${standing.size} applications`)
  return spentMs
}

const loadPlain = (path: string): number => {
  const fromMs = performance.now()
  const keys = readPlainDocument(readFileSync(path))
  const spentMs = performance.now() - fromMs
  if (keys !== applications) throw new SkerryError('not-held', `the plain document holds ${keys} applications`)
  return spentMs
}

/**
 * Rows of one lane after 100,000 changes, sealed as its owner seals it, beside a plain document of Automerge with the same
 * changes: what is on the disk, and how long it is until the lane can be read. Measured once, as it grows.
 * @param dir a folder of the benchmark's own
 */
export const epochs = async (dir: string, { say, signal }: BenchOptions): Promise<readonly BenchRow[]> => {
  mkdirSync(dir, { recursive: true })
  const [folder, path] = [join(dir, 'lane'), join(dir, 'plain.automerge')]
  const changes = createChanges()
  const plainChanges = createChanges()
  const plain = createPlainDocument()
  const found: { bytes: number; folder: number; loadMs: number[]; plainBytes: number; plainMs: number[] }[] = []
  let from = 0
  for (const to of looks) {
    say(`epochs: writes changes ${from + 1} to ${to} of one lane`)
    const { written, epoch } = await writeTo(folder, from, to, changes, signal)
    for (let n = from; n < written; n++) {
      const { application, entry } = plainChanges(n)
      plain.put(application, formatEntry({ ...entry, fence: { generation: 1, n: n + 1 } }))
    }
    writeFileSync(path, plain.save())
    const loadMs: number[] = []
    for (let at = 0; at < loads; at++) loadMs.push(await loadLane(folder))
    const plainMs = Array.from({ length: loads }, () => loadPlain(path))
    const bytes = await storedBytes(folder)
    found.push({ bytes, folder: folderBytes(folder), loadMs, plainBytes: statSync(path).size, plainMs })
    say(
      `epochs: ${written} changes, ${epoch} epochs, ${bytes} bytes in a folder of ${folderBytes(folder)} and ${loadMs.map((ms) => ms.toFixed(0)).join(', ')} ms; plain ${statSync(path).size} bytes and ${plainMs.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    )
    from = written
  }
  plain.free()
  const [few, many] = found
  if (few === undefined || many === undefined) throw new RangeError('there were no looks')
  const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
  return [
    againstPeer('epochs-bytes', 'bytes', bars.bytes, { ours: [many.bytes], peer: [many.plainBytes] }),
    alone('epochs-bytes-growth', 'times from 10,000 to 100,000 changes', barGrowth, [many.bytes / few.bytes]),
    stated('epochs-folder', 'bytes', [many.folder]),
    againstPeer('epochs-load', 'ms', bars.load, { ours: many.loadMs, peer: many.plainMs }),
    alone('epochs-load-growth', 'times from 10,000 to 100,000 changes', barGrowth, [
      middle(many.loadMs) / middle(few.loadMs),
    ]),
  ]
}
