import type { Link } from '../../crdt/index.ts'

interface Passed {
  readonly bytes: Uint8Array
  /** Messages it followed from, itself included: one after the other across the link. */
  readonly depth: number
}

/** A link in memory that counts how often what is said crosses it. */
export interface CountedPipe {
  readonly left: Link
  readonly right: Link
  /**
   * The longest chain of messages of which each was sent after the one before had arrived at the other end. Two make one
   * round trip.
   */
  crossings(): number
  close(): void
}

export const createCountedPipe = (): CountedPipe => {
  let isClosed = false
  let longest = 0
  const wakers = new Set<() => void>()
  const wake = () => {
    for (const waker of [...wakers]) waker()
    wakers.clear()
  }
  const sides = { left: { heard: 0, inbox: [] as Passed[] }, right: { heard: 0, inbox: [] as Passed[] } }
  const end = (own: (typeof sides)['left'], other: (typeof sides)['left']): Link => ({
    send: async (bytes) => {
      if (isClosed) throw new Error('the link is closed')
      const depth = own.heard + 1
      longest = Math.max(longest, depth)
      other.inbox.push({ bytes, depth })
      wake()
    },
    messages: (async function* () {
      for (;;) {
        const passed = own.inbox.shift()
        if (passed !== undefined) {
          own.heard = Math.max(own.heard, passed.depth)
          yield passed.bytes
        } else if (isClosed) return
        else await new Promise<void>((resolve) => wakers.add(resolve))
      }
    })(),
  })
  return {
    left: end(sides.left, sides.right),
    right: end(sides.right, sides.left),
    crossings: () => longest,
    close: () => {
      isClosed = true
      wake()
    },
  }
}
