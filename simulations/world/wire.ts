import { errorText, type Timer } from '../../base/index.ts'
import { createFrameQueue, createStreamLink, type Frame, type FrameQueue, type StreamLink } from '../../mesh/index.ts'
import type { PathChange, Paths } from './paths.ts'
import type { Scheduler } from './scheduler.ts'
import { keepInSight, type SpokenLink } from './spoken-links.ts'

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
  /** Whether a machine stands still: it neither sends nor takes anything, and will go on. */
  readonly isAsleep: (node: string) => boolean
}

export type Side = 0 | 1

/** What the line carries, or carried last. */
interface Carried {
  readonly item: Item
  leftBytes: number
  sinceMs: number
  bytesPerMs: number
  /** When the one before it arrives. */
  readonly floorMs: number
  arrival: Timer
}

/** One end, and the way to it. */
interface State {
  isGone: boolean
  /** It is gone and does not say so to who still writes to it. */
  isMute: boolean
  /** Arrived while the way was closed, in order. */
  readonly held: Item[]
  /** Waits for the line to be free. */
  readonly queue: FrameQueue
  /** Said once the queue is empty. */
  farewell: string | undefined
  /** What waits in the queue is never sent: who put it there is no more. */
  isCut: boolean
  carried: Carried | undefined
  /** When the line is free again, and who waits for that. */
  freeMs: number
  waiter: Timer | undefined
  lastArrivalMs: number
  /** Set while nothing reaches it: when it will have heard nothing for too long. */
  silence: Timer | undefined
  /** Since when nothing reaches it, also once it has given up. */
  silentSinceMs: number | undefined
}

const freshState = (): State => ({
  isGone: false,
  isMute: false,
  held: [],
  queue: createFrameQueue(),
  farewell: undefined,
  isCut: false,
  carried: undefined,
  freeMs: 0,
  waiter: undefined,
  lastArrivalMs: 0,
  silence: undefined,
  silentSinceMs: undefined,
})

/** A connection of two machines: two ordered streams of frames with a length, a width, and a liveness of their own. */
export interface Wire {
  /** Each until its process has lost the link. */
  link(side: Side): StreamLink | undefined
  /** What can be said from this side; undefined as well. */
  spoken(side: Side): SpokenLink | undefined
  readonly ends: readonly [WireEnd, WireEnd]
  /** The process at this side ended: with a farewell, as a kernel sends it, or without one, as in a power cut. */
  leave(side: Side, how: 'farewell' | 'silence', reason: string): void
  /** Breaks it for both ends that are still there. */
  reset(): void
  /** Breaks it for one end; the other is not told, and what it writes goes nowhere. */
  forget(side: Side): void
  /** Nothing passes any more, neither way and whatever the ways are; no end is told. */
  lose(): void
  /** A way was opened, closed or is of another quality. */
  pathChanged(from: string, to: string, change: PathChange): void
  /** A machine stands still from now on, or goes on. */
  standstillChanged(node: string): void
}

type Item = { readonly kind: 'frame'; readonly frame: Frame } | { readonly kind: 'farewell'; readonly reason: string }

/** What TCP and IP add to a frame, about: 9 bytes of our own head and 40 of theirs. */
const headBytes = 49

const noTimer: Timer = { cancel: () => {} }
const other = (side: Side): Side => (side === 0 ? 1 : 0)

export const createWire = (options: WireOptions): Wire => {
  const { scheduler, paths, ends, livenessMs, isAsleep } = options
  const sides: readonly [State, State] = [freshState(), freshState()]
  let isLost = false

  const nameOf = (side: Side) => ends[side].node
  const label = (kind: string, to: Side) => `${kind} ${nameOf(other(to))}>${nameOf(to)}`
  const frameLabels: readonly [string, string] = [label('frame', 0), label('frame', 1)]
  const qualityTo = (to: Side) => paths.quality(nameOf(other(to)), nameOf(to))
  const isOpenTo = (to: Side) => paths.isOpen(nameOf(other(to)), nameOf(to))
  const takes = (to: Side) => isOpenTo(to) && !isAsleep(nameOf(to))
  /** Whether something of the other end reaches this one while the way is open, so that it need not expect silence. */
  const speaksTo = (to: Side) => !isLost && !sides[other(to)].isGone && !isAsleep(nameOf(other(to)))
  const isHeardBy = (to: Side) => isOpenTo(to) && speaksTo(to)

  const arrive = (item: Item, to: Side) => {
    if (isLost) return
    if (sides[to].isGone) {
      // A machine that is there and knows of no such connection says so.
      const isTold = item.kind === 'frame' && !sides[to].isMute && !options.isDark(nameOf(to))
      return isTold && !sides[other(to)].isGone ? sayFarewell(other(to), 'reset') : undefined
    }
    if (item.kind === 'farewell') return endSide(to, item.reason)
    options.onFrame({ from: nameOf(other(to)), to: nameOf(to), frame: item.frame })
    try {
      spoken[to]?.link.receive(item.frame)
    } catch (error) {
      breakSide(to, `the peer sent what no peer sends: ${errorText(error)}`)
    }
  }
  /** Says when what the line carries has left it, and when it arrives. */
  const time = (carried: Carried, to: Side) => {
    const state = sides[to]
    state.freeMs = carried.sinceMs + carried.leftBytes / carried.bytesPerMs
    state.lastArrivalMs = Math.max(carried.floorMs, state.freeMs + qualityTo(to).latencyMs)
    const { item } = carried
    carried.arrival = scheduler.at(
      state.lastArrivalMs,
      item.kind === 'frame' ? frameLabels[to] : label(item.kind, to),
      () => {
        // What comes while the way is closed waits, in order: the other end repeats it until the way is open.
        if (!takes(to) || state.held.length > 0) state.held.push(item)
        else arrive(item, to)
      },
    )
  }
  /** Puts one item onto the line, which is free again once its last byte has left. */
  const carry = (item: Item, to: Side) => {
    const state = sides[to]
    const carried: Carried = {
      item,
      leftBytes: headBytes + (item.kind === 'frame' ? item.frame.payload.byteLength : 0),
      sinceMs: scheduler.nowMs(),
      bytesPerMs: qualityTo(to).bytesPerMs,
      floorMs: state.lastArrivalMs,
      arrival: noTimer,
    }
    state.carried = carried
    time(carried, to)
  }
  /** The line is wider or narrower from now on, also for what it carries just now. */
  const retime = (to: Side) => {
    const state = sides[to]
    const { carried } = state
    const nowMs = scheduler.nowMs()
    if (!carried || nowMs >= state.freeMs) return
    carried.leftBytes -= (nowMs - carried.sinceMs) * carried.bytesPerMs
    carried.sinceMs = nowMs
    carried.bytesPerMs = qualityTo(to).bytesPerMs
    carried.arrival.cancel()
    time(carried, to)
    if (!state.waiter) return
    state.waiter.cancel()
    waitForLine(to)
  }
  const pump = (to: Side) => {
    const state = sides[to]
    while (!state.waiter && !isAsleep(nameOf(other(to)))) {
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
    state.waiter = scheduler.at(state.freeMs, label('line', to), () => {
      state.waiter = undefined
      pump(to)
    })
  }
  const sayFarewell = (to: Side, reason: string) => {
    sides[to].farewell = reason
    pump(to)
  }
  const release = (to: Side) => {
    const { latencyMs } = qualityTo(to)
    scheduler.at(scheduler.nowMs() + latencyMs, label('repeat', to), () => {
      if (takes(to)) for (const item of sides[to].held.splice(0)) arrive(item, to)
    })
  }
  /** A process that is no more must not stay in memory because the one at the other end remembers the link. */
  const letGo = (side: Side) => {
    spoken[side] = undefined
  }
  const endSide = (side: Side, reason: string) => {
    if (sides[side].isGone) return
    sides[side].isGone = true
    spoken[side]?.link.end(reason)
    letGo(side)
    leftAlone(other(side))
  }
  const breakSide = (side: Side, reason: string) => {
    if (sides[side].isGone) return
    sayFarewell(other(side), `closed by ${ends[side].peer}`)
    endSide(side, reason)
  }
  const leftAlone = (side: Side) => {
    if (sides[side].isGone) options.onGone()
    else expectSilence(side)
  }
  /** From now on nothing reaches `side`, unless a way is opened in time. */
  const expectSilence = (side: Side) => {
    const state = sides[side]
    state.silentSinceMs ??= scheduler.nowMs()
    state.silence ??= scheduler.at(scheduler.nowMs() + livenessMs, label('silence', side), () => {
      state.silence = undefined
      // Who stands still counts no time; it listens anew when it goes on.
      if (!isAsleep(nameOf(side))) breakSide(side, `nothing heard for ${livenessMs} ms`)
    })
  }
  /** Something reaches `side` again, if nothing else is in the way. */
  const hearAgain = (side: Side) => {
    if (isHeardBy(side)) {
      sides[side].silence?.cancel()
      sides[side].silence = undefined
      sides[side].silentSinceMs = undefined
    }
    if (!isLost) release(side)
  }

  const linkAt = (side: Side): StreamLink =>
    createStreamLink({
      peer: ends[other(side)].peer,
      dialed: side === 0,
      write: (frame, priority) => {
        if (sides[side].isGone) return
        sides[other(side)].queue.push(frame, priority)
        pump(other(side))
      },
      room: sides[other(side)].queue.room,
      // Signs of life are no frames here: an end hears something for as long as nothing is in the way.
      heardAgeMs: () => scheduler.nowMs() - (sides[side].silentSinceMs ?? scheduler.nowMs()),
      hangUp: () => breakSide(side, 'closed here'),
    })
  const spoken = ([0, 1] as const).map((side) => keepInSight(linkAt(side), nameOf(other(side)))) as [
    SpokenLink | undefined,
    SpokenLink | undefined,
  ]

  return {
    link: (side) => spoken[side]?.link,
    spoken: (side) => spoken[side],
    ends,
    leave: (side, how, reason) => {
      if (sides[side].isGone) return
      // The process is no more: its end of the link is not told anything, and what it had not handed over is gone.
      sides[side].isGone = true
      sides[other(side)].isCut = true
      letGo(side)
      if (how === 'farewell') sayFarewell(other(side), reason)
      leftAlone(other(side))
    },
    reset: () => {
      for (const side of [0, 1] as const) if (!sides[side].isGone) endSide(side, 'the connection broke')
    },
    forget: (side) => {
      if (sides[side].isGone) return
      sides[side].isMute = true
      sides[other(side)].isCut = true
      endSide(side, 'the connection broke')
    },
    lose: () => {
      isLost = true
      for (const side of [0, 1] as const) if (!sides[side].isGone) expectSilence(side)
    },
    pathChanged: (from, to, change) => {
      const side = nameOf(0) === to ? 0 : 1
      if (nameOf(side) !== to || nameOf(other(side)) !== from) return
      if (change === 'quality') retime(side)
      else if (change === 'open') hearAgain(side)
      else if (speaksTo(side)) expectSilence(side)
    },
    standstillChanged: (node) => {
      for (const side of [0, 1] as const) {
        if (nameOf(side) !== node) continue
        if (isAsleep(node)) {
          if (!sides[other(side)].isGone && isOpenTo(other(side))) expectSilence(other(side))
          continue
        }
        if (!isHeardBy(side) && !sides[side].isGone) expectSilence(side)
        hearAgain(other(side))
        release(side)
        pump(other(side))
      }
    },
  }
}
