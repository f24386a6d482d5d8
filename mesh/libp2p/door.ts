import { Server, type Socket } from 'node:net'
import type { MultiaddrConnection } from '@libp2p/interface'
import { ipPortToMultiaddr } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock, Timer } from '../../base/index.ts'
import { type Meter, meterOf } from './byte-meter.ts'
import type { Libp2pLimits } from './limits.ts'
import type { RefusalKind, Refusals } from './refusals.ts'

/** How far a caller got: what its leaving means hangs on it. */
export type CallerStage = 'connected' | 'encrypting' | 'encrypted' | 'greeted'

/** Someone who connected to an address of ours. */
export interface Caller {
  /** IP address, for words and limits. */
  readonly address: string
  /** The caller proved a key or got further in the handshake. */
  reach(stage: CallerStage): void
  /** Ends the connection at once, counted and logged as `kind`. */
  refuse(kind: RefusalKind, words: string): void
}

/** Who may come in, before anything costly is done for them. */
export interface Door {
  /** Puts the door before a listener of libp2p. */
  guard(listener: unknown): void
  /** Bounds what a connection may send before its greeting. Called before a byte of it is read. */
  meet(connection: MultiaddrConnection): void
  /** Who called from there, while connected. */
  callerAt(remote: Multiaddr): Caller | undefined
  /** Ends all connections of callers at once. */
  close(): void
}

/** Addresses whose calls are counted at a time; the one that called first goes. */
const maxCountedAddresses = 4096

/** The door of a node. */
export const createDoor = (options: {
  readonly clock: Clock
  readonly limits: Libp2pLimits
  readonly refusals: Refusals
}): Door => {
  const { clock, limits, refusals } = options
  const callers = new Map<string, Caller>()
  /** In the order they came. */
  const pending = new Set<Caller>()
  const mayCall = createCallRate(clock, limits.inboundPerSecond)

  const receive = (socket: Socket, serve: (socket: Socket) => void) => {
    const address = socket.remoteAddress ?? ''
    const turnAway = (words: string) => {
      refusals.note('too-many', address, words)
      hangUp(socket)
    }
    if (callers.size >= limits.connections) return turnAway(`there are ${limits.connections} connections already`)
    if (!mayCall(address)) return turnAway(`more than ${limits.inboundPerSecond} calls a second from one address`)
    if (pending.size >= limits.inboundPending) {
      const [oldest] = pending
      oldest?.refuse('too-many', `more than ${limits.inboundPending} callers have not greeted`)
    }
    const key = keyOf(ipPortToMultiaddr(address, socket.remotePort ?? 0))
    let stage: CallerStage = 'connected'
    /** Also once it is gone: a caller is counted once. */
    let refused = false
    const caller: Caller = {
      address,
      reach: (next) => {
        stage = next
        if (next !== 'greeted') return
        pending.delete(caller)
        timer.cancel()
      },
      refuse: (kind, words) => {
        if (!refused) refusals.note(kind, address, words)
        refused = true
        pending.delete(caller)
        timer.cancel()
        hangUp(socket)
      },
    }
    const timer: Timer = clock.setTimer(limits.helloMs, () => caller.refuse('too-slow', 'no greeting came in time'))
    callers.set(key, caller)
    pending.add(caller)
    socket.on('error', () => {})
    socket.once('close', () => {
      timer.cancel()
      callers.delete(key)
      pending.delete(caller)
      const left = leaving(stage, socket.bytesRead)
      if (!refused && left) refusals.note(left[0], address, left[1])
      refused = true
    })
    serve(socket)
  }

  return {
    guard: (listener) => {
      const { server } = listener as { server?: unknown }
      const serve = server instanceof Server ? server.listeners('connection') : []
      if (!(server instanceof Server) || serve.length !== 1)
        throw new Error('a listener of libp2p is not what the door was made for')
      server.removeAllListeners('connection')
      server.on('connection', (socket) => receive(socket, (welcome) => serve[0]?.call(server, welcome)))
    },
    meet: (connection) => {
      const caller = callers.get(keyOf(connection.remoteAddr))
      const meter: Meter = meterOf(connection, clock)
      meter.allow(limits.helloBytes, () =>
        caller?.refuse('oversize', `over ${limits.helloBytes} bytes before a greeting`),
      )
    },
    callerAt: (remote) => callers.get(keyOf(remote)),
    close: () => {
      for (const caller of [...callers.values()]) caller.refuse('too-slow', 'this node stops')
    },
  }
}

/** At once and without a trace; after an end has begun a reset would leave the handle open for ever (libuv). */
const hangUp = (socket: Socket) => {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

/** Names a caller by its address and port. */
const keyOf = (remote: Multiaddr): string => remote.toString().split('/', 5).join('/')

/** What it means that a caller left, and whether that is worth counting. */
const leaving = (stage: CallerStage, bytesRead: number): readonly [RefusalKind, string] | undefined => {
  if (stage === 'greeted' || bytesRead === 0) return undefined
  if (stage === 'connected') return ['garbage', 'it does not speak the protocol']
  if (stage === 'encrypting')
    return ['other-network', 'it left within the handshake: it belongs to another network, or waited too long']
  return ['garbage', 'it left without a greeting']
}

/** Whether an address may call now: `perSecond` calls at once, refilled evenly. */
const createCallRate = (clock: Clock, perSecond: number): ((address: string) => boolean) => {
  const buckets = new Map<string, { calls: number; atMs: number }>()
  return (address) => {
    const key = networkOf(address)
    const nowMs = clock.monotonicMs()
    const before = buckets.get(key) ?? { calls: 0, atMs: nowMs }
    const calls = Math.max(0, before.calls - ((nowMs - before.atMs) / 1000) * perSecond)
    if (calls + 1 > perSecond) return false
    buckets.delete(key)
    buckets.set(key, { calls: calls + 1, atMs: nowMs })
    const [oldest] = buckets.keys()
    if (buckets.size > maxCountedAddresses && oldest !== undefined) buckets.delete(oldest)
    return true
  }
}

/** An IPv4 address itself; of an IPv6 address its /64, which one customer has for itself. */
const networkOf = (address: string): string => {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter(Boolean)
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter(Boolean).length
  return [...groups, ...Array<string>(missing).fill('0'), ...(tail ?? '').split(':')].slice(0, 4).join(':')
}
