import { uptime } from 'node:os'
import type { Clock } from '../../base/index.ts'

/** The machine's clocks. `performance.now` is monotonic; boot time is the kernel's uptime. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  bootNowMs: () => uptime() * 1000,
  setTimer: (delayMs, fire) => {
    // Node fires at once for more than 2^31 - 1 ms; nothing of ours waits longer than that in one go.
    const timer = setTimeout(fire, Math.min(Math.max(0, delayMs), 2 ** 31 - 1))
    return { cancel: () => clearTimeout(timer) }
  },
}
