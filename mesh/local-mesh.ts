import { unlink } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { type Clock, errorText, formatDuration, type Log, type Timer } from '../base/index.ts'
import { createFrameReader, encodeFrame, type Frame, GarbageError, payloadText } from './frames.ts'
import { checkHello, encodeHello, type Hello } from './local-hello.ts'
import type { Mesh, MeshLink, PeerKey } from './mesh.ts'
import { MeshError } from './mesh-error.ts'
import { createStreamLink, type StreamLink } from './stream-link.ts'

export interface LocalMeshOptions {
  readonly name: PeerKey
  /** Nodes of different networks refuse each other. */
  readonly network: string
  /** Path of the unix socket to listen at; without one the node only dials out. */
  readonly address?: string
  readonly clock: Clock
  readonly log: Log
  /** Milliseconds between signs of life; after three without one the link is lost. @default 5000 */
  readonly heartbeatMs?: number
}

/** macOS takes 104 bytes with the closing zero (sys/un.h), Linux 108. */
const maxPathBytes = 103
/** A caller that has not said who it is after so long is hung up on, in milliseconds. */
const helloTimeoutMs = 5000
/** How long a polite end may take before the socket is torn down, in milliseconds. */
const hangUpMs = 1000
const empty: Uint8Array = new Uint8Array(0)

/**
 * A plain link between nodes of one machine over unix sockets that only their owner may open. Neither encrypted nor
 * authenticated beyond that file mode: for one user's nodes on one machine.
 */
export const createLocalMesh = (options: LocalMeshOptions): Mesh => {
  const { address, clock, log } = options
  const self: Hello = { version: 1, name: options.name, network: options.network }
  const links = new Set<StreamLink>()
  const callers = new Set<Socket>()
  let server: Server | undefined
  let accept: ((link: MeshLink) => void) | undefined

  /** Greets, then turns the socket into a link. Rejects in words when either end refuses. */
  const join = (socket: Socket, dialed: boolean): Promise<StreamLink> =>
    new Promise((resolve, reject) => {
      const heartbeatMs = options.heartbeatMs ?? 5000
      const read = createFrameReader()
      let link: StreamLink | undefined
      let heardMs = clock.monotonicMs()
      let timer: Timer
      const write = (kind: Frame['kind'], payload = empty) => socket.write(encodeFrame({ kind, stream: 0, payload }))
      const drop = (reason: string) => {
        timer.cancel()
        if (link) links.delete(link)
        link?.end(reason)
        reject(new Error(reason))
        socket.destroy()
      }
      const hangUp = () => {
        timer.cancel()
        if (link) links.delete(link)
        timer = clock.setTimer(hangUpMs, () => socket.destroy())
        socket.end(encodeFrame({ kind: 'bye', stream: 0, payload: empty }))
      }
      const beat = () => {
        const silentMs = clock.monotonicMs() - heardMs
        if (silentMs >= 3 * heartbeatMs) return drop(`nothing heard for ${formatDuration(silentMs)}`)
        write('ping')
        timer = clock.setTimer(heartbeatMs, beat)
      }
      const greet = (frame: Frame) => {
        if (frame.kind === 'refuse' && dialed) throw new Refusal(payloadText(frame.payload))
        if (frame.kind !== 'hello') throw new GarbageError('no greeting')
        const { peer, refusal } = checkHello(self, frame.payload)
        if (refusal !== undefined) {
          if (!dialed) socket.end(encodeFrame({ kind: 'refuse', stream: 0, payload: Buffer.from(refusal) }))
          throw new Refusal(refusal)
        }
        if (!dialed) write('hello', encodeHello(self))
        link = createStreamLink({ peer, dialed, hangUp, write: (sent) => socket.write(encodeFrame(sent)) })
        links.add(link)
        timer.cancel()
        beat()
        resolve(link)
      }
      const take = (frame: Frame) => {
        if (!link) greet(frame)
        else if (frame.kind === 'bye') drop(`closed by ${link.peer}`)
        else link.receive(frame)
      }
      timer = clock.setTimer(helloTimeoutMs, () => drop('no greeting came'))
      socket.on('data', (chunk) => {
        heardMs = clock.monotonicMs()
        try {
          for (const frame of read(chunk)) if (!socket.destroyed && !socket.writableEnded) take(frame)
        } catch (error) {
          const who = link ? `link to ${link.peer}` : 'caller'
          if (error instanceof GarbageError) log.warn(`${who} sent garbage and was cut off: ${error.message}`)
          else if (!(error instanceof Refusal)) throw error
          else if (!dialed) return reject(error) // the refusal still has to leave
          drop(errorText(error))
        }
      })
      socket.on('error', (error) => log.debug(`local link: ${error.message}`))
      socket.on('close', () => drop('the connection broke'))
      if (dialed) write('hello', encodeHello(self))
    })

  const answer = (socket: Socket) => {
    callers.add(socket)
    socket.on('close', () => callers.delete(socket))
    join(socket, false).then(
      (link) => (accept ? accept(link) : void link.close()),
      (error: Error) => log.info(`refused a local link: ${error.message}`),
    )
  }

  return {
    start: async () => {
      if (address === undefined || server) return
      checkPath(address)
      server = (await listen(address, answer)) ?? (await replaceStale(address, answer))
    },
    stop: async () => {
      const closing = server
      server = undefined
      for (const link of [...links]) await link.close()
      if (!closing) return
      const closed = new Promise((resolve) => closing.close(resolve))
      const late = clock.setTimer(hangUpMs, () => callers.forEach((socket) => void socket.destroy()))
      for (const socket of callers) socket.end()
      await closed
      late.cancel()
    },
    dial: async (target, { timeoutMs, signal }) => {
      checkPath(target)
      const socket = createConnection(target)
      let why: string | undefined
      const giveUp = (reason: string) => () => {
        why = reason
        socket.destroy()
      }
      const onAbort = giveUp('the caller gave up')
      const timer = clock.setTimer(timeoutMs, giveUp(`no answer within ${timeoutMs} ms`))
      if (signal?.aborted) onAbort()
      signal?.addEventListener('abort', onAbort)
      socket.once('error', (error) => {
        why = error.message
      })
      try {
        return await join(socket, true)
      } catch (error) {
        const reason = why ?? errorText(error)
        throw new MeshError('unreachable', `cannot reach the node at ${target}: ${reason}`, { cause: error })
      } finally {
        timer.cancel()
        signal?.removeEventListener('abort', onAbort)
      }
    },
    addresses: () => (server && address !== undefined ? [address] : []),
    onLink: (handler) => {
      accept = handler
    },
    onStream: (link, handler) => (link as StreamLink).onStream(handler),
  }
}

/** Why one end would not have the other. */
class Refusal extends Error {
  static override readonly name = 'Refusal'
}

const checkPath = (path: string) => {
  const sizeBytes = Buffer.byteLength(path)
  if (sizeBytes <= maxPathBytes) return
  const message = `socket path ${path} has ${sizeBytes} bytes: choose a state folder with a shorter path (at most ${maxPathBytes})`
  throw new MeshError('bad-address', message)
}

/** Resolves with nothing when a socket file is there already. */
const listen = (path: string, onCaller: (socket: Socket) => void): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer(onCaller)
    server.once('listening', () => resolve(server))
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(new MeshError('bad-address', `cannot listen at ${path}: ${error.message}`, { cause: error }))
    })
    // The socket file is made inside listen(), before it returns: at no moment may others open it.
    const mask = process.umask(0o177)
    try {
      server.listen(path)
    } finally {
      process.umask(mask)
    }
  })

/** A socket file nobody answers at was left by a node that was killed. */
const replaceStale = async (path: string, onCaller: (socket: Socket) => void): Promise<Server> => {
  const alive = await new Promise<boolean>((resolve) => {
    const probe = createConnection(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  })
  if (!alive) await unlink(path)
  const server = alive ? undefined : await listen(path, onCaller)
  if (!server) throw new MeshError('address-in-use', `cannot listen at ${path}: another node does; stop it first`)
  return server
}
