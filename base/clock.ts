/** Time as the program sees it. Only adapters in `node/` read the machine's clocks. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back, stops while the machine is suspended. */
  monotonicMs(): number
  /** Milliseconds since 1970 as the machine believes. Shown and used for windows; never decides correctness. */
  wallMs(): number
  /** Milliseconds since the machine booted, suspended time included. */
  bootNowMs(): number
  /** Runs `fire` once, at the earliest `delayMs` from now on the monotonic clock. */
  setTimer(delayMs: number, fire: () => void): Timer
}

export interface Timer {
  /** Takes the timer back; harmless after it fired. */
  cancel(): void
}

/**
 * Resolves after `delayMs`; resolves early, without an error, when `signal` aborts.
 */
export const sleep = (clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      timer.cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.setTimer(delayMs, done)
    signal?.addEventListener('abort', done)
  })

/** A clock that moves only when told to: for tests and simulations. */
export interface ManualClock extends Clock {
  /** Moves time forward by `ms`, firing due timers in order of their time, then of their making. */
  advance(ms: number): void
  /** Milliseconds until the earliest timer, or undefined when none is set. */
  nextTimerMs(): number | undefined
}

/** @param startWallMs what `wallMs` says at the start. @default 0, in milliseconds since 1970 */
export const createManualClock = (startWallMs = 0): ManualClock => {
  let nowMs = 0
  let made = 0
  const timers: { atMs: number; order: number; fire: () => void }[] = []
  const drop = (timer: (typeof timers)[number]) => {
    const at = timers.indexOf(timer)
    if (at >= 0) timers.splice(at, 1)
  }
  const earliest = () => timers.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
  return {
    monotonicMs: () => nowMs,
    wallMs: () => startWallMs + nowMs,
    bootNowMs: () => nowMs,
    setTimer: (delayMs, fire) => {
      const timer = { atMs: nowMs + Math.max(0, delayMs), order: made++, fire }
      timers.push(timer)
      return { cancel: () => drop(timer) }
    },
    advance: (ms) => {
      const untilMs = nowMs + ms
      for (let due = earliest(); due && due.atMs <= untilMs; due = earliest()) {
        drop(due)
        nowMs = due.atMs
        due.fire()
      }
      nowMs = untilMs
    },
    nextTimerMs: () => {
      const timer = earliest()
      return timer && Math.max(0, timer.atMs - nowMs)
    },
  }
}
