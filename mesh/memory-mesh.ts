import { type Log, silentLog } from '../base/index.ts'
import { createFrameQueue } from './frame-queue.ts'
import { linkVersion } from './frames.ts'
import { encodeHello, judgeHello } from './hello.ts'
import type { Mesh, MeshLink, PeerKey } from './mesh.ts'
import { MeshError } from './mesh-error.ts'
import { createStreamLink, type StreamLink } from './stream-link.ts'

export interface MemoryMeshOptions {
  /** Version of the link the node speaks: for fleets of several versions. @default the newest */
  readonly version?: number
  /** Says whom the node refused. @default silent */
  readonly log?: Log
}

/** Nodes of one process that reach each other without sockets: for tests and simulations. */
export interface MemoryNetwork {
  /**
   * @param key what the others see as the peer of their links: the node's public key
   * @param address where others dial it; without one it only dials out
   */
  createMesh(key: PeerKey, address?: string, options?: MemoryMeshOptions): Mesh
  /** Breaks every link between two nodes; what was on the way is lost. */
  cut(a: PeerKey, b: PeerKey): void
}

interface Wire {
  readonly ends: readonly [StreamLink, StreamLink]
  readonly keys: readonly [PeerKey, PeerKey]
  cut: boolean
}

/** Makes a link, or throws why the listener would not have it. */
type Join = (dialer: PeerKey, version: number) => StreamLink

/**
 * @param later carries one frame over; must keep the order and never run it at once. The frame is chosen when it runs: of
 * those that wait, the most urgent
 * @default a microtask
 */
export const createMemoryNetwork = (
  later: (run: () => void) => void = (run) => void Promise.resolve().then(run),
): MemoryNetwork => {
  const listening = new Map<string, Join>()
  const wires = new Set<Wire>()

  const breakWire = (wire: Wire, reason: string) => {
    wire.cut = true
    wires.delete(wire)
    for (const end of wire.ends) end.end(reason)
  }
  const connect = (dialer: PeerKey, listener: PeerKey): Wire => {
    const end = (self: 0 | 1): StreamLink => {
      const queue = createFrameQueue()
      const carry = () => {
        const frame = queue.shift()
        if (frame && !wire.cut) wire.ends[self === 0 ? 1 : 0].receive(frame)
      }
      return createStreamLink({
        peer: self === 0 ? listener : dialer,
        dialed: self === 0,
        write: (frame, priority) => {
          queue.push(frame, priority)
          later(carry)
        },
        room: queue.room,
        hangUp: () => later(() => breakWire(wire, `closed by ${self === 0 ? dialer : listener}`)),
      })
    }
    const wire: Wire = { ends: [end(0), end(1)], keys: [dialer, listener], cut: false }
    wires.add(wire)
    return wire
  }

  return {
    cut: (a, b) => {
      for (const wire of [...wires])
        if (wire.keys.includes(a) && wire.keys.includes(b)) breakWire(wire, 'the connection broke')
    },
    createMesh: (key, address, { version = linkVersion, log = silentLog } = {}) => {
      let accept: ((link: MeshLink) => void) | undefined
      const join: Join = (dialer, theirs) => {
        const verdict = judgeHello(encodeHello(theirs), version)
        if (verdict.kind === 'other-version') {
          log.warn(`refused a link: ${verdict.here}`, { peer: dialer })
          throw new MeshError('unreachable', `cannot reach ${address}: it says: ${verdict.toPeer}`)
        }
        const [near, far] = connect(dialer, key).ends
        later(() => (accept ? accept(far) : void far.close()))
        return near
      }
      return {
        start: async () => {
          if (address === undefined) return
          if (listening.has(address))
            throw new MeshError('address-in-use', `cannot listen at ${address}: another node does`)
          listening.set(address, join)
        },
        stop: async () => {
          if (address !== undefined && listening.get(address) === join) listening.delete(address)
          for (const wire of [...wires]) if (wire.keys.includes(key)) breakWire(wire, `closed by ${key}`)
        },
        addresses: () => (address !== undefined && listening.get(address) === join ? [address] : []),
        dial: async (target, { signal }) => {
          const joinThere = signal?.aborted ? undefined : listening.get(target)
          if (!joinThere) throw new MeshError('unreachable', `cannot reach ${target}: nobody listens there`)
          return joinThere(key, version)
        },
        onLink: (handler) => {
          accept = handler
        },
        onStream: (link, handler) => (link as StreamLink).onStream(handler),
      }
    },
  }
}
