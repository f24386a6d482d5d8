import { existsSync, readFileSync } from 'node:fs'
import { SkerryError } from '../../base/index.ts'
import { pause } from '../demo/index.ts'

/** Megabytes are powers of ten here. */
const mb = 1_000_000
/** The unit of times in /proc/PID/stat: USER_HZ, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100
const pollMs = 4
const endTimeoutMs = 30_000

export interface ProcessMemory {
  /** Resident, in MB of 1,000,000 bytes. */
  readonly rss: number
  /** What of it is no file's; undefined where the kernel does not say so. */
  readonly anon: number | undefined
}

/** Whether this machine tells what a process costs. */
export const hasProc = (): boolean => existsSync('/proc/self/status')

/** Memory of a process as /proc tells it. */
export const memoryOf = (pid: number): ProcessMemory => {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]
    return found === undefined ? undefined : (Number(found) * 1024) / mb
  }
  const rss = field('VmRSS')
  if (rss === undefined) throw new SkerryError('gone', `process ${pid} ended`)
  return { rss, anon: field('RssAnon') }
}

/** What follows the name of the program, which may hold anything. */
const statOf = (pid: number): readonly string[] => {
  const text = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ''
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** Processor time of a process since its start, its threads included, in seconds to a hundredth. */
export const cpuSecondsOf = (pid: number): number => {
  const [user, system] = statOf(pid).slice(11, 13).map(Number)
  if (user === undefined || system === undefined) throw new SkerryError('gone', `process ${pid} ended`)
  return (user + system) / ticksPerSecond
}

const isGone = (pid: number): boolean => (statOf(pid)[0] ?? 'Z') === 'Z'

/** Signals a process and waits until it is gone. */
export const endProcess = async (pid: number, signal: NodeJS.Signals): Promise<void> => {
  process.kill(pid, signal)
  const endMs = performance.now() + endTimeoutMs
  while (!isGone(pid)) {
    if (performance.now() > endMs) throw new SkerryError('timeout', `process ${pid} did not end after ${signal}`)
    await pause(pollMs)
  }
}

/** What a stretch of work in this process took. */
export interface Spent {
  readonly cpuSeconds: number
  readonly wallSeconds: number
}

/** Measures stretches of work in this process; nothing else may run meanwhile. */
export const createStopwatch = () => {
  let [cpuMicros, wallMs] = [0, 0]
  return {
    measure: async <Result>(work: () => Promise<Result>): Promise<Result> => {
      const [before, startedMs] = [process.cpuUsage(), performance.now()]
      try {
        return await work()
      } finally {
        const { user, system } = process.cpuUsage(before)
        cpuMicros += user + system
        wallMs += performance.now() - startedMs
      }
    },
    spent: (): Spent => ({ cpuSeconds: cpuMicros / 1_000_000, wallSeconds: wallMs / 1_000 }),
  }
}
