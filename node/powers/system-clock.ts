import { uptime } from 'node:os'
import type { Clock } from '../../base/index.ts'

/** Boot time is read anew after so many milliseconds of running: it is a file of the kernel, and asked for often. */
const bootReadEveryMs = 50
let bootRead = { atMs: Number.NEGATIVE_INFINITY, bootMs: 0 }

/** The machine's clocks. `performance.now` is monotonic; boot time is the kernel's uptime. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  bootNowMs: () => {
    const atMs = performance.now()
    const runMs = atMs - bootRead.atMs
    if (runMs < bootReadEveryMs) return bootRead.bootMs + runMs
    // The kernel tells hundredths of a second: never less than was said.
    bootRead = { atMs, bootMs: Math.max(uptime() * 1000, bootRead.bootMs + bootReadEveryMs) }
    return bootRead.bootMs
  },
  setTimer: (delayMs, fire) => {
    // Node fires at once for more than 2^31 - 1 ms; nothing of ours waits longer than that in one go.
    const timer = setTimeout(fire, Math.min(Math.max(0, delayMs), 2 ** 31 - 1))
    return { cancel: () => clearTimeout(timer) }
  },
}
