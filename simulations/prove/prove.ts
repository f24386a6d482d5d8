import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Guard } from './guard.ts'
import { createWholeRuns, type Proof, proveGuard, type ToldProof } from './prove-guard.ts'

const program = join(import.meta.dirname, '..', 'simulate.ts')

export interface ProveOptions {
  readonly json: boolean
  readonly jobs: number
  /** Of one of several processes: answers each guard by a line of JSON. */
  readonly isPart: boolean
  readonly say: (line: string) => void
}

/** One line for a person: what was found. */
const describeProof = ({ name, invariant, caught, scenario, seed, tried, found }: ToldProof): string => {
  const lines = found.flatMap((text) => text.split('\n')).map((line) => line.trim())
  const first = lines.find((line) => line.startsWith(`invariant ${invariant}:`)) ?? lines[0] ?? 'nothing was found'
  return caught
    ? `without ${name}: invariant ${invariant} breaks in ${scenario}, seed ${seed}: ${first.slice(first.indexOf(': ') + 2, 220)}`
    : `without ${name}: NOT CAUGHT in ${tried} seeds; invariant ${invariant} seems to hold. Last: ${first.slice(0, 400)}`
}

const runHere = async (some: readonly Guard[], onProof: (proof: ToldProof) => void): Promise<void> => {
  const runWhole = createWholeRuns()
  for (const guard of some) onProof(await proveGuard(guard, runWhole))
}

const runPart = async (some: readonly Guard[], onProof: (proof: ToldProof) => void): Promise<void> => {
  const args = ['--prove', '--part', '--guards', some.map(({ name }) => name).join(',')]
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  const left = new Set(some.map(({ name }) => name))
  for await (const line of createInterface({ input: child.stdout })) {
    const proof = JSON.parse(line) as ToldProof
    left.delete(proof.name)
    onProof(proof)
  }
  const code = await ended
  if (left.size > 0) throw new Error(`a process ended with code ${code} before ${[...left].join(', ')} were tried`)
}

/** Takes guards out in turn. @returns the exit code: 1 when one was not caught */
export const prove = async (all: readonly Guard[], { json, jobs, isPart, say }: ProveOptions): Promise<number> => {
  if (isPart) {
    await runHere(all, (proof) => process.stdout.write(`${JSON.stringify(proof)}\n`))
    return 0
  }
  const proofs: ToldProof[] = []
  const take = (proof: ToldProof) => {
    proofs.push(proof)
    say(`${proofs.length}/${all.length} ${describeProof(proof)}`)
  }
  // Guards that share runs stand together, so that each process has its own.
  const size = Math.ceil(all.length / Math.max(1, Math.min(jobs, all.length)))
  const parts = Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
  if (parts.length === 1) await runHere(all, take)
  else await Promise.all(parts.map((part) => runPart(part, take)))
  const ordered: readonly Proof[] = all.flatMap(({ name }) =>
    proofs
      .filter((proof) => proof.name === name)
      .map(({ invariant, caught, seed, tried }) => ({ name, invariant, caught, seed, tried })),
  )
  const caught = ordered.filter((proof) => proof.caught).length
  process.stdout.write(
    json
      ? `${JSON.stringify({ guards: ordered })}\n`
      : `${caught} of ${ordered.length} guards are missed when taken out\n`,
  )
  return caught === ordered.length ? 0 : 1
}
