import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '../../base/index.ts'
import { createNodeSignatures, fromHex, keyIdOf, nodeHash } from '../../crdt/index.ts'
import { createLevelStore } from '../../crdt/store/level/index.ts'
import type { Mesh, MeshLink, MeshStream } from '../../mesh/index.ts'
import { createLibp2pMesh } from '../../mesh/libp2p/index.ts'
import { createApi, createSingleTokenAuthorizer } from '../../node/api/index.ts'
import { createNode, readNodeConfig } from '../../node/index.ts'
import {
  createBlobStore,
  createStateFile,
  isTimeTrusted,
  systemClock,
  systemRandom,
  takeProcessLock,
} from '../../node/powers/index.ts'
import { parseTopology, type Topology } from '../../topologies/index.ts'
import type { DemoNode } from './world.ts'

/** All that went one way on one stream of a link, message by message, in plain text. */
export interface Capture {
  /** Fingerprint of the node at the other end. */
  readonly peer: string
  readonly direction: 'to the tower' | 'from the tower'
  readonly purpose: string
  readonly messages: Uint8Array[]
}

export interface TappedTower {
  readonly captures: readonly Capture[]
  stop(): Promise<void>
}

const tapMesh = (mesh: Mesh, captures: Capture[]): Mesh => {
  const originals = new WeakMap<MeshLink, MeshLink>()
  const tapStream = (key: string, stream: MeshStream): MeshStream => {
    const peer = keyIdOf(fromHex(key), nodeHash)
    const captured = (direction: Capture['direction']) => {
      const capture: Capture = { peer, direction, purpose: stream.purpose, messages: [] }
      captures.push(capture)
      return capture.messages
    }
    const [incoming, outgoing] = [captured('to the tower'), captured('from the tower')]
    const messages = async function* () {
      for await (const message of stream.messages) {
        incoming.push(message.slice())
        yield message
      }
    }
    return {
      purpose: stream.purpose,
      priority: stream.priority,
      send: (message) => {
        // A copy: whoever sends may use its buffer again.
        outgoing.push(message.slice())
        return stream.send(message)
      },
      messages: messages(),
      close: () => stream.close(),
      abort: (reason) => stream.abort(reason),
    }
  }
  const tapLink = (link: MeshLink): MeshLink => {
    const tapped: MeshLink = {
      peer: link.peer,
      heardAgeMs: () => link.heardAgeMs(),
      closed: link.closed,
      close: () => link.close(),
      openStream: async (purpose, options) => tapStream(link.peer, await link.openStream(purpose, options)),
    }
    originals.set(tapped, link)
    return tapped
  }
  return {
    start: () => mesh.start(),
    stop: () => mesh.stop(),
    addresses: () => mesh.addresses(),
    dial: async (address, options) => tapLink(await mesh.dial(address, options)),
    onLink: (accept) => mesh.onLink((link) => accept(tapLink(link))),
    onStream: (link, accept) =>
      mesh.onStream(originals.get(link) ?? link, (stream) => accept(tapStream(link.peer, stream))),
  }
}

/**
 * The tower of the tree, run by the demo itself on the folder of the one that was stopped, with its links listened to:
 * the tap is a power that the demo hands in, and no option of a node leads to one.
 * @param edit what the topology file says while it runs
 */
export const startTappedTower = async (
  node: DemoNode,
  edit: (topology: Topology) => Topology,
): Promise<TappedTower> => {
  const args = ['--config', join(node['data-dir'], 'node.yaml')]
  const config = readNodeConfig({ args, env: {}, readFile: (path) => readFileSync(path, 'utf8') })
  if (typeof config !== 'object') throw new RangeError('the options of the tower ask for help alone')
  const unlock = takeProcessLock(join(config.runDir, 'node.lock'), config.name)
  rmSync(join(config.runDir, 'node.json'), { force: true })
  const captures: Capture[] = []
  const running = createNode(config, {
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    openMesh: ({ seed, networkId }) =>
      tapMesh(
        createLibp2pMesh({
          seed,
          prologue: Buffer.from(networkId, 'hex'),
          listen: config.meshListen,
          clock: systemClock,
          log: silentLog,
        }),
        captures,
      ),
    store: createLevelStore(join(config.dataDir, 'store'), { log: silentLog }),
    authority: { signatures: createNodeSignatures(), hash: nodeHash },
    hash: (text) => createHash('sha256').update(text).digest('hex'),
    blobs: createBlobStore(join(config.dataDir, 'archives'), systemRandom),
    stateFile: <Value>(name: string) => createStateFile<Value>(join(config.dataDir, `${name}.json`)),
    topology: edit(parseTopology(readFileSync(config.topology, 'utf8'), config.topology)),
    hostId: config.hostId,
    joinTokens: () => [],
    isTimeTrusted: () => isTimeTrusted(config),
    version: 'demo',
    pid: process.pid,
    rssBytes: () => process.memoryUsage.rss(),
  })
  await running.start()
  const api = await createApi(
    {
      name: config.name,
      version: 'demo',
      socketPath: join(config.runDir, 'api.sock'),
      address: '127.0.0.1',
      port: 0,
      certificateDir: join(config.dataDir, 'tls'),
    },
    {
      services: running.services,
      authorizer: createSingleTokenAuthorizer({
        token: readFileSync(config.tokenFile, 'utf8').trim(),
        tenant: 'default',
      }),
      clock: systemClock,
      log: silentLog,
      documentSchemas: async () => ({}),
    },
  )
  let stopped: Promise<void> | undefined
  const stop = async () => {
    await api.stop()
    await running.stop()
    unlock()
  }
  return {
    captures,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}
