import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { MeshError } from '../mesh-error.ts'

/**
 * What people write: `host:port` is TCP, `ws://host:port` and `wss://host[:port]` are WebSocket; a host is a DNS name, an
 * IPv4 address or an IPv6 address in brackets. A text that starts with a slash is a multiaddr of one of the three.
 */
interface Address {
  readonly transport: 'tcp' | 'ws' | 'wss'
  readonly host: string
  readonly port: number
}

const shapes = {
  tcp: /^(?<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+):(?<port>\d{1,5})$/i,
  web: /^(?<scheme>wss?):\/\/(?<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:(?<port>\d{1,5}))?(?<path>\/.*)?$/i,
}

const refuse = (address: string, why: string, cause?: unknown): never => {
  throw new MeshError('bad-address', `cannot use address ${JSON.stringify(address.slice(0, 200))}: ${why}`, { cause })
}

const parse = (address: string): Address => {
  const tcp = shapes.tcp.exec(address)?.groups
  if (tcp?.host !== undefined) return { transport: 'tcp', host: tcp.host, port: Number(tcp.port) }
  const web = shapes.web.exec(address)?.groups
  if (web?.host === undefined || web.scheme === undefined)
    return refuse(address, 'write host:port, ws://host:port or wss://host')
  if (web.path !== undefined && web.path !== '/') refuse(address, 'a path is not supported')
  const transport = web.scheme.toLowerCase() === 'wss' ? 'wss' : 'ws'
  return { transport, host: web.host, port: Number(web.port ?? (transport === 'wss' ? 443 : 80)) }
}

const suffixes = { tcp: '', ws: '/ws', wss: '/tls/ws' }
const knownProtocols =
  /^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d+(\/ws|\/wss|\/tls\/ws|\/tls\/sni\/[^/]+\/ws)?(\/p2p\/[^/]+)?$/

/**
 * The multiaddr of an address as people write it.
 * @throws {MeshError} `bad-address`
 */
export const toMultiaddr = (address: string): Multiaddr => {
  try {
    if (address.startsWith('/')) {
      if (!knownProtocols.test(address)) refuse(address, 'only TCP and WebSocket are supported')
      return multiaddr(address)
    }
    const { transport, host, port } = parse(address)
    if (port > 65_535) refuse(address, 'use a port up to 65535')
    const bare = host.replace(/^\[|\]$/g, '')
    const kind = host.startsWith('[') ? 'ip6' : /^[0-9.]+$/.test(host) ? 'ip4' : 'dns'
    return multiaddr(`/${kind}/${bare}/tcp/${port}${suffixes[transport]}`)
  } catch (error) {
    if (error instanceof MeshError) throw error
    return refuse(address, 'its host is neither a name nor an IP address', error)
  }
}

/**
 * The multiaddr to listen at; port 0 takes any free one.
 * @throws {MeshError} `bad-address`
 */
export const toListenAddress = (address: string): Multiaddr => {
  const listen = toMultiaddr(address)
  const text = listen.toString()
  if (/\/(wss|tls)(\/|$)/.test(text)) refuse(address, 'listen at ws:// and put a proxy with a certificate in front')
  if (text.includes('/p2p/')) refuse(address, 'leave out /p2p: the node knows its own key')
  return listen
}

/** An address to listen at as people write it, with the port it really got. */
export const withPort = (listen: Multiaddr, port: number): string => {
  const [, kind, host] = listen.toString().split('/')
  const scheme = listen.toString().includes('/ws') ? 'ws://' : ''
  return `${scheme}${kind === 'ip6' ? `[${host}]` : host}:${port}`
}
