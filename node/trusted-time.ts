import type { Clock } from '../base/index.ts'
import type { Book } from '../crdt/index.ts'

/** The time of day where it may be believed (DESIGN.md section 4). */
export interface TrustedTime {
  /** Milliseconds since 1970; undefined where no time is trusted. One that beacons told never goes back. */
  nowMs(): number | undefined
}

/**
 * The machine's own time where it is trusted; else that of the newest beacon that told a time while this node ran, carried on
 * by the monotonic clock. A beacon read from disk says nothing of how long the node was away; one with the time of an earlier
 * one comes of a tower that trusts no time, and says nothing of it at all.
 */
export const createTrustedTime = ({
  clock,
  book,
  isOwnTrusted,
}: {
  readonly clock: Clock
  readonly book: Pick<Book, 'trust' | 'beacon' | 'onChange'>
  readonly isOwnTrusted: () => boolean
}): TrustedTime => {
  const atStart = book.trust() === undefined ? undefined : book.beacon()
  let newest = { counter: atStart?.counter ?? 0, timeMs: atStart?.timeMs ?? 0 }
  /** What was told, when, and the time that had been reached until then. */
  let heard: { readonly timeMs: number; readonly atMs: number; readonly leastMs: number } | undefined

  const carriedOn = (): number | undefined =>
    // Whole milliseconds: dates of certificates are, and a monotonic clock is not.
    heard && Math.max(heard.leastMs, heard.timeMs + Math.floor(clock.monotonicMs() - heard.atMs))
  const listen = () => {
    const beacon = book.trust() === undefined ? undefined : book.beacon()
    if (beacon === undefined || beacon.counter <= newest.counter) return
    const { counter, timeMs } = beacon
    if (timeMs > newest.timeMs) heard = { timeMs, atMs: clock.monotonicMs(), leastMs: carriedOn() ?? 0 }
    newest = { counter, timeMs }
  }
  book.onChange(listen)
  return { nowMs: () => (isOwnTrusted() ? clock.wallMs() : carriedOn()) }
}
