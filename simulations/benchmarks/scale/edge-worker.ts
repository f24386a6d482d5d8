/** A process of many edges; started by edge-processes.ts, which tells it what to do over its channel. */
import { createHash } from 'node:crypto'
import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { errorText, parseName, parseScopePath, silentLog } from '../../../base/index.ts'
import { createNodeSignatures, fromHex, nodeHash, type Store } from '../../../crdt/index.ts'
import { createLevelStore } from '../../../crdt/store/level/index.ts'
import { createLibp2pMesh } from '../../../mesh/libp2p/index.ts'
import { createNode, type NodeConfig, type SkerryNode } from '../../../node/index.ts'
import { createBlobStoreOver, createMemoryBlobDisk, systemClock, systemRandom } from '../../../node/powers/index.ts'
import { createSimulatedHost, type SimulatedHost } from '../../../runtime/index.ts'
import { pause } from '../../demo/index.ts'
import { simulatedConfig } from '../../world/index.ts'
import { type EdgeToStart, type FromEdges, machineMs, type ToEdges } from './edge-messages.ts'
import { createEdgeStateFile, openStateJournal } from './edge-state-file.ts'
import { createPrefixedStore } from './prefixed-store.ts'

const [, , dir = ''] = process.argv
const asked = { caller: { tenant: 'default', user: 'bench' }, signal: new AbortController().signal }
const pollMs = 100
const acceptedEveryMs = 100
const authority = { signatures: createNodeSignatures(), hash: nodeHash }
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

interface RunningEdge {
  readonly place: EdgeToStart
  readonly folder: string
  readonly node: SkerryNode
  readonly machine: SimulatedHost
  /** The versions it accepted, of whatever application: no two have the same. */
  readonly accepted: Set<string>
}

const edges: RunningEdge[] = []
const say = (message: FromEdges) => void process.send?.(message)

/** Bytes at sockets that are closed already, and those that are open. */
let closedBytes = 0
const sockets = new Set<Socket>()
diagnostics.subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket }
  sockets.add(socket)
  socket.once('close', () => {
    sockets.delete(socket)
    closedBytes += socket.bytesRead + socket.bytesWritten
  })
})

/** When edges accepted which version, gathered: one message for each would be work of its own. */
const acceptedAt = new Map<string, number[]>()
setInterval(() => {
  for (const [version, atMs] of acceptedAt) say({ kind: 'accepted', version, atMs })
  acceptedAt.clear()
}, acceptedEveryMs).unref()

const configOf = (place: EdgeToStart, networkId: string, folder: string): NodeConfig =>
  simulatedConfig({
    name: parseName(place.host),
    role: 'edge',
    networkId,
    scope: parseScopePath(place.scope),
    site: place.site,
    dataDir: folder,
    parents: [place.parent],
    hostId: place.host,
    time: 'untrusted',
    logLevel: 'error',
  })

/** What the store says of where an archive is, and the engine is told. */
const archivePath = (folder: string, hex: string): string => join(folder, 'archives', hex)

interface KeptIntent {
  readonly applications: readonly { readonly phase: string; readonly version: string }[]
}

const noteAccepted = (edge: RunningEdge, { applications }: KeptIntent): void => {
  for (const { phase, version } of applications) {
    if (phase !== 'run' || edge.accepted.has(version)) continue
    edge.accepted.add(version)
    acceptedAt.set(version, [...(acceptedAt.get(version) ?? []), machineMs()])
  }
}

/**
 * The production edge: only its engine is simulated, its store is a part of the one of this process, and blobs are in memory,
 * as hundreds of edges would wait for one disk.
 */
const startEdge = async (place: EdgeToStart, networkId: string, whole: Store): Promise<RunningEdge> => {
  const folder = join(dir, place.host)
  const machine = createSimulatedHost({ clock: systemClock })
  const node = createNode(configOf(place, networkId, folder), {
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    openMesh: (identity) =>
      createLibp2pMesh({
        seed: identity.seed,
        prologue: fromHex(identity.networkId),
        listen: [],
        clock: systemClock,
        log: silentLog,
      }),
    store: createPrefixedStore(whole, `${place.host}/`),
    authority,
    hash: sha256,
    blobs: createBlobStoreOver({
      files: createMemoryBlobDisk((hex) => archivePath(folder, hex)).files(),
      pinsFile: createEdgeStateFile(`${place.host}/pins`, journal, () => {}),
      random: systemRandom,
    }),
    stateFile: <Value>(name: string) =>
      createEdgeStateFile<Value>(`${place.host}/${name}`, journal, (value) => {
        if (name === 'accepted') noteAccepted(edge, value as KeptIntent)
      }),
    containers: machine.connect(),
    hostId: place.host,
    joinTokens: () => [place.token],
    isTimeTrusted: () => false,
    version: 'bench',
    pid: process.pid,
    // Reading it costs more than all else an edge answers of itself, and here it is asked for hundreds of them.
    rssBytes: () => 0,
  })
  const edge: RunningEdge = { place, folder, node, machine, accepted: new Set() }
  await node.start()
  return edge
}

const parentOf = async ({ node }: RunningEdge) => (await node.services.state.node(asked)).parent

const untilLinked = async (edge: RunningEdge): Promise<void> => {
  while ((await parentOf(edge))?.link !== 'up') await pause(pollMs)
}

/** Starts edges, so many at a time, each until it is linked. */
const joinAll = async ({ networkId, atOnce, edges: places }: Extract<ToEdges, { kind: 'join' }>, whole: Store) => {
  const left = [...places]
  const work = async () => {
    for (let place = left.shift(); place !== undefined; place = left.shift()) {
      const edge = await startEdge(place, networkId, whole)
      edges.push(edge)
      await untilLinked(edge)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  say({ kind: 'joined', atMs: machineMs() })
}

const watch = async ({ version, scopes, withinMs }: Extract<ToEdges, { kind: 'watch' }>) => {
  const endMs = machineMs() + withinMs
  const wanted = new Set(scopes)
  let left = edges.filter(({ place }) => wanted.has(place.scope.slice(0, place.scope.lastIndexOf('/'))))
  for (;;) {
    const still: RunningEdge[] = []
    for (const edge of left) if (!edge.accepted.has(version) || (await parentOf(edge))?.link !== 'up') still.push(edge)
    left = still
    if (left.length === 0 || machineMs() > endMs)
      return say({ kind: 'synced', version, atMs: machineMs(), missing: left.length })
    await pause(pollMs)
  }
}

const count = async () => {
  const unlinked: Record<string, number> = {}
  let linked = 0
  for (const edge of edges) {
    const parent = await parentOf(edge)
    const why = parent?.error ?? 'no link'
    if (parent?.link === 'up') linked += 1
    else unlinked[why] = (unlinked[why] ?? 0) + 1
  }
  const bytes = [...sockets].reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, closedBytes)
  say({ kind: 'counts', counts: { linked, unlinked, bytes } })
}

const journal = openStateJournal(join(dir, 'state'))
const whole = createLevelStore(join(dir, 'store'), { log: silentLog })
await whole.open()

const act = async (message: ToEdges): Promise<void> => {
  if (message.kind === 'join') return joinAll(message, whole)
  if (message.kind === 'watch') return watch(message)
  if (message.kind === 'count') return count()
  if (message.kind === 'image') {
    const { archive, name, digest } = message
    const held = [{ name, digest, sizeBytes: 1, runsAsProcess: false }]
    for (const { folder, machine } of edges)
      machine.addArchive(archivePath(folder, archive.slice('sha256:'.length)), held)
    return
  }
  await Promise.all(edges.map(({ node }) => node.stop()))
  await whole.close()
  say({ kind: 'stopped' })
  process.disconnect()
  process.exit(0)
}

process.on('message', (message: ToEdges) => {
  act(message).catch((error: unknown) => say({ kind: 'failed', message: errorText(error) }))
})
// The terminal's Ctrl-C reaches every process of its group: who started this one ends it.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit(1))
say({ kind: 'ready' })
