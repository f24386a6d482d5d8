import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { SkerryError } from '../../base/index.ts'
import { isProcessAlive } from './process-alive.ts'

/** The process a lock names; undefined for none, or for a file that is no lock of ours. */
const holderOf = (path: string): number | undefined => {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

/**
 * Takes a lock that one process holds from before its first write until after its last. A lock of a process that is
 * gone is taken over. It lies where a restart of the machine clears it, because process ids come again.
 * @returns how to give it back
 * @throws {SkerryError} `already-running` naming the process that holds it
 */
export const takeProcessLock = (path: string, what: string): (() => void) => {
  const mine = `${path}.${process.pid}`
  writeFileSync(mine, String(process.pid), { mode: 0o600 })
  try {
    for (let tries = 0; tries < 10; tries++) {
      try {
        // A link is made whole or not at all, and never over another: no reader sees half a lock.
        linkSync(mine, path)
        return () => {
          if (holderOf(path) === process.pid) rmSync(path, { force: true })
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = holderOf(path)
      if (holder !== undefined && holder !== process.pid && isProcessAlive(holder))
        throw new SkerryError(
          'already-running',
          `${what} runs already as process ${holder}: stop it first. If that is another program, remove ${path}`,
        )
      rmSync(path, { force: true })
    }
    throw new SkerryError('already-running', `${what} is being started by others at this moment: try again`)
  } finally {
    rmSync(mine, { force: true })
  }
}
