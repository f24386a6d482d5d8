/** Lets so many pieces of work in at once; the rest waits in order of coming. */
export interface Gate {
  /** Runs `work` when its turn comes. */
  pass<T>(work: () => Promise<T>): Promise<T>
}

export const createGate = (atOnce: number): Gate => {
  let inside = 0
  const queue: (() => void)[] = []
  const leave = () => {
    inside -= 1
    queue.shift()?.()
  }
  return {
    pass: async (work) => {
      while (inside >= atOnce) await new Promise<void>((resolve) => queue.push(resolve))
      inside += 1
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}

/** Work under one key goes one after the other; under different keys it does not meet. */
export interface Turns {
  take<T>(key: string, work: () => Promise<T>): Promise<T>
}

export const createTurns = (): Turns => {
  const last = new Map<string, Promise<unknown>>()
  return {
    take: async (key, work) => {
      const before = last.get(key)
      const mine = before ? before.then(work, work) : work()
      last.set(key, mine)
      try {
        return await mine
      } finally {
        if (last.get(key) === mine) last.delete(key)
      }
    },
  }
}
