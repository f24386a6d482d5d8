import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseScopePath, type ScopePath, SkerryError, silentLog } from '../../base/index.ts'
import {
  createBook,
  createDocuments,
  createNodeSignatures,
  createReplicator,
  formatEntry,
  keyListKind,
  type LaneName,
  type LaneValue,
  nodeHash,
  type Owner,
  rootKind,
  type Signer,
  sealRecord,
  toHex,
} from '../../crdt/index.ts'
import { createLevelStore } from '../../crdt/store/level/index.ts'
import { systemClock, systemRandom } from '../../node/powers/index.ts'
import { alone, type BenchOptions, type BenchRow, stated } from './bench-row.ts'
import { createCountedPipe } from './counted-pipe.ts'
import { createStopwatch } from './process-cost.ts'

const sites = 500
const lanesPerSite = 5
const barBytes = 4 * 1024
const barRoundTrips = 1
const lanesAtOnce = 128
const syncTimeoutMs = 60_000
const zone = '/north'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const idNamed = (name: string): string => toHex(nodeHash.sha256(Buffer.from(name))).slice(0, 32)
const signerNamed = (name: string): Signer => powers.signatures.signer(nodeHash.sha256(Buffer.from(name)))
const keyOf = ({ publicKey }: Signer): string => toHex(publicKey)
const [root, tower, aggregator] = [signerNamed('root'), signerNamed('tower'), signerNamed('aggregator')]

const firstRecords = () => {
  const first = sealRecord(
    rootKind,
    { network: null, number: 1, previous: null, keys: [keyOf(root)], threshold: 1, beacon: null },
    [root],
    powers,
  )
  const list = (scope: string, key: Signer, grantor: Signer) =>
    sealRecord(
      keyListKind,
      {
        network: first.id,
        owner: idNamed(scope),
        role: 'zone',
        scope,
        succession: 'granted',
        generation: 1,
        previous: null,
        keys: [keyOf(key)],
        threshold: 1,
      },
      [grantor],
      powers,
    )
  return { networkId: first.id, records: [first, list('/', tower, root), list(zone, aggregator, tower)] }
}

const { networkId, records } = firstRecords()

/** What an aggregator holds of one site: who is of it, and what four tenants want there. */
const lanesOf = (site: ScopePath): readonly LaneName[] => [
  { kind: 'member', scope: site },
  ...Array.from(
    { length: lanesPerSite - 1 },
    (_, at): LaneName => ({
      kind: 'intent',
      scope: site,
      tenant: idNamed(`tenant-${at}`),
      owner: parseScopePath(zone),
    }),
  ),
]

const valuesOf = (lane: LaneName): ReadonlyMap<string, LaneValue> => {
  if (lane.kind === 'member') return new Map([['site', JSON.stringify({ _v: 1, id: idNamed(lane.scope) })]])
  const entry = {
    decision: idNamed('decision'),
    version: idNamed('version') + idNamed('version'),
    step: 0,
    share: null,
    fence: { generation: 1, n: 1 },
    seen: [],
    retired: false,
  }
  return new Map([[idNamed('application'), formatEntry(entry)]])
}

/** An aggregator's documents on the disk in `folder`. */
const openNode = async (folder: string) => {
  const store = createLevelStore(folder, { log: silentLog })
  await store.open()
  const book = createBook({ store, powers, log: silentLog, networkId })
  await book.open()
  await book.take(records.map(({ bytes }) => bytes))
  const documents = createDocuments({ store, networkId: () => networkId, powers, random: systemRandom, log: silentLog })
  await documents.open()
  const replicator = createReplicator({ documents, book, powers, clock: systemClock, log: silentLog })
  const close = async () => {
    await documents.close()
    await store.close()
  }
  return { documents, owner: (): Owner | undefined => book.ownerAt(zone, 'zone'), replicator, close }
}

const fill = async ({ documents, owner }: Awaited<ReturnType<typeof openNode>>): Promise<void> => {
  const own = owner()
  if (own === undefined) throw new RangeError('the zone of the benchmark has no owner')
  const lanes = Array.from({ length: sites }, (_, at) => lanesOf(parseScopePath(`${zone}/s${at + 1}`))).flat()
  for (let at = 0; at < lanes.length; at += lanesAtOnce) {
    const some = lanes.slice(at, at + lanesAtOnce)
    const ids = await Promise.all(some.map((lane) => documents.create(lane, own, aggregator)))
    const writes = some.map((lane, index) => ({ documentId: ids[index] ?? '', edit: () => valuesOf(lane) }))
    const results = await documents.write(writes, aggregator)
    const refused = results.find((result) => !result.ok)
    if (refused !== undefined && !refused.ok) throw new SkerryError('not-written', refused.refusal.message)
  }
}

/** Ends apart and meets again. @returns bytes both ways, round trips, and milliseconds of processor of both ends */
const meetOnce = async (left: Awaited<ReturnType<typeof openNode>>, right: Awaited<ReturnType<typeof openNode>>) => {
  const pipe = createCountedPipe()
  const all = { scope: zone, mayRead: () => true, mayBring: () => true, recordsFor: undefined }
  const watch = createStopwatch()
  const counts = await watch.measure(async () => {
    const own = left.replicator.serve(pipe.left, { ...all, key: keyOf(tower) })
    const other = right.replicator.serve(pipe.right, { ...all, key: keyOf(aggregator), recordsFor: zone })
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), syncTimeoutMs)
    const given = new Promise<never>((_, reject) =>
      late.signal.addEventListener('abort', () => reject(new SkerryError('timeout', 'the two ends did not agree'))),
    )
    await Promise.race([Promise.all([own.inSync, other.inSync]), given])
    clearTimeout(timer)
    // What one of them may still have to say counts as well.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    const found = own.counts()
    own.stop()
    other.stop()
    return found
  })
  pipe.close()
  return {
    bytes: counts.sentBytes + counts.receivedBytes,
    refused: counts.refused.size,
    roundTrips: Math.ceil(pipe.crossings() / 2),
    cpuMs: watch.spent().cpuSeconds * 1_000,
  }
}

/**
 * Rows of an aggregator of 500 sites, five lanes each, that meets a peer which holds the same. @param dir a folder of the
 * benchmark's own
 */
export const reconnect = async (dir: string, { runs, say, signal }: BenchOptions): Promise<readonly BenchRow[]> => {
  const [one, two] = [join(dir, 'one'), join(dir, 'two')]
  mkdirSync(dir, { recursive: true })
  say(`reconnect: writes ${sites * lanesPerSite} documents`)
  const filling = await openNode(one)
  await fill(filling)
  await filling.close()
  cpSync(one, two, { recursive: true })
  rmSync(join(two, 'LOCK'), { force: true })
  const figures = { bytes: [] as number[], roundTrips: [] as number[], cpuMs: [] as number[] }
  for (let round = 0; round < runs; round++) {
    signal.throwIfAborted()
    const [left, right] = [await openNode(one), await openNode(two)]
    try {
      if (left.documents.ids().length !== sites * lanesPerSite)
        throw new SkerryError('not-held', `the aggregator holds ${left.documents.ids().length} documents`)
      const met = await meetOnce(left, right)
      if (met.refused > 0) throw new SkerryError('refused', 'one end refused what the other said')
      figures.bytes.push(met.bytes)
      figures.roundTrips.push(met.roundTrips)
      figures.cpuMs.push(met.cpuMs)
    } finally {
      await left.close()
      await right.close()
    }
  }
  say(
    `reconnect: ${figures.bytes.join(', ')} bytes in ${figures.roundTrips.join(', ')} round trips, ${figures.cpuMs.map((ms) => ms.toFixed(0)).join(', ')} ms of processor at both ends`,
  )
  return [
    alone('reconnect-500', 'bytes', barBytes, figures.bytes),
    alone('reconnect-500-round-trips', 'round trips', barRoundTrips, figures.roundTrips),
    stated('reconnect-500-cpu', 'ms of processor', figures.cpuMs),
  ]
}
