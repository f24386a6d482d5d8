import type { Timer } from '../../base/index.ts'

/** One moment of the world: whose it is and what it does. */
export interface WorldEvent {
  readonly atMs: number
  /** Ties are broken by the order of making. */
  readonly sequence: number
  /** Like `timer tower` or `frame tower>north`: shown in traces. */
  readonly label: string
  readonly run: () => void
}

/** The one line of time all nodes, wires and disks of a world share. */
export interface Scheduler {
  /** Milliseconds since the world began. */
  nowMs(): number
  /** @param atMs a moment that has passed counts as now */
  at(atMs: number, label: string, run: () => void): Timer
  /** The time of the earliest event. */
  nextMs(): number | undefined
  /** Takes the earliest event out and moves time to it; undefined when none is due by `untilMs`, and then time is there. */
  take(untilMs: number): WorldEvent | undefined
}

interface Entry extends WorldEvent {
  isTaken: boolean
}

const isBefore = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)

/** A binary heap (J. W. J. Williams, 1964); what was taken back is skipped when it surfaces. */
export const createScheduler = (): Scheduler => {
  const heap: Entry[] = []
  let nowMs = 0
  let made = 0

  const swap = (a: number, b: number) => {
    const [x, y] = [heap[a], heap[b]]
    if (x && y) [heap[a], heap[b]] = [y, x]
  }
  const isLess = (a: number, b: number): boolean => {
    const [x, y] = [heap[a], heap[b]]
    return x !== undefined && y !== undefined && isBefore(x, y)
  }
  const add = (entry: Entry) => {
    heap.push(entry)
    for (let at = heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1
      if (!isLess(at, above)) return
      swap(at, above)
      at = above
    }
  }
  const removeFirst = () => {
    swap(0, heap.length - 1)
    heap.pop()
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const least = isLess(right, left) ? right : left
      if (!isLess(least, at)) return
      swap(at, least)
      at = least
    }
  }
  const first = (): Entry | undefined => {
    while (heap[0]?.isTaken) removeFirst()
    return heap[0]
  }

  return {
    nowMs: () => nowMs,
    at: (atMs, label, run) => {
      const entry: Entry = { atMs: Math.max(nowMs, atMs), sequence: made++, label, run, isTaken: false }
      add(entry)
      return {
        cancel: () => {
          entry.isTaken = true
        },
      }
    },
    nextMs: () => first()?.atMs,
    take: (untilMs) => {
      const next = first()
      if (!next || next.atMs > untilMs) {
        nowMs = Math.max(nowMs, untilMs)
        return undefined
      }
      removeFirst()
      next.isTaken = true
      nowMs = next.atMs
      return next
    },
  }
}
