import type { Clock } from '../base/index.ts'

export interface CatchUpOptions {
  readonly clock: Clock
  /** How long is waited at most, in milliseconds. */
  readonly withinMs: number
  /** One of those waited for has come, or they are waited for no longer. */
  readonly onCaughtUp: () => void
}

/** Waits for what others hold before something is done: from the first that is waited for, for all of them one time in all. */
export interface CatchUp {
  /** Waits for one more. @returns to be called when it came, or never will; once or twice */
  begin(): () => void
  isWaiting(): boolean
}

export const createCatchUp = ({ clock, withinMs, onCaughtUp }: CatchUpOptions): CatchUp => {
  const waiting = new Set<() => void>()
  let untilMs = 0
  return {
    begin: () => {
      // Links that come and go hold nobody up: who comes while others are waited for adds no time.
      if (waiting.size === 0) untilMs = clock.monotonicMs() + withinMs
      const end = () => {
        late.cancel()
        if (waiting.delete(end)) onCaughtUp()
      }
      const late = clock.setTimer(untilMs - clock.monotonicMs(), end)
      waiting.add(end)
      return end
    },
    isWaiting: () => waiting.size > 0,
  }
}
