import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { createLog, createSeededRandom, type LogLine, parseScopePath, SkerryError, sleep } from '../base/index.ts'
import { createMemoryDisk, createNodeSignatures, type MemoryDisk, nodeHash } from '../crdt/index.ts'
import { createMemoryNetwork, type MemoryNetwork, type Mesh, MeshError } from '../mesh/index.ts'
import { buildArchive, createSimulatedHost, type SimulatedHost } from '../runtime/index.ts'
import { parseTopology, sliceFor } from '../topologies/index.ts'
import type { ConfigChange } from './api/index.ts'
import type { NodeConfig } from './config.ts'
import { createNode, type NodePowers, type SkerryNode } from './node.ts'
import { createBlobStore, createStateFile, systemClock } from './powers/index.ts'

const topologyText = `version: 1
network: test
towers:
  site: head
  hosts: [{ name: tower }]
sites:
  - name: near
    hosts: [{ name: near-a }]
zones:
  - name: north
    aggregators:
      hosts: [{ name: north-agg }]
    sites:
      - name: far
        labels: { tier: gold }
        hosts: [{ name: far-a }, { name: far-b }]
`

export interface Place {
  readonly role: NodeConfig['role']
  readonly scope: string
  readonly site: string
  readonly parents: readonly string[]
  /** Where an edge is reached by siblings. @default nowhere */
  readonly listen?: readonly string[]
}

const places: Readonly<Record<string, Place>> = {
  tower: { role: 'tower', scope: '/', site: '', parents: [] },
  'near-a': { role: 'edge', scope: '/near', site: 'near', parents: ['tower'] },
  'north-agg': { role: 'aggregator', scope: '/north', site: '', parents: ['tower'] },
  'far-a': { role: 'edge', scope: '/north/far', site: 'far', parents: ['north-agg'] },
  'far-b': { role: 'edge', scope: '/north/far', site: 'far', parents: ['north-agg'] },
}

type MeshIdentity = Parameters<NodePowers['openMesh']>[0]

export const asked = { caller: { tenant: 'default', user: 'test' }, signal: new AbortController().signal }

/** A small tree of real nodes over a memory mesh and memory stores. */
export class Tree {
  readonly folder = mkdtempSync(join(tmpdir(), 'skerry-tree-'))
  readonly network: MemoryNetwork = createMemoryNetwork()
  readonly hosts = new Map<string, SimulatedHost>()
  readonly nodes = new Map<string, SkerryNode>()
  readonly disks = new Map<string, MemoryDisk>()
  readonly tokens = new Map<string, string>()
  networkId = ''
  /** The nodes there may be. */
  places: Readonly<Record<string, Place>> = places
  /** Hears what the nodes log. */
  onLine: ((node: string, line: LogLine) => void) | undefined
  /** Where a node with children is reached. */
  addressOf = (name: string): string => name
  /** How a node is linked with others. */
  makeMesh = ({ peerKey }: MeshIdentity, listen: readonly string[]): Mesh => this.network.createMesh(peerKey, listen[0])
  /** What the nodes are sliced from. */
  topologyText = topologyText
  /** When nodes seal lanes of their own. @default as the program has it */
  sealLimits: NodePowers['sealLimits']
  /** Whether hosts join with a token of their parent. */
  givesTokens = true
  /** Whether writes of what an edge accepted are refused, and how many were. */
  diskFull = false
  refusedWrites = 0
  starts = 0
  /** Public keys by node, and nodes that reach no parent. */
  readonly keys = new Map<string, string>()
  readonly severed = new Set<string>()

  async start(name: string): Promise<SkerryNode> {
    const place = this.places[name]
    if (!place) throw new Error(name)
    const config: NodeConfig = {
      role: place.role,
      site: place.site,
      parents: place.parents.map(this.addressOf),
      fellows: Object.keys(this.places)
        .filter((one) => one !== name && place.role === 'aggregator' && this.places[one]?.scope === place.scope)
        .map(this.addressOf),
      name,
      networkId: this.networkId,
      joinTokenFile: '',
      hostId: name,
      time: 'auto',
      scope: parseScopePath(place.scope),
      topology: '',
      dataDir: this.folder,
      runDir: this.folder,
      meshListen: place.listen ?? (place.role === 'edge' ? [] : [this.addressOf(name)]),
      apiListen: '',
      tokenFile: '',
      runtime: 'simulated',
      containerdSocket: '',
      portRange: [20_000, 20_099],
      bridge: 'b',
      subnet: '10.0.0.0/24',
      ingressAddress: '127.0.0.1',
      cniDir: '',
      logLevel: 'error',
    }
    const random = createSeededRandom([...name].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7) + this.starts++)
    const parent = this.nodes.get(place.parents[0] ?? '')
    if (parent && this.givesTokens && !this.disks.has(name))
      this.tokens.set(name, (await parent.services.members.token(name, asked)).token)
    const disk = this.disks.get(name) ?? createMemoryDisk()
    this.disks.set(name, disk)
    const host = this.hosts.get(name) ?? createSimulatedHost({ clock: systemClock })
    this.hosts.set(name, host)
    const node = createNode(config, {
      clock: systemClock,
      random,
      log: createLog((line) => {
        this.onLine?.(name, line)
        if (process.env.TREE_LOG) console.error(name, line.level, line.part, line.message, JSON.stringify(line.fields))
      }),
      openMesh: (identity) => {
        this.keys.set(name, identity.peerKey)
        const mesh = this.makeMesh(identity, config.meshListen)
        const dial: typeof mesh.dial = async (...given) => {
          if (this.severed.has(name)) throw new MeshError('unreachable', 'the cable is pulled')
          return mesh.dial(...given)
        }
        return { ...mesh, dial }
      },
      store: disk.store(),
      authority: { signatures: createNodeSignatures(), hash: nodeHash },
      hostId: name,
      ...(this.sealLimits && { sealLimits: this.sealLimits }),
      joinTokens: () => [this.tokens.get(name) ?? []].flat(),
      isTimeTrusted: () => false,
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      blobs: createBlobStore(join(this.folder, name, 'archives'), random),
      stateFile: <Value>(file: string) => {
        const real = createStateFile<Value>(join(this.folder, name, `${file}.json`))
        const save = (value: Value) => {
          if (!this.diskFull || file !== 'accepted') return real.save(value)
          if ((value as { applications: readonly unknown[] }).applications.length > 0) this.refusedWrites += 1
          throw new SkerryError('disk-full', 'no space left')
        }
        return { ...real, save }
      },
      ...(place.role === 'edge' && { containers: host.connect() }),
      ...(place.role !== 'edge' && {
        topology: sliceFor(parseTopology(this.topologyText, 'test.yaml'), config.scope),
      }),
      version: 'test',
      pid: 1,
      rssBytes: () => 0,
    })
    await node.start()
    this.nodes.set(name, node)
    if (place.role === 'tower') this.networkId = node.networkId
    // A zone must have joined before it can hand out tokens.
    if (place.role === 'aggregator')
      await until(`${name} to join`, async () =>
        (await node.services.state.node(asked)).parent?.link === 'up' ? true : undefined,
      )
    return node
  }

  async stop(name: string): Promise<void> {
    await this.nodes.get(name)?.stop()
    this.nodes.delete(name)
  }

  /** Pulls the cable between a node and its parent. */
  sever(name: string): void {
    this.severed.add(name)
    const parent = this.places[name]?.parents[0] ?? ''
    this.network.cut(this.keys.get(name) ?? '', this.keys.get(parent) ?? '')
  }

  mend(name: string): void {
    this.severed.delete(name)
  }

  node(name: string): SkerryNode {
    const node = this.nodes.get(name)
    if (!node) throw new Error(`${name} does not run`)
    return node
  }

  /** The version that runs at a host, as its own node says. */
  async runningVersion(name: string): Promise<string | undefined> {
    const instances = await this.node(name).services.state.serviceInstances('shop', asked)
    return instances?.find(({ ready }) => ready)?.['application-version']
  }

  apply(kind: 'applications' | 'application-deployments', text: string, at = 'tower'): Promise<ConfigChange> {
    return this.node(at).services.config.write(kind, {
      ...asked,
      body: { text, mediaType: 'application/yaml', source: 'test.yaml' },
      mode: 'replace',
      effect: 'apply',
    })
  }

  async importImage(name: string): Promise<void> {
    const path = join(this.folder, 'image.tar')
    const bytes = await buildArchive({ name, files: [{ path: 'a', data: 'a' }] })
    writeFileSync(path, bytes)
    const once = async function* () {
      yield new Uint8Array(bytes)
    }
    const [image] = await this.node('tower').services.images.import(once(), asked)
    if (!image) throw new Error('no image')
    const held = { name, digest: image.digest, sizeBytes: 1, runsAsProcess: false }
    for (const [node, host] of this.hosts)
      host.addArchive(join(this.folder, node, 'archives', image.archive.slice('sha256:'.length)), [held])
  }
}

export const startTree = (t: ExecutionContext, ...names: string[]): Promise<Tree> => startTreeOf(t, '', ...names)

/** A tree that is set up by the test itself; it is taken down with it. */
export const emptyTree = (t: ExecutionContext): Tree => {
  const tree = new Tree()
  t.teardown(async () => {
    for (const name of [...tree.nodes.keys()].toReversed()) await tree.stop(name)
    rmSync(tree.folder, { recursive: true })
  })
  return tree
}

/** A tree whose zone `north` says more of itself, like `privacy: true`. */
export const startTreeOf = async (t: ExecutionContext, north: string, ...names: string[]): Promise<Tree> => {
  const tree = emptyTree(t)
  tree.topologyText = topologyText.replace('  - name: north\n', `  - name: north\n    ${north}\n`)
  for (const name of names) await tree.start(name)
  return tree
}

export const until = async <Value>(
  what: string,
  found: () => Promise<Value | undefined> | Value | undefined,
): Promise<Value> => {
  const endMs = systemClock.monotonicMs() + 20_000
  for (;;) {
    const value = await found()
    if (value !== undefined) return value
    if (systemClock.monotonicMs() > endMs) throw new Error(`waited in vain for ${what}`)
    await sleep(systemClock, 10)
  }
}
