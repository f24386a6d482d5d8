import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { type Clock, errorText, type Log } from '../../base/index.ts'
import { linkVersion } from '../frames.ts'
import { heartbeatMs, type Mesh, type MeshLink, type PeerKey } from '../mesh.ts'
import { MeshError } from '../mesh-error.ts'
import type { StreamLink } from '../stream-link.ts'
import { toListenAddress, toMultiaddr, withPort } from './addresses.ts'
import { meterOf } from './byte-meter.ts'
import { createDoor } from './door.ts'
import { createHost } from './host.ts'
import { defaultLimits, type Libp2pLimits } from './limits.ts'
import { createRefusals, type RefusalKind } from './refusals.ts'
import { rawOf, tearDown } from './tear-down.ts'
import { spareWindowUpdates } from './window-updates.ts'
import { createWire, type Wire } from './wire.ts'

export interface Libp2pMeshOptions {
  /** Ed25519 seed of the node, 32 bytes. Its public key is what peers see. */
  readonly seed: Uint8Array
  /** What the nodes of one network share, like the network id: others fail the handshake. */
  readonly prologue: Uint8Array
  /** `host:port` for TCP, `ws://host:port` for WebSocket; port 0 takes a free one. Empty for a node that only dials. */
  readonly listen: readonly string[]
  readonly clock: Clock
  readonly log: Log
  /** @default defaultLimits */
  readonly limits?: Partial<Libp2pLimits>
  /** Milliseconds of silence after which a sign of life is sent; after two without one, or six where this end was called, the link is lost. @default 10000 */
  readonly heartbeatMs?: number
  /** Version of the link the node speaks. @default the newest */
  readonly version?: number
}

export interface Libp2pMesh extends Mesh {
  /** What was refused since the start, by kind. */
  counts(): Readonly<Record<RefusalKind, number>>
}

/** The one protocol; its stream lives as long as its connection. */
const protocol = '/skerry/link/1'

interface Running {
  readonly host: Libp2p
  readonly addresses: readonly string[]
  readonly stop: () => Promise<void>
}

/**
 * Links over libp2p: TCP or WebSocket, Noise, Yamux, and one stream that carries all of a link.
 * @throws {MeshError} `bad-address` when an address to listen at cannot be used
 */
export const createLibp2pMesh = (options: Libp2pMeshOptions): Libp2pMesh => {
  const { clock, log } = options
  const limits: Libp2pLimits = { ...defaultLimits, ...options.limits }
  const listen = options.listen.map(toListenAddress)
  const refusals = createRefusals(clock, log)
  const links = new Map<StreamLink, { readonly gone: Promise<void> }>()
  const inboundOf = new Map<PeerKey, StreamLink[]>()
  const dialing = new Map<string, Promise<unknown>>()
  let accept: ((link: MeshLink) => void) | undefined
  let running: Promise<Running> | undefined
  let stopped = false

  const door = createDoor({ clock, limits, refusals })

  /** Puts a wire on the stream of a connection. Rejects in words when either end refuses. */
  const join = (connection: Connection, stream: Stream, dialed: boolean): Promise<StreamLink> =>
    new Promise((resolve, reject) => {
      const peer = keyOf(connection)
      spareWindowUpdates(stream)
      const caller = dialed ? undefined : door.callerAt(connection.remoteAddr)
      const meter = meterOf(rawOf(connection), clock)
      const gone = Promise.withResolvers<void>()
      let link: StreamLink | undefined
      const onRefused = (kind: RefusalKind, words: string) => {
        if (dialed && !link) refusals.count(kind)
        else refusals.note(kind, peer, words)
        reject(new Error(words))
      }
      const wire: Wire = createWire({
        peer,
        dialed,
        clock,
        heartbeatMs: options.heartbeatMs ?? heartbeatMs,
        version: options.version ?? linkVersion,
        carrier: {
          send: (bytes) => stream.send(bytes) && isFree(stream),
          destroy: (reason) => tearDown(connection, reason),
          heardMs: meter.heardMs,
        },
        onRefused,
        onJoined: (joined) => {
          link = joined
          links.set(joined, { gone: gone.promise })
          meter.settle()
          meter.allow(limits.unframedBytes, () => {
            refusals.note('oversize', peer, `over ${limits.unframedBytes} bytes that make no frame`)
            wire.lost('the other end sent garbage')
          })
          caller?.reach('greeted')
          resolve(joined)
        },
        onGone: (reason) => {
          if (link) links.delete(link)
          reject(new Error(reason))
          gone.resolve()
        },
      })
      stream.addEventListener('message', ({ data }) => {
        if (link) meter.settle()
        wire.take(data.subarray())
      })
      // Both events come from inside a send: what is sent there is kept, and said to be on its way.
      const onFree = () =>
        void Promise.resolve().then(() => {
          if (isFree(stream)) wire.drained()
        })
      stream.addEventListener('drain', onFree)
      stream.addEventListener('idle', onFree)
      stream.addEventListener('remoteCloseWrite', () => wire.lost('the connection broke'))
      stream.addEventListener('close', () => wire.lost('the connection broke'))
    })

  const countOf = (link: StreamLink) => {
    const ofPeer = [...(inboundOf.get(link.peer) ?? []), link]
    if (ofPeer.length > limits.linksPerPeer) void ofPeer.shift()?.close()
    inboundOf.set(link.peer, ofPeer)
    void link.closed.then(() => {
      const rest = (inboundOf.get(link.peer) ?? []).filter((other) => other !== link)
      if (rest.length > 0) inboundOf.set(link.peer, rest)
      else inboundOf.delete(link.peer)
    })
  }
  const answer = (stream: Stream, connection: Connection) => {
    join(connection, stream, false).then(
      (link) => {
        countOf(link)
        if (accept) accept(link)
        else void link.close()
      },
      () => {},
    )
  }

  const run = async (): Promise<Running> => {
    const addresses: string[] = []
    let failure: { address: string; error: unknown } | undefined
    const host = await createHost({
      privateKey: await generateKeyPairFromSeed('Ed25519', options.seed),
      prologue: options.prologue,
      listen,
      clock,
      door,
      onListenError: (address, error) => {
        failure ??= { address: withPort(address, Number(address.toString().split('/')[4])), error }
      },
      onListening: (address, port) => void addresses.push(withPort(address, port)),
    })
    const stop = async () => {
      const open = [...links]
      for (const [link] of open) void link.close()
      await Promise.all(open.map(([, { gone }]) => gone))
      door.close()
      await host.stop()
    }
    await host.handle(protocol, answer, { maxInboundStreams: 1, maxOutboundStreams: 1 })
    try {
      await host.start()
    } catch (error) {
      failure ??= { address: options.listen.join(', '), error }
    }
    if (failure) {
      await stop()
      const { address, error } = failure
      const code = (error as { code?: unknown }).code === 'EADDRINUSE' ? 'address-in-use' : 'bad-address'
      throw new MeshError(code, `cannot listen at ${address}: ${errorText(error)}`, { cause: error })
    }
    return { host, addresses, stop }
  }
  const started = () => {
    running ??= run().catch((error: unknown) => {
      running = undefined
      throw error
    })
    return running
  }
  let listening: readonly string[] = []

  /** libp2p gives two dials of one address one connection: one waits for the other. */
  const inTurn = async <Value>(address: string, work: () => Promise<Value>): Promise<Value> => {
    const turn = (dialing.get(address) ?? Promise.resolve()).then(work)
    const settled = turn.catch(() => {})
    dialing.set(address, settled)
    try {
      return await turn
    } finally {
      if (dialing.get(address) === settled) dialing.delete(address)
    }
  }
  const connect = async (address: string, signal: AbortSignal): Promise<StreamLink> => {
    const target = toMultiaddr(address)
    const { host } = await started()
    const connection = await inTurn(address, async () => {
      signal.throwIfAborted()
      return host.dial(target, { signal, force: true })
    })
    const giveUp = () => tearDown(connection, 'the caller gave up')
    signal.addEventListener('abort', giveUp)
    try {
      const stream = await connection.newStream(protocol, { signal, maxOutboundStreams: 1 })
      return await join(connection, stream, true)
    } catch (error) {
      tearDown(connection, 'no link')
      throw error
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  return {
    start: async () => {
      stopped = false
      listening = (await started()).addresses
    },
    stop: async () => {
      stopped = true
      listening = []
      const stopping = running
      running = undefined
      await (await stopping?.catch(() => undefined))?.stop()
    },
    addresses: () => listening,
    dial: async (address, { timeoutMs, signal }) => {
      const ended = new AbortController()
      let why: string | undefined
      const giveUp = (reason: string) => () => {
        why ??= reason
        ended.abort()
      }
      const onAbort = giveUp('the caller gave up')
      const timer = clock.setTimer(timeoutMs, giveUp(`no answer within ${timeoutMs} ms`))
      if (signal?.aborted) onAbort()
      signal?.addEventListener('abort', onAbort)
      try {
        if (stopped) throw new Error('this node was stopped')
        ended.signal.throwIfAborted()
        return await connect(address, ended.signal)
      } catch (error) {
        if (error instanceof MeshError && error.code === 'bad-address') throw error
        refusals.count('dial-failed')
        const message = `cannot reach the node at ${address}: ${why ?? explain(error)}`
        throw new MeshError('unreachable', message, { cause: error })
      } finally {
        timer.cancel()
        signal?.removeEventListener('abort', onAbort)
      }
    },
    onLink: (handler) => {
      accept = handler
    },
    onStream: (link, handler) => (link as StreamLink).onStream(handler),
    counts: refusals.counts,
  }
}

/**
 * Whether a stream holds nothing that waits. Its `drain` alone does not say so: Yamux reports it for each small update of
 * the window, and who then sends more fills the stream without bound.
 */
const isFree = (stream: Stream): boolean => stream.writeBufferLength === 0 && !stream.writableNeedsDrain

/** The raw public key a connection proved, as hex. Only Ed25519 keys get through the handshake. */
const keyOf = ({ remotePeer }: Connection): PeerKey => {
  if (remotePeer.type !== 'Ed25519') throw new Error(`a key of type ${remotePeer.type} got through the handshake`)
  return Buffer.from(remotePeer.publicKey.raw).toString('hex')
}

/** Errors of libp2p in the words of someone who has to act. */
const explain = (error: unknown): string => {
  const { name, message } = error as { name?: string; message?: string }
  if (name === 'EncryptionFailedError')
    return `the handshake failed: it belongs to another network, or is no such node (${message})`
  return message ?? 'the connection broke'
}
