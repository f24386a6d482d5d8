import type { Clock } from '../../base/index.ts'
import type { Scheduler } from './scheduler.ts'

/** The clocks of one machine. They go on while its node is down; a power cut sets the monotonic and boot clocks to zero. */
export interface MachineClock extends Clock {
  /** Sets the wall clock, as somebody's hand or a dead battery does: milliseconds since 1970. */
  setWall(wallMs: number): void
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

export const createMachineClock = ({ scheduler, name, rate, startWallMs, upMs }: MachineClockOptions): MachineClock => {
  const label = `timer ${name}`
  let bootedAtMs = -upMs / rate
  let wallAtZeroMs = startWallMs
  const sinceBoot = () => (scheduler.nowMs() - bootedAtMs) * rate
  return {
    monotonicMs: sinceBoot,
    bootNowMs: sinceBoot,
    // Whole milliseconds, as systems give it.
    wallMs: () => Math.floor(wallAtZeroMs + scheduler.nowMs() * rate),
    setTimer: (delayMs, fire) =>
      scheduler.at(scheduler.nowMs() + Math.max(shortestMs, delayMs) / rate + roundingMs, label, fire),
    setWall: (wallMs) => {
      wallAtZeroMs = wallMs - scheduler.nowMs() * rate
    },
    reboot: () => {
      bootedAtMs = scheduler.nowMs()
    },
  }
}
