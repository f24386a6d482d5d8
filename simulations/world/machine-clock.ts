import type { Clock, Timer } from '../../base/index.ts'
import type { Scheduler } from './scheduler.ts'

/**
 * Why a machine does nothing for a while: `suspended`, as a laptop with its lid shut, where the monotonic clock stands and
 * the boot clock goes on; `stalled`, as a virtual machine whose host is busy, where both go on.
 */
export type Standstill = 'suspended' | 'stalled'

/** The clocks of one machine. They go on while its node is down; a power cut sets the monotonic and boot clocks to zero. */
export interface MachineClock extends Clock {
  /** Sets the wall clock, as somebody's hand or a dead battery does: milliseconds since 1970. */
  setWall(wallMs: number): void
  /** From now on all its clocks run so much faster than they are made to, or slower below 1. Returns how to end that. */
  drift(factor: number): () => void
  /** All its clocks leap ahead at once, as when a virtual machine goes on somewhere else. */
  leap(aheadMs: number): void
  /** No timer fires until `wake`; then those that are due do, in the order of their times. */
  stop(how: Standstill): void
  wake(): void
  /** The machine starts anew: monotonic and boot time begin at zero. */
  reboot(): void
}

export interface MachineClockOptions {
  readonly scheduler: Scheduler
  /** Shown in traces. */
  readonly name: string
  /** How fast its quartz runs against the world: 1.0001 gains 0.1 ms each second. */
  readonly rate: number
  /** What the wall clock says when the world begins, in milliseconds since 1970. */
  readonly startWallMs: number
  /** How long the machine runs when the world begins, in milliseconds. */
  readonly upMs: number
}

/** Node waits at least a millisecond, whatever it is asked for. */
const shortestMs = 1
/** More than a sum of fractions can be off, so that no timer fires before its time by its own clock. */
const roundingMs = 1e-6

interface Waiting {
  /** On the monotonic clock. */
  dueMs: number
  readonly fire: () => void
  event: Timer | undefined
}

export const createMachineClock = ({ scheduler, name, rate, startWallMs, upMs }: MachineClockOptions): MachineClock => {
  const label = `timer ${name}`
  const waiting = new Set<Waiting>()
  let pace = rate
  let standstill: Standstill | undefined
  /** What the clocks said at one moment of the world; they are counted on from there. */
  let base = { atMs: scheduler.nowMs(), monotonicMs: upMs, bootMs: upMs, wallMs: startWallMs }

  const sinceMs = () => (scheduler.nowMs() - base.atMs) * pace
  const monotonicMs = () => base.monotonicMs + (standstill === 'suspended' ? 0 : sinceMs())
  const bootNowMs = () => base.bootMs + sinceMs()
  const exactWallMs = () => base.wallMs + sinceMs()

  const wait = (one: Waiting) => {
    const leftMs = Math.max(0, one.dueMs - monotonicMs())
    one.event = scheduler.at(scheduler.nowMs() + leftMs / pace + roundingMs, label, () => {
      waiting.delete(one)
      one.fire()
    })
  }
  /** Does what makes the clocks run otherwise from now on. */
  const change = (act: () => void) => {
    base = { atMs: scheduler.nowMs(), monotonicMs: monotonicMs(), bootMs: bootNowMs(), wallMs: exactWallMs() }
    act()
    for (const one of [...waiting].toSorted((a, b) => a.dueMs - b.dueMs)) {
      one.event?.cancel()
      one.event = undefined
      if (standstill === undefined) wait(one)
    }
  }

  return {
    monotonicMs,
    bootNowMs,
    // Whole milliseconds, as systems give it.
    wallMs: () => Math.floor(exactWallMs()),
    setTimer: (delayMs, fire) => {
      const one: Waiting = { dueMs: monotonicMs() + Math.max(shortestMs, delayMs), fire, event: undefined }
      waiting.add(one)
      if (standstill === undefined) wait(one)
      return {
        cancel: () => {
          waiting.delete(one)
          one.event?.cancel()
        },
      }
    },
    setWall: (wallMs) => {
      base = { ...base, wallMs: wallMs - sinceMs() }
    },
    drift: (factor) => {
      change(() => {
        pace *= factor
      })
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        change(() => {
          pace /= factor
        })
      }
    },
    leap: (aheadMs) =>
      change(() => {
        const { atMs, monotonicMs: monotonic, bootMs, wallMs } = base
        base = { atMs, monotonicMs: monotonic + aheadMs, bootMs: bootMs + aheadMs, wallMs: wallMs + aheadMs }
      }),
    stop: (how) =>
      change(() => {
        standstill = how
      }),
    wake: () =>
      change(() => {
        standstill = undefined
      }),
    reboot: () =>
      change(() => {
        for (const one of waiting) one.dueMs -= base.monotonicMs
        base = { ...base, monotonicMs: 0, bootMs: 0 }
        standstill = undefined
      }),
  }
}
