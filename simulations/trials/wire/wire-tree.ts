import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createLog, type Random, SkerryError, silentLog } from '../../../base/index.ts'
import { createNodeSignatures, fromHex, nodeHash } from '../../../crdt/index.ts'
import { createLevelStore } from '../../../crdt/store/level/index.ts'
import { createLibp2pMesh } from '../../../mesh/libp2p/index.ts'
import { createNode, type NodeConfig, type NodePowers, type SkerryNode } from '../../../node/index.ts'
import { createBlobStore, createStateFile, systemClock } from '../../../node/powers/index.ts'
import { type Containers, createSimulatedHost, type SimulatedHost } from '../../../runtime/index.ts'
import { nodesOf, siteNamed, sliceFor, type Topology, type TopologyNode } from '../../../topologies/index.ts'
import { pause } from '../../demo/index.ts'
import { simulatedConfig } from '../../world/index.ts'
import { createTap, type Tap } from './tap.ts'

export const asked = { caller: { tenant: 'default', user: 'trial' }, signal: new AbortController().signal } as const

/** One node of the tree, in this process. */
export interface WireNode {
  readonly place: TopologyNode
  readonly folder: string
  readonly node: SkerryNode
  readonly peerKey: string
  /** An edge's machine. */
  readonly host: SimulatedHost | undefined
  /** What it wrote to its log. */
  readonly log: readonly string[]
}

export interface WireTree {
  readonly topology: Topology
  readonly tap: Tap
  readonly nodes: readonly WireNode[]
  node(name: string): WireNode
  /** The node with this key. @throws {SkerryError} `no-such-node` */
  nodeOf(peerKey: string): WireNode
  /** @param isMeant which of those that run still. @default all */
  stop(isMeant?: (one: WireNode) => boolean): Promise<void>
}

export interface WireTreeOptions {
  readonly topology: Topology
  /** Where every node gets a folder of its own. */
  readonly folder: string
  readonly random: Random
  /** What a machine says of itself, its logs and its commands. */
  readonly dress: (place: TopologyNode, engine: Containers) => Containers
  /** Powers that are taken apart on purpose, to show that the search finds what comes out. @default none */
  readonly breakOnPurpose?: Pick<NodePowers, 'mayRead'>
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const configOf = (
  { name, role, scope, site }: TopologyNode,
  {
    networkId,
    parents,
    folder,
    listen,
  }: {
    readonly networkId: string
    readonly parents: readonly string[]
    readonly folder: string
    readonly listen: readonly string[]
  },
): NodeConfig =>
  simulatedConfig({
    name,
    role,
    scope,
    networkId,
    site: role === 'edge' ? (site ?? '') : '',
    dataDir: folder,
    parents,
    meshListen: listen,
    logLevel: 'debug',
  })

/** Where a host of a site listens for siblings, as the topology says. */
const siblingAddress = (topology: Topology, { name, site }: TopologyNode): readonly string[] => {
  const found = site === undefined ? undefined : siteNamed(topology, site)
  const index = found?.hosts.findIndex((host) => host.name === name) ?? -1
  return found?.siblings?.slice(index, index + 1) ?? []
}

/** Ports that nobody listens at now, each once. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.on('error', reject)
          server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const waitMs = 60_000

/** Looks until there is something. @throws {SkerryError} `waited-in-vain` after a minute */
export const until = async <Value>(
  what: string | (() => string),
  { signal }: { readonly signal: AbortSignal },
  found: () => Promise<Value | undefined>,
): Promise<Value> => {
  const endMs = systemClock.monotonicMs() + waitMs
  const words = () => (typeof what === 'string' ? what : what())
  for (;;) {
    const value = await found()
    if (value !== undefined) return value
    if (signal.aborted) throw new SkerryError('interrupted', `interrupted while waiting for ${words()}`)
    if (systemClock.monotonicMs() > endMs)
      throw new SkerryError('waited-in-vain', `waited a minute in vain for ${words()}`)
    await pause(50)
  }
}

/** Starts every node of a topology in this process, parents first: libp2p over loopback, LevelDB on disk, tapped. */
export const startWireTree = async (options: WireTreeOptions): Promise<WireTree> => {
  const { topology, folder, random, dress, breakOnPurpose = {}, say } = options
  const tap = createTap()
  const nodes: WireNode[] = []
  const names = new Map<string, string>()
  const addresses = new Map<string, readonly string[]>()
  let networkId = ''

  const byName = (name: string): WireNode => {
    const found = nodes.find(({ place }) => place.name === name)
    if (found === undefined) throw new SkerryError('no-such-node', `${name} does not run`)
    return found
  }
  const start = async (place: TopologyNode): Promise<void> => {
    const { name, role, scope, parents } = place
    const own = join(folder, name)
    const chance = random.fork(name)
    const log: string[] = []
    const host = role === 'edge' ? createSimulatedHost({ clock: systemClock }) : undefined
    const parent = parents[0] === undefined ? undefined : byName(parents[0])
    const token = parent && (await parent.node.services.members.token(name, asked)).token
    const listen = role === 'edge' ? siblingAddress(topology, place) : ['127.0.0.1:0']
    let peerKey = ''
    let listensAt = (): readonly string[] => []
    const node = createNode(
      configOf(place, { networkId, parents: parents.flatMap((one) => addresses.get(one) ?? []), folder: own, listen }),
      {
        clock: systemClock,
        random: chance,
        log: createLog(({ level, part, message, fields }) => {
          log.push(`${level} ${part} ${message} ${JSON.stringify(fields)}`)
        }),
        openMesh: (identity) => {
          peerKey = identity.peerKey
          names.set(peerKey, name)
          const mesh = createLibp2pMesh({
            seed: identity.seed,
            prologue: Buffer.from(fromHex(identity.networkId)),
            listen,
            clock: systemClock,
            log: silentLog,
          })
          listensAt = () => mesh.addresses()
          return tap.attach(name, mesh)
        },
        store: createLevelStore(join(own, 'store'), { log: silentLog }),
        authority: { signatures: createNodeSignatures(), hash: nodeHash },
        hash: sha256,
        blobs: createBlobStore(join(own, 'archives'), chance.fork('blobs')),
        stateFile: <Value>(file: string) => createStateFile<Value>(join(own, `${file}.json`)),
        ...(host && { containers: dress(place, host.connect()) }),
        ...(role !== 'edge' && { topology: sliceFor(topology, scope) }),
        hostId: `machine-of-${name}`,
        joinTokens: () => (token === undefined ? [] : [token]),
        isTimeTrusted: () => role === 'tower',
        version: 'trial',
        pid: process.pid,
        rssBytes: () => 0,
        ...breakOnPurpose,
      },
    )
    await node.start()
    nodes.push({ place, folder: own, node, peerKey, host, log })
    addresses.set(name, listensAt())
    if (role === 'tower') networkId = node.networkId
    else
      await until(`${name} to join`, options, async () =>
        (await node.services.state.node(asked)).parent?.link === 'up' ? true : undefined,
      )
  }
  const stopped = new Set<WireNode>()
  const stop = async (isMeant: (one: WireNode) => boolean = () => true) => {
    for (const one of nodes.toReversed()) {
      if (stopped.has(one) || !isMeant(one)) continue
      stopped.add(one)
      await one.node.stop()
    }
  }

  try {
    for (const place of nodesOf(topology)) await start(place)
  } catch (error) {
    await stop()
    throw error
  }
  say(`  ${nodes.length} nodes are linked`)
  return { topology, tap, nodes, node: byName, nodeOf: (peerKey) => byName(names.get(peerKey) ?? peerKey), stop }
}

/** One thing a stopped node has on its disk. */
export interface Kept {
  /** Like `store d/…`, `file told.json`. */
  readonly where: string
  readonly bytes: Uint8Array
}

const filesBelow = (folder: string, leave: ReadonlySet<string>): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (leave.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesBelow(path, new Set())
    return entry.isFile() ? [path] : []
  })

/** Everything a stopped node has on disk: its store by the store's own reading, keys too, and every other file. */
export const readDisk = async function* ({ folder }: WireNode): AsyncGenerator<Kept> {
  const store = createLevelStore(join(folder, 'store'), { log: silentLog })
  await store.open()
  try {
    for await (const { key, value } of store.scan({ prefix: '' })) {
      yield { where: `store ${key}`, bytes: Buffer.from(key) }
      if (value !== undefined) yield { where: `store ${key}`, bytes: value }
    }
  } finally {
    await store.close()
  }
  for (const path of filesBelow(folder, new Set(['store'])))
    yield { where: `file ${path.slice(folder.length + 1)}`, bytes: readFileSync(path) }
}
