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

  const add = (entry: Entry) => {
    let at = heap.length
    heap.push(entry)
    for (let above = heap[(at - 1) >> 1]; at > 0 && above && isBefore(entry, above); above = heap[(at - 1) >> 1]) {
      heap[at] = above
      at = (at - 1) >> 1
    }
    heap[at] = entry
  }
  const removeFirst = () => {
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let at = 0
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
      if (!left) break
      const isRight = right !== undefined && isBefore(right, left)
      const least = isRight ? right : left
      if (!isBefore(least, last)) break
      heap[at] = least
      at = 2 * at + (isRight ? 2 : 1)
    }
    heap[at] = last
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
