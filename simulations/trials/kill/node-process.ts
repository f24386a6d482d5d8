import { seenProcesses } from '../host-reading.ts'

/** The process of a node, from its first moment on: told by the configuration it was given. */
export const processOf = (dataDir: string): number | undefined =>
  seenProcesses((args) => args.includes(`${dataDir}/node.yaml`))[0]?.pid

/** @returns whether it was there */
export const signal = (pid: number, name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): boolean => {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    return false
  }
}
