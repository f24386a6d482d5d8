/** Rounds of work, never two at once: calls that come meanwhile share the next one. */
export const createRounds = (round: () => Promise<void>): (() => Promise<void>) => {
  let running: Promise<void> | undefined
  let again = false
  const run = async () => {
    try {
      do {
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
