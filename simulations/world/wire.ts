import { errorText } from '../../base/index.ts'
import { createFrameQueue, createStreamLink, type Frame, type FrameQueue, type StreamLink } from '../../mesh/index.ts'
import type { Paths } from './paths.ts'
import type { Scheduler } from './scheduler.ts'

/** A frame as it passes from one machine to another. */
export interface PassingFrame {
  readonly from: string
  readonly to: string
  readonly frame: Frame
}

/** Who stands at one end of a wire. */
export interface WireEnd {
  /** The machine. */
  readonly node: string
  /** The name the mesh knows it by. */
  readonly peer: string
}

export interface WireOptions {
  readonly scheduler: Scheduler
  readonly paths: Paths
  /** The dialer, then who was dialed. */
  readonly ends: readonly [WireEnd, WireEnd]
  /** An end that hears nothing for so long takes the link for lost. */
  readonly livenessMs: number
  /** Sees each frame that arrives at a live end, before the end does. */
  readonly onFrame: (passing: PassingFrame) => void
  readonly onGone: () => void
  /** Whether a machine has no power. */
  readonly isDark: (node: string) => boolean
}

type Side = 0 | 1

/** One end, and the way to it. */
interface State {
  isGone: boolean
  /** Arrived while the way was closed, in order. */
  readonly held: Item[]
  /** Waits for the line to be free. */
  readonly queue: FrameQueue
  /** Said once the queue is empty. */
  farewell: string | undefined
  /** What waits in the queue is never sent: who put it there is no more. */
  isCut: boolean
  /** When the line is free again, and whether somebody waits for that. */
  freeMs: number
  isWaiting: boolean
  lastArrivalMs: number
  silences: number
}

const freshState = (): State => ({
  isGone: false,
  held: [],
  queue: createFrameQueue(),
  farewell: undefined,
  isCut: false,
  freeMs: 0,
  isWaiting: false,
  lastArrivalMs: 0,
  silences: 0,
})

/** A connection of two machines: two ordered streams of frames with a length, a width, and a liveness of their own. */
export interface Wire {
  readonly links: readonly [StreamLink, StreamLink]
  readonly ends: readonly [WireEnd, WireEnd]
  /** The process at this side ended: with a farewell, as a kernel sends it, or without one, as in a power cut. */
  leave(side: Side, how: 'farewell' | 'silence', reason: string): void
  /** Breaks it for both ends that are still there. */
  reset(): void
  /** A way was opened or closed. */
  pathChanged(from: string, to: string, isOpen: boolean): void
}

type Item = { readonly kind: 'frame'; readonly frame: Frame } | { readonly kind: 'farewell'; readonly reason: string }

/** What TCP and IP add to a frame, about: 9 bytes of our own head and 40 of theirs. */
const headBytes = 49

const other = (side: Side): Side => (side === 0 ? 1 : 0)

export const createWire = (options: WireOptions): Wire => {
  const { scheduler, paths, ends, livenessMs } = options
  const sides: readonly [State, State] = [freshState(), freshState()]

  const nameOf = (side: Side) => ends[side].node
  const label = (kind: string, to: Side) => `${kind} ${nameOf(other(to))}>${nameOf(to)}`
  const isOpenTo = (to: Side) => paths.isOpen(nameOf(other(to)), nameOf(to))

  const arrive = (item: Item, to: Side) => {
    if (sides[to].isGone) {
      // A machine that is there and knows of no such connection says so.
      const isHeard = item.kind === 'frame' && !sides[other(to)].isGone && !options.isDark(nameOf(to))
      return isHeard ? sayFarewell(other(to), 'reset') : undefined
    }
    if (item.kind === 'farewell') return endSide(to, item.reason)
    options.onFrame({ from: nameOf(other(to)), to: nameOf(to), frame: item.frame })
    try {
      links[to].receive(item.frame)
    } catch (error) {
      breakSide(to, `the peer sent what no peer sends: ${errorText(error)}`)
    }
  }
  /** Puts one item onto the line, which is free again once its last byte has left. */
  const carry = (item: Item, to: Side) => {
    const { latencyMs, bytesPerMs } = paths.quality(nameOf(other(to)), nameOf(to))
    const state = sides[to]
    const sizeBytes = headBytes + (item.kind === 'frame' ? item.frame.payload.byteLength : 0)
    state.freeMs = scheduler.nowMs() + sizeBytes / bytesPerMs
    state.lastArrivalMs = Math.max(state.lastArrivalMs, state.freeMs + latencyMs)
    scheduler.at(state.lastArrivalMs, label(item.kind, to), () => {
      // What comes while the way is closed waits, in order: the other end repeats it until the way is open.
      if (!isOpenTo(to) || state.held.length > 0) state.held.push(item)
      else arrive(item, to)
    })
  }
  const pump = (to: Side) => {
    const state = sides[to]
    while (!state.isWaiting) {
      const isIdle = state.isCut || state.queue.sizeBytes() === 0
      if (isIdle && state.farewell === undefined) return
      if (scheduler.nowMs() < state.freeMs) return waitForLine(to)
      const frame = isIdle ? undefined : state.queue.shift()
      if (frame) carry({ kind: 'frame', frame }, to)
      else {
        carry({ kind: 'farewell', reason: state.farewell ?? '' }, to)
        state.farewell = undefined
      }
    }
  }
  const waitForLine = (to: Side) => {
    const state = sides[to]
    state.isWaiting = true
    scheduler.at(state.freeMs, label('line', to), () => {
      state.isWaiting = false
      pump(to)
    })
  }
  const sayFarewell = (to: Side, reason: string) => {
    sides[to].farewell = reason
    pump(to)
  }
  const release = (to: Side) => {
    const { latencyMs } = paths.quality(nameOf(other(to)), nameOf(to))
    scheduler.at(scheduler.nowMs() + latencyMs, label('repeat', to), () => {
      if (isOpenTo(to)) for (const item of sides[to].held.splice(0)) arrive(item, to)
    })
  }
  const endSide = (side: Side, reason: string) => {
    if (sides[side].isGone) return
    sides[side].isGone = true
    links[side].end(reason)
    leftAlone(other(side))
  }
  const breakSide = (side: Side, reason: string) => {
    if (sides[side].isGone) return
    sayFarewell(other(side), `closed by ${nameOf(side)}`)
    endSide(side, reason)
  }
  const leftAlone = (side: Side) => {
    if (sides[side].isGone) options.onGone()
    else expectSilence(side)
  }
  /** From now on nothing reaches `side`, unless a way is opened in time. */
  const expectSilence = (side: Side) => {
    const silence = ++sides[side].silences
    scheduler.at(scheduler.nowMs() + livenessMs, label('silence', side), () => {
      if (silence === sides[side].silences) breakSide(side, `nothing heard for ${livenessMs} ms`)
    })
  }

  const linkAt = (side: Side): StreamLink =>
    createStreamLink({
      peer: ends[other(side)].peer,
      dialed: side === 0,
      write: (frame, priority) => {
        if (sides[side].isGone) return
        sides[other(side)].queue.push({ ...frame, payload: frame.payload.slice() }, priority)
        pump(other(side))
      },
      room: sides[other(side)].queue.room,
      hangUp: () => breakSide(side, 'closed here'),
    })
  const links: readonly [StreamLink, StreamLink] = [linkAt(0), linkAt(1)]

  return {
    links,
    ends,
    leave: (side, how, reason) => {
      if (sides[side].isGone) return
      // The process is no more: its end of the link is not told anything, and what it had not handed over is gone.
      sides[side].isGone = true
      sides[other(side)].isCut = true
      if (how === 'farewell') sayFarewell(other(side), reason)
      leftAlone(other(side))
    },
    reset: () => {
      for (const side of [0, 1] as const) if (!sides[side].isGone) endSide(side, 'the connection broke')
    },
    pathChanged: (from, to, isOpen) => {
      const side = nameOf(0) === to ? 0 : 1
      if (nameOf(side) !== to || nameOf(other(side)) !== from) return
      if (!isOpen) return expectSilence(side)
      if (!sides[other(side)].isGone) sides[side].silences++
      release(side)
    },
  }
}
