import { readdirSync, readFileSync } from 'node:fs'

/** One process of the host, told apart from a later one with the same id by when it started. */
export interface HostProcess {
  readonly pid: number
  /** Clock ticks since boot (proc(5), field 22 of stat). */
  readonly startTicks: number
  readonly args: readonly string[]
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The process with this id, unless it ended (one that only waits to be collected counts as ended). */
export const hostProcess = (pid: number): HostProcess | undefined => {
  const stat = read(`/proc/${pid}/stat`)
  // The name is in brackets and may hold anything, so fields are counted from the last bracket.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined
  const args = read(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1) ?? []
  return { pid, startTicks: Number(fields[19]), args }
}

/** Every process of the host whose command line passes. */
export const findProcesses = (passes: (args: readonly string[]) => boolean): HostProcess[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => hostProcess(Number(name)))
    .filter((found): found is HostProcess => found !== undefined && passes(found.args))

/** Sends a signal; a process that is gone is no error. @returns whether it was there. */
export const signalProcess = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Our own hard bound of open files: a container may not be given more. */
export const hardOpenFiles = (): number => {
  const line = read('/proc/self/limits')?.match(/^Max open files\s+\S+\s+(\S+)/m)?.[1]
  return line === undefined || line === 'unlimited' ? 1_048_576 : Number(line)
}
