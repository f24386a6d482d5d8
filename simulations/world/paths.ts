import type { Random } from '../../base/index.ts'

/** How frames fare from one machine to another, one way. */
export interface PathQuality {
  readonly latencyMs: number
  readonly bytesPerMs: number
}

export type PathChange = 'closed' | 'open' | 'quality'

/** The ways between machines. Each direction is a way of its own. */
export interface Paths {
  quality(from: string, to: string): PathQuality
  isOpen(from: string, to: string): boolean
  /** Nothing passes any more; whoever listens there hears silence. What is closed twice is open when it was opened twice. */
  close(from: string, to: string): void
  open(from: string, to: string): void
  /** Instead of the quality the way has by itself, or was given before. Returns how to take it back. */
  setQuality(from: string, to: string, quality: PathQuality): () => void
  onChange(listener: (from: string, to: string, change: PathChange) => void): void
}

/** Ways are 2 to 40 ms long and carry 100 KB to 10 MB a second: a mobile uplink to a leased line. */
const drawQuality = (random: Random): PathQuality => ({
  latencyMs: 2 + Math.floor(random.unit() * 39),
  bytesPerMs: Math.round(100 * 100 ** random.unit()),
})

interface Way {
  drawn: PathQuality | undefined
  /** The last one counts. */
  readonly given: { readonly quality: PathQuality }[]
  closings: number
}

export const createPaths = (random: Random): Paths => {
  const ways = new Map<string, Map<string, Way>>()
  const listeners: ((from: string, to: string, change: PathChange) => void)[] = []
  const wayOf = (from: string, to: string): Way => {
    const onward = ways.get(from) ?? new Map<string, Way>()
    ways.set(from, onward)
    const known = onward.get(to)
    if (known) return known
    const made: Way = { drawn: undefined, given: [], closings: 0 }
    onward.set(to, made)
    return made
  }
  const tell = (from: string, to: string, change: PathChange) => {
    for (const listener of listeners) listener(from, to, change)
  }
  return {
    quality: (from, to) => {
      const way = wayOf(from, to)
      way.drawn ??= drawQuality(random.fork(`${from}>${to}`))
      return way.given.at(-1)?.quality ?? way.drawn
    },
    isOpen: (from, to) => wayOf(from, to).closings === 0,
    close: (from, to) => {
      const way = wayOf(from, to)
      way.closings++
      if (way.closings === 1) tell(from, to, 'closed')
    },
    open: (from, to) => {
      const way = wayOf(from, to)
      if (way.closings === 0) return
      way.closings--
      if (way.closings === 0) tell(from, to, 'open')
    },
    setQuality: (from, to, quality) => {
      const { given } = wayOf(from, to)
      const entry = { quality }
      given.push(entry)
      tell(from, to, 'quality')
      return () => {
        const at = given.indexOf(entry)
        if (at < 0) return
        given.splice(at, 1)
        tell(from, to, 'quality')
      }
    },
    onChange: (listener) => void listeners.push(listener),
  }
}
