/**
 * Lets every promise that can settle do so: all microtasks run before the turn ends. Nothing in a world waits for
 * anything else of the process, neither sockets nor the thread pool, so one turn is enough.
 */
export const giveTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
