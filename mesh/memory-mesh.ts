import type { Frame } from './frames.ts'
import type { Mesh, MeshLink, PeerName } from './mesh.ts'
import { MeshError } from './mesh-error.ts'
import { createStreamLink, type StreamLink } from './stream-link.ts'

/** Nodes of one process that reach each other without sockets: for tests and simulations. */
export interface MemoryNetwork {
  /** @param address where others dial it; without one it only dials out */
  createMesh(name: PeerName, address?: string): Mesh
  /** Breaks every link between two nodes; what was on the way is lost. */
  cut(a: PeerName, b: PeerName): void
}

interface Wire {
  readonly ends: readonly [StreamLink, StreamLink]
  readonly names: readonly [PeerName, PeerName]
  cut: boolean
}

/**
 * @param later carries each frame over; must keep the order and never run it at once
 * @default a microtask
 */
export const createMemoryNetwork = (
  later: (run: () => void) => void = (run) => void Promise.resolve().then(run),
): MemoryNetwork => {
  const listening = new Map<string, (dialer: PeerName) => StreamLink>()
  const wires = new Set<Wire>()

  const breakWire = (wire: Wire, reason: string) => {
    wire.cut = true
    wires.delete(wire)
    for (const end of wire.ends) end.end(reason)
  }
  const connect = (dialer: PeerName, listener: PeerName): Wire => {
    const end = (self: 0 | 1): StreamLink =>
      createStreamLink({
        peer: self === 0 ? listener : dialer,
        dialed: self === 0,
        write: (frame) => carry(frame, self === 0 ? 1 : 0),
        hangUp: () => later(() => breakWire(wire, `closed by ${self === 0 ? dialer : listener}`)),
      })
    const wire: Wire = { ends: [end(0), end(1)], names: [dialer, listener], cut: false }
    const carry = (frame: Frame, to: 0 | 1) => {
      const copy = { ...frame, payload: frame.payload.slice() }
      later(() => {
        if (!wire.cut) wire.ends[to].receive(copy)
      })
    }
    wires.add(wire)
    return wire
  }

  return {
    cut: (a, b) => {
      for (const wire of [...wires])
        if (wire.names.includes(a) && wire.names.includes(b)) breakWire(wire, 'the connection broke')
    },
    createMesh: (name, address) => {
      let accept: ((link: MeshLink) => void) | undefined
      return {
        start: async () => {
          if (address === undefined) return
          if (listening.has(address))
            throw new MeshError('address-in-use', `cannot listen at ${address}: another node does`)
          listening.set(address, (dialer) => {
            const [near, far] = connect(dialer, name).ends
            later(() => (accept ? accept(far) : void far.close()))
            return near
          })
        },
        stop: async () => {
          if (address !== undefined) listening.delete(address)
          for (const wire of [...wires]) if (wire.names.includes(name)) breakWire(wire, `closed by ${name}`)
        },
        dial: async (target, { signal }) => {
          const join = signal?.aborted ? undefined : listening.get(target)
          if (!join) throw new MeshError('unreachable', `cannot reach ${target}: nobody listens there`)
          return join(name)
        },
        onLink: (handler) => {
          accept = handler
        },
        onStream: (link, handler) => (link as StreamLink).onStream(handler),
      }
    },
  }
}
