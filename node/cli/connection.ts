import { connect as connectSocket, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Clock, SkerryError } from '../../base/index.ts'
import { unreachable } from './failure.ts'

/** Where a node's API is, and what proves that it is that node. */
export type Endpoint =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'https'
      readonly host: string
      readonly port: number
      readonly fingerprint: string
      readonly token: string
    }

export const endpointText = (endpoint: Endpoint): string =>
  endpoint.kind === 'socket' ? endpoint.path : `https://${endpoint.host}:${endpoint.port}`

const plain = (fingerprint: string): string => fingerprint.replaceAll(/[^0-9a-fA-F]/g, '').toLowerCase()

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing answers there',
  ENOENT: 'its socket is not there',
  EACCES: 'this user may not open its socket',
  ENOTFOUND: 'the name is not known',
  EHOSTUNREACH: 'there is no way to that address',
  ENETUNREACH: 'there is no way to that address',
  ECONNRESET: 'it closed the connection',
}

export const reachError = (endpoint: Endpoint, error: unknown): SkerryError => {
  if (error instanceof SkerryError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error))
  const advice = code === 'EACCES' ? 'use the user that owns it' : 'start one with "skerry up"'
  return unreachable(`cannot reach the node at ${endpointText(endpoint)}: ${reason}; ${advice}`, error)
}

const mismatch = (endpoint: Endpoint, shown: string, pinned: string): SkerryError =>
  new SkerryError(
    'wrong-certificate',
    `${endpointText(endpoint)} showed another certificate than the pinned one, and nothing was sent to it\n` +
      `  shown:  ${shown || 'none'}\n  pinned: ${pinned}\n` +
      'if the node was made anew, run "skerry up" again or give its --fingerprint; else something stands in between',
  )

/**
 * Opens a connection. With HTTPS it is handed out only after the node has proved the pinned certificate, so no byte of
 * a request, and no token, ever goes to another one.
 * @throws {SkerryError} `node-unreachable` (also after `timeoutMs`), `wrong-certificate`
 */
export const openConnection = (
  endpoint: Endpoint,
  options: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket =
      endpoint.kind === 'socket'
        ? connectSocket(endpoint.path)
        : // The pin stands in for the chain of authorities: the handshake proves the key, the check below which key.
          connectTls({ host: endpoint.host, port: endpoint.port, rejectUnauthorized: false, minVersion: 'TLSv1.2' })
    const timer = options.clock.setTimer(options.timeoutMs, () => {
      fail(
        unreachable(`cannot reach the node at ${endpointText(endpoint)}: no answer in ${options.timeoutMs / 1000} s`),
      )
    })
    const fail = (error: unknown) => {
      timer.cancel()
      socket.destroy()
      reject(reachError(endpoint, error))
    }
    socket.once('error', fail)
    socket.once(endpoint.kind === 'socket' ? 'connect' : 'secureConnect', () => {
      timer.cancel()
      if (endpoint.kind === 'https' && 'getPeerX509Certificate' in socket) {
        const shown = (socket as ReturnType<typeof connectTls>).getPeerX509Certificate()?.fingerprint256 ?? ''
        if (plain(shown) !== plain(endpoint.fingerprint) || shown === '')
          return fail(mismatch(endpoint, shown, endpoint.fingerprint))
      }
      socket.off('error', fail)
      resolve(socket)
    })
  })
