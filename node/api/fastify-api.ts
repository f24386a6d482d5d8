import { rmSync } from 'node:fs'
import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, isIPv6 } from 'node:net'
import { type Clock, type Log, SkerryError, sleep } from '../../base/index.ts'
import type { Authorizer } from './authorizer.ts'
import { type ApiLimits, createApp, defaultLimits } from './fastify-app.ts'
import { routes } from './routes.ts'
import type { ApiServices, ConfigKind } from './services.ts'
import { keepCertificate } from './x509-certificate.ts'

// An `import` of node:http reads all its exports, and one of them, WebSocket, loads Node's whole fetch: 14 MB resident.
const { createServer } = process.getBuiltinModule('node:http')

export interface ApiOptions {
  /** Name of the node; goes into its certificate. */
  readonly name: string
  /** Version of the program, for the OpenAPI document. */
  readonly version: string
  /** Path of the loopback socket, at most 103 bytes. */
  readonly socketPath: string
  /** Where HTTPS is served; port 0 takes any free one. */
  readonly address: string
  readonly port: number
  /** Folder for the certificate and its key. */
  readonly certificateDir: string
  readonly limits?: Partial<ApiLimits>
  /** From a connection to the end of a request's head, in milliseconds. @default 10_000 */
  readonly headersTimeoutMs?: number
  /** Connections at a time, of socket and HTTPS each. @default 256 */
  readonly maxConnections?: number
}

export interface ApiPowers {
  readonly services: ApiServices
  readonly authorizer: Authorizer
  readonly clock: Clock
  readonly log: Log
  /** JSON schemas of the specifications for the OpenAPI document; asked when it is first wanted. */
  readonly documentSchemas?: () => Promise<Readonly<Partial<Record<ConfigKind, object>>>>
}

export interface Api {
  /** Like `https://127.0.0.1:4646`. */
  readonly httpsUrl: string
  /** What clients pin: sha256 of the certificate's DER, hexadecimal with colons. */
  readonly fingerprint: string
  readonly socketPath: string
  /** Requests that were not let in since the start. */
  refusals(): number
  /** Ends running requests, then closes; resolves when nothing is open. */
  stop(): Promise<void>
}

/** sun_path of unix(7) holds 104 bytes on macOS with its end mark; Linux has 108. */
const maxSocketPathBytes = 103
const stopGraceMs = 2_000

const listenOn = (server: Server, what: string, listen: () => void): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      const advice = taken ? 'something else listens there; choose another one' : error.message
      reject(
        new SkerryError(taken ? 'address-in-use' : 'cannot-listen', `cannot listen at ${what}: ${advice}`, {
          cause: error,
        }),
      )
    })
    server.once('listening', resolve)
    listen()
  })

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    const end = (alive: boolean) => () => {
      socket.destroy()
      resolve(alive)
    }
    socket.once('connect', end(true))
    socket.once('error', end(false))
  })

/** Listens so that the socket is never open to others, not even for a moment. */
const listenAtSocket = async (server: Server, path: string): Promise<void> => {
  if (Buffer.byteLength(path) > maxSocketPathBytes)
    throw new SkerryError(
      'socket-path-too-long',
      `the socket path ${path} is longer than ${maxSocketPathBytes} bytes: choose a shorter --run-dir`,
    )
  if (await answers(path))
    throw new SkerryError('address-in-use', `another node answers at ${path}: stop it or choose another --run-dir`)
  rmSync(path, { force: true })
  await listenOn(server, path, () => {
    const before = process.umask(0o177)
    try {
      server.listen(path)
    } finally {
      process.umask(before)
    }
  })
}

const urlOf = (address: string, port: number): string => {
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
  return `https://${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** Opens the API of one node: a loopback socket for the host's owner, and HTTPS with the node's own certificate. */
export const createApi = async (options: ApiOptions, powers: ApiPowers): Promise<Api> => {
  const { clock, log } = powers
  const headersTimeout = options.headersTimeoutMs ?? 10_000
  const certificate = await keepCertificate({ ...options, dir: options.certificateDir, log })
  const stopping = new AbortController()
  let refusals = 0
  const bounds = {
    headersTimeout,
    // Bodies have their own deadlines (read-body.ts): an upload may take as long as it keeps moving.
    requestTimeout: 0,
    keepAliveTimeout: headersTimeout,
    connectionsCheckingInterval: Math.min(2_000, headersTimeout / 2),
  }
  const limit = (server: Server) => {
    server.maxConnections = options.maxConnections ?? 256
    return server
  }
  const tls = { key: certificate.keyPem, cert: certificate.certificatePem, minVersion: 'TLSv1.2' } as const
  const servers = {
    socket: (handler: RequestListener) => limit(createServer(bounds, handler)),
    https: (handler: RequestListener) =>
      limit(createTlsServer({ ...bounds, ...tls, handshakeTimeout: headersTimeout }, handler)),
  }
  let document: Promise<object> | undefined
  const openApi = () => {
    document ??= Promise.all([import('./openapi.ts'), powers.documentSchemas?.()]).then(([made, schemas]) =>
      made.openApiDocument(routes, { version: options.version, schemas: schemas ?? {} }),
    )
    return document
  }
  const open = (via: keyof typeof servers) =>
    createApp({
      ...powers,
      via,
      routes,
      limits: { ...defaultLimits, ...options.limits },
      listen: servers[via],
      onRefusal: () => {
        refusals++
      },
      stopping: stopping.signal,
      openApi,
    })
  const apps = [open('socket'), open('https')] as const
  const closeServer = (server: Server) =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeIdleConnections()
    })
  const stop = async () => {
    stopping.abort()
    const open = apps.map(({ server }) => server).filter(({ listening }) => listening)
    const closed = Promise.all(open.map(closeServer))
    const grace = new AbortController()
    await Promise.race([closed, sleep(clock, stopGraceMs, grace.signal)])
    grace.abort()
    for (const server of open) server.closeAllConnections()
    await closed
    await Promise.all(apps.map((app) => app.close()))
  }
  try {
    await Promise.all(apps.map((app) => app.ready()))
    const [local, secure] = apps
    await listenAtSocket(local.server, options.socketPath)
    const where = `${options.address}:${options.port}`
    await listenOn(secure.server, where, () => secure.server.listen(options.port, options.address))
    const { port } = secure.server.address() as AddressInfo
    const httpsUrl = urlOf(options.address, port)
    log.info('the API is open', { url: httpsUrl, socket: options.socketPath })
    return {
      httpsUrl,
      fingerprint: certificate.fingerprint,
      socketPath: options.socketPath,
      refusals: () => refusals,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
