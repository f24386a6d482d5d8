import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { RunResult } from './scenarios/index.ts'

/** Cuts seeds into so many parts, each as good as as long as the others. */
export const partsOf = (seeds: readonly number[], count: number): readonly (readonly number[])[] =>
  Array.from({ length: Math.min(count, seeds.length) }, (_, part) => seeds.filter((_seed, at) => at % count === part))

const runPart = async (
  program: string,
  args: readonly string[],
  seeds: readonly number[],
  onResult: (result: RunResult) => void,
): Promise<void> => {
  const child = spawn(process.execPath, [program, ...args, '--part', seeds.join(',')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  const left = new Set(seeds)
  for await (const line of createInterface({ input: child.stdout })) {
    const result = JSON.parse(line) as RunResult
    left.delete(result.seed)
    onResult(result)
  }
  const code = await ended
  if (left.size > 0) throw new Error(`a process ended with code ${code} before seeds ${[...left].join(', ')} were done`)
}

/**
 * Runs seeds in several processes: a world keeps one processor busy. Answers in the order of the seeds.
 * @param args what each process is told beside its seeds
 */
export const runInProcesses = async (
  program: string,
  args: readonly string[],
  { seeds, jobs }: { readonly seeds: readonly number[]; readonly jobs: number },
  onResult: (result: RunResult) => void,
): Promise<readonly RunResult[]> => {
  const results: RunResult[] = []
  const take = (result: RunResult) => {
    results.push(result)
    onResult(result)
  }
  await Promise.all(partsOf(seeds, jobs).map((part) => runPart(program, args, part, take)))
  return results.toSorted((a, b) => a.seed - b.seed)
}
