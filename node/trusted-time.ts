import type { Clock } from '../base/index.ts'
import type { Book } from '../crdt/index.ts'

/** The time of day where it may be believed (DESIGN.md section 4). */
export interface TrustedTime {
  /** Milliseconds since 1970; undefined where no time is trusted. */
  nowMs(): number | undefined
}

/**
 * The machine's own time where it is trusted; else that of the newest beacon that came while this node ran, carried on by the
 * monotonic clock. A beacon read from disk says nothing of how long the node was away.
 */
export const createTrustedTime = ({
  clock,
  book,
  isOwnTrusted,
}: {
  readonly clock: Clock
  readonly book: Book
  readonly isOwnTrusted: () => boolean
}): TrustedTime => {
  let heard: { readonly counter: number; readonly timeMs: number; readonly atMs: number } | undefined
  const atStart = book.trust() === undefined ? 0 : (book.beacon()?.counter ?? 0)
  const listen = () => {
    const beacon = book.trust() === undefined ? undefined : book.beacon()
    if (beacon === undefined || beacon.counter <= Math.max(atStart, heard?.counter ?? 0)) return
    heard = { counter: beacon.counter, timeMs: beacon.timeMs, atMs: clock.monotonicMs() }
  }
  book.onChange(listen)
  return {
    nowMs: () => {
      if (isOwnTrusted()) return clock.wallMs()
      // A tower whose own time is not trusted says 0.
      if (heard === undefined || heard.timeMs === 0) return undefined
      // Whole milliseconds: dates of certificates are, and a monotonic clock is not.
      return heard.timeMs + Math.floor(clock.monotonicMs() - heard.atMs)
    },
  }
}
