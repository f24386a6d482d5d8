import type { StoreChange } from '../store.ts'

interface Waiting {
  readonly batch: readonly StoreChange[]
  readonly sync: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What is written together at most, in changes, unless one batch alone is larger. */
const mostChanges = 4096

/**
 * Writes in the order of the calls, one after the other; what is asked for while one is under way is written together,
 * so that many callers share one sync.
 * @param commit writes all of it or nothing
 */
export const createWriteQueue = (commit: (batch: readonly StoreChange[], sync: boolean) => Promise<void>) => {
  const waiting: Waiting[] = []
  let running: Promise<void> | undefined

  const takeSome = (): readonly Waiting[] => {
    let count = 0
    const end = waiting.findIndex(({ batch }, at) => {
      count += batch.length
      return at > 0 && count > mostChanges
    })
    return waiting.splice(0, end < 0 ? waiting.length : end)
  }

  const run = async () => {
    while (waiting.length > 0) {
      const some = takeSome()
      try {
        await commit(
          some.flatMap(({ batch }) => batch),
          some.some(({ sync }) => sync),
        )
        for (const { resolve } of some) resolve()
      } catch (error) {
        for (const { reject } of some) reject(error)
      }
    }
    running = undefined
  }

  return {
    write: (batch: readonly StoreChange[], sync: boolean): Promise<void> =>
      new Promise((resolve, reject) => {
        waiting.push({ batch, sync, resolve, reject })
        running ??= run()
      }),
    /** Resolves when nothing waits any more. */
    idle: async (): Promise<void> => {
      while (running !== undefined) await running
    },
  }
}
