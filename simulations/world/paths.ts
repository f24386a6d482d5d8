import type { Random } from '../../base/index.ts'

/** How frames fare from one machine to another, one way. */
export interface PathQuality {
  readonly latencyMs: number
  readonly bytesPerMs: number
}

/** The ways between machines. Each direction is a way of its own. */
export interface Paths {
  quality(from: string, to: string): PathQuality
  isOpen(from: string, to: string): boolean
  /** Nothing passes any more; whoever listens there hears silence. */
  close(from: string, to: string): void
  open(from: string, to: string): void
  /** Instead of the quality the way has by itself; undefined gives that back. */
  setQuality(from: string, to: string, quality: PathQuality | undefined): void
  onChange(listener: (from: string, to: string, isOpen: boolean) => void): void
}

/** Ways are 2 to 40 ms long and carry 100 KB to 10 MB a second: a mobile uplink to a leased line. */
const drawQuality = (random: Random): PathQuality => ({
  latencyMs: 2 + Math.floor(random.unit() * 39),
  bytesPerMs: Math.round(100 * 100 ** random.unit()),
})

export const createPaths = (random: Random): Paths => {
  const drawn = new Map<string, PathQuality>()
  const given = new Map<string, PathQuality>()
  const closed = new Set<string>()
  const listeners: ((from: string, to: string, isOpen: boolean) => void)[] = []
  const keyOf = (from: string, to: string) => `${from}>${to}`
  const tell = (from: string, to: string, isOpen: boolean) => {
    for (const listener of listeners) listener(from, to, isOpen)
  }
  return {
    quality: (from, to) => {
      const key = keyOf(from, to)
      const known = given.get(key) ?? drawn.get(key)
      if (known) return known
      const quality = drawQuality(random.fork(key))
      drawn.set(key, quality)
      return quality
    },
    isOpen: (from, to) => !closed.has(keyOf(from, to)),
    close: (from, to) => {
      if (closed.has(keyOf(from, to))) return
      closed.add(keyOf(from, to))
      tell(from, to, false)
    },
    open: (from, to) => {
      if (closed.delete(keyOf(from, to))) tell(from, to, true)
    },
    setQuality: (from, to, quality) => {
      if (quality) given.set(keyOf(from, to), quality)
      else given.delete(keyOf(from, to))
    },
    onChange: (listener) => void listeners.push(listener),
  }
}
