import type { Clock } from '../../base/index.ts'

/** Lets a number of things happen at once, and one more after each `everyMs` of the monotonic clock. */
export interface TokenBucket {
  /** Whether one more may happen now; takes it. */
  take(): boolean
  /** Milliseconds until half of the tokens are there. */
  untilHalfMs(): number
}

export const createTokenBucket = (clock: Clock, capacity: number, everyMs: number): TokenBucket => {
  let tokens = capacity
  let atMs = clock.monotonicMs()
  const refill = () => {
    const come = Math.floor((clock.monotonicMs() - atMs) / everyMs)
    tokens = Math.min(capacity, tokens + come)
    atMs = tokens === capacity ? clock.monotonicMs() : atMs + come * everyMs
  }
  return {
    take: () => {
      refill()
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
    untilHalfMs: () => {
      refill()
      const missing = Math.ceil(capacity / 2) - tokens
      return missing <= 0 ? 0 : missing * everyMs - (clock.monotonicMs() - atMs)
    },
  }
}
