/**
 * Rounds of work, never two at once: calls that come meanwhile share the next one.
 * @param gather waits before each round for more calls to share it, and says whether to go on. @default none
 */
export const createRounds = (round: () => Promise<void>, gather?: () => Promise<boolean>): (() => Promise<void>) => {
  let running: Promise<void> | undefined
  let again = false
  const run = async () => {
    try {
      do {
        if (gather !== undefined && !(await gather())) return
        again = false
        await round()
      } while (again)
    } finally {
      // Here and not in a later turn, so that a call between the two begins anew.
      running = undefined
    }
  }
  return () => {
    again = true
    running ??= run()
    return running
  }
}
