import { readFileSync } from 'node:fs'

/**
 * Whether a process of this machine still runs. One that ended but was not yet reaped by its parent (state Z of
 * proc(5)) does not: in a container nobody may ever reap it. Where there is no /proc it counts as running.
 */
export const isProcessAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  try {
    // The name stands in parentheses and may hold anything; the state follows the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    return true
  }
}
