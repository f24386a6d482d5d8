import { createConnection, createServer, type Socket } from 'node:net'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, Stream } from '@libp2p/interface'
import { type Clock, createManualClock, silentLog } from '../../base/index.ts'
import { toMultiaddr } from './addresses.ts'
import { createHost } from './host.ts'
import { createLibp2pMesh, type Libp2pMesh, type Libp2pMeshOptions } from './index.ts'

/** What the tests of real sockets share: nodes with known keys, a relay that can be cut, peers that say what they like. */
interface Teardown {
  teardown(fn: () => unknown): void
}

export const prologue = new TextEncoder().encode('network of the tests')

/** RFC 8032, 7.1: seeds and public keys of tests 1 and 2. */
export const nodes = {
  near: {
    seed: Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'),
    key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  },
  far: {
    seed: Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex'),
    key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  },
}

export const makeNode = (options: Partial<Libp2pMeshOptions>): Libp2pMesh =>
  createLibp2pMesh({
    seed: nodes.near.seed,
    prologue,
    listen: [],
    clock: createManualClock(),
    log: silentLog,
    ...options,
  })

/** Time as it passes, for tests in which real sockets race real deadlines. */
export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  bootNowMs: () => performance.now(),
  setTimer: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Waits until `is` holds. @throws after 20 seconds */
export const until = async (is: () => boolean, what: string): Promise<void> => {
  const endMs = performance.now() + 20_000
  while (!is()) {
    if (performance.now() > endMs) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export const portOf = (address: string | undefined): number => Number(/\d+$/.exec(address ?? '')?.[0] ?? 1)

/** A plain relay of TCP in the middle of links: can be cut, or made to swallow all without a word. */
export const startRelay = async (t: Teardown, portBehind: () => number) => {
  const sockets = new Set<Socket>()
  let swallows = false
  const relay = createServer((near) => {
    const far = createConnection(portBehind(), '127.0.0.1')
    const pass = (from: Socket, to: Socket) => {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => to.destroy())
      from.on('data', (bytes) => void (swallows || to.write(bytes)))
    }
    pass(near, far)
    pass(far, near)
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    relay.close()
  })
  return {
    port: portOf(String((relay.address() as { port: number }).port)),
    cut: () => sockets.forEach((socket) => void socket.destroy()),
    swallow: () => {
      swallows = true
    },
  }
}

/** A connection that is through the handshake, and the stream of its link, to send any bytes on. */
export interface RawPeer {
  readonly connection: Connection
  readonly stream: Stream
  /** Bytes below the muxer, as if it had sent them. */
  sendUnderMuxer(bytes: Uint8Array): void
  readonly received: Uint8Array[]
  readonly closed: Promise<void>
}

/** A caller with a key of its own that speaks libp2p as it should and the link as the test says. */
export const startRawCaller = async (t: Teardown, seedByte: number) => {
  const host = await createHost({
    privateKey: await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seedByte)),
    prologue,
    listen: [],
    clock: createManualClock(),
    door: { guard: () => {}, meet: () => {}, callerAt: () => undefined, close: () => {} },
    onListenError: () => {},
    onListening: () => {},
  })
  await host.start()
  t.teardown(() => host.stop())
  return {
    call: async (address: string): Promise<RawPeer> => {
      const connection = await host.dial(toMultiaddr(address), { force: true })
      const stream = await connection.newStream('/skerry/link/1')
      const received: Uint8Array[] = []
      stream.addEventListener('message', ({ data }) => void received.push(data.subarray()))
      const closed = new Promise<void>((resolve) => connection.addEventListener('close', () => resolve()))
      const { maConn } = (connection as unknown as { muxer: { maConn: { send(bytes: Uint8Array): void } } }).muxer
      return { connection, stream, received, closed, sendUnderMuxer: (bytes) => maConn.send(bytes) }
    },
  }
}
