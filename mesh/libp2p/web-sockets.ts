import { type Transport, transportSymbol } from '@libp2p/interface'
import type { WebSocketsComponents } from '@libp2p/websockets'
import type { Multiaddr } from '@multiformats/multiaddr'

const isWebSocket = (address: Multiaddr): boolean =>
  address.getComponents().some(({ name }) => name === 'ws' || name === 'wss')

const load = async (components: WebSocketsComponents): Promise<Transport> =>
  (await import('./web-sockets-code.ts')).webSockets()(components)

/** Dials over WebSocket, and loads the code for it when the first address asks for it. */
const dialOnly = (components: WebSocketsComponents): Transport => {
  let loading: Promise<Transport> | undefined
  return {
    [transportSymbol]: true,
    [Symbol.toStringTag]: 'web-sockets-by-need',
    dialFilter: (addresses) => addresses.filter(isWebSocket),
    listenFilter: () => [],
    createListener: () => {
      throw new RangeError('no address of this node is one of WebSocket')
    },
    dial: async (address, options) => {
      loading ??= load(components)
      return (await loading).dial(address, options)
    },
  }
}

/**
 * The transport of libp2p for WebSocket. Its code is megabytes to an idle edge, so it is loaded only when an address to
 * listen at, or one to dial, is one of WebSocket.
 */
export const webSocketsFor = async (
  listen: readonly Multiaddr[],
): Promise<(components: WebSocketsComponents) => Transport> => {
  if (!listen.some(isWebSocket)) return dialOnly
  const { webSockets } = await import('./web-sockets-code.ts')
  return webSockets()
}
