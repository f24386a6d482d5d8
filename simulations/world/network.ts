import type { Random } from '../../base/index.ts'
import { linkSilenceMs, type Mesh, MeshError, type MeshLink, type StreamLink } from '../../mesh/index.ts'
import { createPaths, type Paths } from './paths.ts'
import type { Scheduler } from './scheduler.ts'
import type { SpokenLink } from './spoken-links.ts'
import { createWire, type PassingFrame, type Side, type Wire, type WireEnd } from './wire.ts'

/** The network between the machines of a world. */
export interface Network {
  readonly paths: Paths
  /** @param address where others dial it, the name of its machine; without one it only dials out */
  join(end: WireEnd, address?: string): Seat
  /** Ends every connection of two machines at once, as a middle box that was restarted does. Says whether there was one. */
  reset(a: string, b: string): boolean
  /** Ends their connections for the first alone; the second is not told, and writes into nothing. Says whether there was one. */
  forget(gone: string, left: string): boolean
  /** Their connections carry nothing any more, and no end is told. Says whether there was one. */
  lose(a: string, b: string): boolean
  /** A machine neither sends nor takes anything until `wake`; then what came meanwhile reaches it. */
  sleep(node: string): void
  wake(node: string): void
  /** What somebody who holds this machine and its key can speak on: its links that are up. */
  spokenBy(node: string): readonly SpokenLink[]
  /** Connections that are up, as `a>b`, the dialer first. */
  connections(): readonly string[]
}

/** One process's place in the network. */
export interface Seat {
  readonly mesh: Mesh
  /** The process has ended. */
  leave(how: 'farewell' | 'silence'): void
}

export interface NetworkOptions {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly onFrame: (passing: PassingFrame) => void
  /** @default 20 s, as in production */
  readonly livenessMs?: number
}

interface Listener {
  readonly end: WireEnd
  readonly accept: (link: StreamLink) => void
}

interface CallOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Whether the caller's process has ended. */
  readonly hasLeft: () => boolean
}

export const createNetwork = ({ scheduler, random, onFrame, livenessMs = linkSilenceMs }: NetworkOptions): Network => {
  const paths = createPaths(random)
  const listeners = new Map<string, Listener>()
  const wires = new Set<Wire>()
  const dark = new Set<string>()
  const asleep = new Set<string>()
  const uponWaking: { readonly node: string; readonly run: () => void }[] = []
  const isAsleep = (node: string) => asleep.has(node)
  const whenAwake = (node: string, run: () => void) => {
    if (isAsleep(node)) uponWaking.push({ node, run })
    else run()
  }
  paths.onChange((from, to, change) => {
    for (const wire of [...wires]) wire.pathChanged(from, to, change)
  })

  const connect = (ends: readonly [WireEnd, WireEnd]): Wire => {
    const wire: Wire = createWire({
      scheduler,
      paths,
      ends,
      livenessMs,
      onFrame,
      onGone: () => wires.delete(wire),
      isDark: (node) => dark.has(node),
      isAsleep,
    })
    wires.add(wire)
    return wire
  }
  const between = (a: string, b: string) =>
    [...wires].filter(({ ends }) => ends.some(({ node }) => node === a) && ends.some(({ node }) => node === b))

  /** There and back: a call into a closed way hears nothing, one to a machine that does not listen is turned away. */
  const call = (dialer: WireEnd, address: string, options: CallOptions): Promise<MeshLink> =>
    new Promise((resolve, reject) => {
      const { timeoutMs, signal } = options
      let isSettled = false
      let wire: Wire | undefined
      const settle = (then: () => void) => {
        if (isSettled) return
        isSettled = true
        timeout.cancel()
        signal?.removeEventListener('abort', abort)
        then()
      }
      const fail = (why: string) =>
        settle(() => {
          void wire?.link(0)?.close()
          reject(new MeshError('unreachable', `cannot reach ${address}: ${why}`))
        })
      const abort = () => fail('the caller gave up')
      const timeout = scheduler.at(scheduler.nowMs() + timeoutMs, `timer ${dialer.node}`, () =>
        whenAwake(dialer.node, () => fail(`no answer within ${timeoutMs} ms`)),
      )
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort)
      const hop = (from: string, to: string, run: () => void) =>
        scheduler.at(scheduler.nowMs() + paths.quality(from, to).latencyMs, `dial ${from}>${to}`, () => {
          if (paths.isOpen(from, to) && !isAsleep(to) && !isSettled && !options.hasLeft()) run()
        })
      hop(dialer.node, address, () => {
        const listener = listeners.get(address)
        if (!listener) return void hop(address, dialer.node, () => fail('nobody listens there'))
        const made = connect([dialer, listener.end])
        wire = made
        const [here, there] = [made.link(0), made.link(1)]
        if (!here || !there) return
        listener.accept(there)
        hop(address, dialer.node, () => settle(() => resolve(here)))
      })
    })

  const seatAt = (end: WireEnd, address: string | undefined): Seat => {
    let accept: ((link: MeshLink) => void) | undefined
    let isListening = false
    let hasLeft = false
    dark.delete(end.node)
    asleep.delete(end.node)
    const leave = (how: 'farewell' | 'silence') => {
      hasLeft = true
      if (how === 'silence') dark.add(end.node)
      if (isListening && address !== undefined) listeners.delete(address)
      isListening = false
      for (const wire of [...wires])
        for (const side of [0, 1] as const) if (wire.ends[side] === end) wire.leave(side, how, `closed by ${end.peer}`)
    }
    const mesh: Mesh = {
      start: async () => {
        if (address === undefined) return
        if (listeners.has(address))
          throw new MeshError('address-in-use', `cannot listen at ${address}: another node does`)
        isListening = true
        listeners.set(address, { end, accept: (link) => (accept ? accept(link) : void link.close()) })
      },
      stop: async () => {
        if (isListening && address !== undefined) listeners.delete(address)
        isListening = false
        for (const wire of [...wires])
          for (const side of [0, 1] as const) if (wire.ends[side] === end) await wire.link(side)?.close()
      },
      addresses: () => (isListening && address !== undefined ? [address] : []),
      dial: (target, asked) => call(end, target, { ...asked, hasLeft: () => hasLeft }),
      onLink: (handler) => {
        accept = handler
      },
      onStream: (link, handler) => (link as StreamLink).onStream(handler),
    }
    return { mesh, leave }
  }

  const toEach = (a: string, b: string, act: (wire: Wire) => void): boolean => {
    const found = between(a, b)
    for (const wire of found) act(wire)
    return found.length > 0
  }
  const standstillOf = (node: string) => {
    for (const wire of [...wires]) wire.standstillChanged(node)
  }

  return {
    paths,
    join: seatAt,
    reset: (a, b) => toEach(a, b, (wire) => wire.reset()),
    forget: (gone, left) =>
      toEach(gone, left, (wire) => {
        const side: Side = wire.ends[0].node === gone ? 0 : 1
        wire.forget(side)
      }),
    lose: (a, b) => toEach(a, b, (wire) => wire.lose()),
    sleep: (node) => {
      asleep.add(node)
      standstillOf(node)
    },
    wake: (node) => {
      if (!asleep.delete(node)) return
      for (const { run } of uponWaking.filter((one) => one.node === node)) run()
      uponWaking.splice(0, uponWaking.length, ...uponWaking.filter((one) => one.node !== node))
      standstillOf(node)
    },
    spokenBy: (node) =>
      [...wires].flatMap((wire) =>
        ([0, 1] as const).flatMap((side) => (wire.ends[side].node === node ? (wire.spoken(side) ?? []) : [])),
      ),
    connections: () => [...wires].map(({ ends }) => `${ends[0].node}>${ends[1].node}`),
  }
}
