import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { RunResult } from './scenarios/index.ts'

/** A run, and the time of a processor it took in milliseconds, both times where it was run twice. */
export interface TimedRun {
  readonly result: RunResult
  readonly cpuMs: number
  /** Runs of the seed: one or two. */
  readonly times: number
}

export interface SeedJobs {
  readonly seeds: readonly number[]
  /** Processes at work at once: a world keeps one processor busy. */
  readonly jobs: number
  /** Whether no further seed is to be begun. */
  readonly isOver: () => boolean
}

/** A process is ended after so many seeds, and another begun: what its documents took of memory never comes back. */
const seedsPerProcess = 250

/** Code is compiled when it is first called: a seed is short, and no part of it alone is hot. A tenth less time. */
const flags = ['--always-sparkplug']

const start = (program: string, args: readonly string[]): ChildProcessWithoutNullStreams => {
  const child = spawn(process.execPath, [...flags, program, ...args, '--serve'], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stderr.pipe(process.stderr)
  return child
}

/** Runs one seed after the other in one process, as `next` gives them, until it gives none. */
const runInOne = async (
  program: string,
  args: readonly string[],
  next: () => number | undefined,
  onRun: (run: TimedRun) => void,
): Promise<'full' | 'done'> => {
  let seed = next()
  if (seed === undefined) return 'done'
  const child = start(program, args)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  child.stdin.on('error', () => {})
  child.stdin.write(`${seed}\n`)
  let count = 1
  for await (const line of createInterface({ input: child.stdout })) {
    onRun(JSON.parse(line) as TimedRun)
    seed = count < seedsPerProcess ? next() : undefined
    if (seed === undefined) child.stdin.end()
    else {
      child.stdin.write(`${seed}\n`)
      count++
    }
  }
  const code = await ended
  if (seed !== undefined) throw new Error(`a process ended with code ${code} before seed ${seed} was done`)
  return count < seedsPerProcess ? 'done' : 'full'
}

/**
 * Runs seeds in several processes, begun in their order: those that were run are always the first so many. Answers in
 * the order of the seeds.
 * @param args what each process is told beside its seeds
 */
export const runInProcesses = async (
  program: string,
  args: readonly string[],
  { seeds, jobs, isOver }: SeedJobs,
  onRun: (run: TimedRun) => void,
): Promise<readonly TimedRun[]> => {
  const runs: TimedRun[] = []
  let at = 0
  const next = () => (isOver() ? undefined : seeds[at++])
  const take = (run: TimedRun) => {
    runs.push(run)
    onRun(run)
  }
  const work = async () => {
    while ((await runInOne(program, args, next, take)) === 'full');
  }
  await Promise.all(Array.from({ length: Math.min(jobs, seeds.length) }, work))
  return runs.toSorted((a, b) => a.result.seed - b.result.seed)
}
