import { noise } from '@chainsafe/libp2p-noise'
import type {
  ComponentLogger,
  ConnectionEncrypter,
  Libp2p,
  Listener,
  Logger,
  MultiaddrConnection,
  PrivateKey,
  Transport,
  Upgrader,
} from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Clock } from '../../base/index.ts'
import { meterOf } from './byte-meter.ts'
import type { Door } from './door.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { spareErrors } from './spare-errors.ts'
import { webSocketsFor } from './web-sockets.ts'

/** Yamux's least: a peer may have so many bytes of ours unread below the link, and no urgent frame waits behind more. */
const yamuxWindowBytes = 256 * 1024
/** Largest WebSocket message: a Noise message and its length, with room to spare. The default of 100 MiB is a stranger's. */
const maxWebSocketMessageBytes = 128 * 1024
/** Its own timers only catch what ours do not: dials and greetings end by the injected clock. Milliseconds. */
const backstopMs = 60_000

/** libp2p formats its many lines before it looks whether anyone reads them. */
const silent: Logger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silent,
})
const logger: ComponentLogger = { forComponent: () => silent }

export interface HostOptions {
  readonly privateKey: PrivateKey
  readonly prologue: Uint8Array
  readonly listen: readonly Multiaddr[]
  readonly clock: Clock
  readonly door: Door
  /** An address could not be listened at. */
  readonly onListenError: (address: Multiaddr, error: unknown) => void
  /** An address is listened at, with this port. */
  readonly onListening: (address: Multiaddr, port: number) => void
}

/** A libp2p node that dials and is dialed, and does nothing by itself: no discovery, relay, identify, ping or reconnecting. */
export const createHost = async (options: HostOptions): Promise<Libp2p> => {
  const { door } = options
  const webSockets = await webSocketsFor(options.listen)
  const node = await createLibp2p({
    start: false,
    privateKey: options.privateKey,
    logger,
    addresses: { listen: options.listen.map((address) => address.toString()) },
    transports: [
      (components) =>
        guarded(
          tcp({ inboundSocketInactivityTimeout: 0, outboundSocketInactivityTimeout: 0, backlog: 1024 })(components),
          options,
        ),
      (components) => guarded(webSockets(components), options),
    ],
    connectionEncrypters: [
      (components) => watched(noise({ prologueBytes: options.prologue, crypto: noiseCrypto })(components), door),
    ],
    streamMuxers: [
      yamux({
        enableKeepAlive: false,
        maxInboundStreams: 1,
        maxOutboundStreams: 1,
        streamOptions: { initialStreamWindowSize: yamuxWindowBytes, maxStreamWindowSize: yamuxWindowBytes },
      }),
    ],
    connectionManager: {
      // The door counts callers; this manager's own way of counting copies a list for each of them.
      allow: ['/ip4/0.0.0.0/ipcidr/0', '/ip6/::/ipcidr/0'],
      maxConnections: Number.MAX_SAFE_INTEGER,
      reconnectRetries: 0,
      dialTimeout: backstopMs,
      addressDialTimeout: backstopMs,
      inboundUpgradeTimeout: backstopMs,
    },
    connectionMonitor: { enabled: false },
    connectionGater: {
      denyInboundConnection: (connection) => {
        door.meet(connection)
        return false
      },
      denyInboundEncryptedConnection: (peer, connection) => {
        door.callerAt(connection.remoteAddr)?.reach('encrypted')
        return peer.type !== 'Ed25519'
      },
      denyOutboundEncryptedConnection: (peer) => peer.type !== 'Ed25519',
    },
    services: { flatConnections: ({ connectionManager }) => flatten(connectionManager) },
  })
  // What it remembers of a peer is of no use here, and strangers would fill it.
  node.addEventListener('peer:disconnect', ({ detail }) => void node.peerStore.delete(detail).catch(() => {}))
  return node
}

/** `getConnections()` of libp2p 3.3 copies all lists once per peer: at 12,000 links that is 50 ms for each new one. */
const flatten = (manager: {
  getConnections(peer?: unknown): unknown[]
  getConnectionsMap(): { values(): Iterable<unknown[]> }
}): object => {
  const ofPeer = manager.getConnections.bind(manager)
  manager.getConnections = (peer) =>
    peer === undefined || peer === null ? [...manager.getConnectionsMap().values()].flat() : ofPeer(peer)
  return {}
}

/** Puts the door before each listener of a transport, and ends what it dialed in vain: the one for WebSocket does not. */
const guarded = (transport: Transport, options: HostOptions): Transport => {
  const dial = transport.dial.bind(transport)
  transport.dial = (address, dialOptions) => {
    const upgradeOutbound: Upgrader['upgradeOutbound'] = async (connection, upgradeOptions) => {
      meterOf(connection, options.clock)
      try {
        return await dialOptions.upgrader.upgradeOutbound(connection, upgradeOptions)
      } catch (error) {
        connection.abort(error instanceof Error ? error : new Error('the handshake failed'))
        throw error
      }
    }
    const upgrader: Upgrader = Object.create(dialOptions.upgrader, { upgradeOutbound: { value: upgradeOutbound } })
    return dial(address, { ...dialOptions, upgrader })
  }
  const createListener = transport.createListener.bind(transport)
  transport.createListener = (listenOptions) => {
    const listener: Listener & { server?: { address(): unknown }; wsServer?: { options: { maxPayload: number } } } =
      createListener(listenOptions)
    options.door.guard(listener)
    if (listener.wsServer) listener.wsServer.options.maxPayload = maxWebSocketMessageBytes
    const listen = listener.listen.bind(listener)
    listener.listen = async (address) => {
      try {
        await listen(address)
      } catch (error) {
        options.onListenError(address, error)
        throw error
      }
      const bound = listener.server?.address() as { port: number } | undefined
      options.onListening(address, bound?.port ?? 0)
    }
    return listener
  }
  return transport
}

/** Tells the door how far a caller got; what comes of it makes no needless errors. */
const watched = (encrypter: ConnectionEncrypter, door: Door): ConnectionEncrypter => {
  const secureInbound = encrypter.secureInbound.bind(encrypter)
  const secureOutbound = encrypter.secureOutbound.bind(encrypter)
  encrypter.secureOutbound = async (connection, options) => spareErrors(await secureOutbound(connection, options))
  encrypter.secureInbound = async (connection, options) => {
    const { remoteAddr } = connection as Partial<MultiaddrConnection>
    const caller = remoteAddr && door.callerAt(remoteAddr)
    caller?.reach('encrypting')
    try {
      return spareErrors(await secureInbound(connection, options))
    } catch (error) {
      // A WebSocket is closed politely, which a stranger may never answer.
      caller?.refuse('other-network', 'the handshake failed: it belongs to another network, or waited too long')
      throw error
    }
  }
  return encrypter
}
