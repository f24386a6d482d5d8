/** Lets work that names the same thing happen one after the other, in the order it was asked for. */
export interface Turns {
  /**
   * Runs `work` when everything asked for earlier under any of the names is done. All names are taken at once, so two
   * that share several never wait for each other.
   * @param names each once
   */
  run<Result>(names: readonly string[], work: () => Promise<Result>): Promise<Result>
  /** Resolves when all that was asked for so far is done. */
  idle(): Promise<void>
}

export const createTurns = (): Turns => {
  const last = new Map<string, Promise<void>>()
  return {
    run: async (names, work) => {
      const before = names.flatMap((name) => last.get(name) ?? [])
      const { promise: mine, resolve } = Promise.withResolvers<void>()
      for (const name of names) last.set(name, mine)
      try {
        await Promise.all(before)
        return await work()
      } finally {
        for (const name of names) if (last.get(name) === mine) last.delete(name)
        resolve()
      }
    },
    idle: async () => {
      await Promise.all(last.values())
    },
  }
}
