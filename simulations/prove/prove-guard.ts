import { type RunResult, runScenario } from '../scenarios/index.ts'
import type { Doctor, Guard, Trial } from './guard.ts'

/** What came of taking one guard out. */
export interface Proof {
  readonly name: string
  readonly invariant: number
  /** Whether a checker of that invariant found it out, where it had nothing to say with the guard in place. */
  readonly caught: boolean
  /** The seed that showed it, or the last one tried. */
  readonly seed: number
  /** Seeds that were run without the guard. */
  readonly tried: number
}

/** A proof as the command tells it: with what was found. */
export interface ToldProof extends Proof {
  readonly scenario: string
  readonly found: readonly string[]
}

/** Invariants some violations are of: a run that does not end as wanted names them line by line. */
export const invariantsIn = (violations: readonly string[]): ReadonlySet<number> =>
  new Set(violations.flatMap((text) => [...text.matchAll(/\binvariant (\d+):/g)].map(([, number]) => Number(number))))

const after =
  (first: Doctor | undefined, then: Doctor): Doctor =>
  (machine, powers) =>
    then(machine, first?.(machine, powers) ?? powers)

/** What a run with every guard in place comes to; the same run is asked for by several guards. */
export type RunWhole = (trial: Trial, seed: number) => Promise<RunResult>

export const createWholeRuns = (): RunWhole => {
  const known = new Map<string, Promise<RunResult>>()
  return (trial, seed) => {
    const key = `${trial.scenario.name} ${trial.attack?.name ?? ''} ${seed}`
    const result =
      known.get(key) ?? runScenario(trial.scenario, { seed, ...(trial.attack && { doctor: trial.attack() }) })
    known.set(key, result)
    return result
  }
}

/** One run without a guard. */
export const runWithout = (guard: Guard, { scenario, attack }: Trial, seed: number): Promise<RunResult> =>
  runScenario(scenario, { seed, doctor: after(attack?.(), guard.takeOut) })

/**
 * Takes one guard out and runs seeds until a checker of its invariant finds something. A seed counts only where nothing is
 * found with the guard in place.
 */
export const proveGuard = async (guard: Guard, runWhole: RunWhole): Promise<ToldProof> => {
  const { name, invariant } = guard
  let tried = 0
  let last = { seed: 0, scenario: '', found: [] as readonly string[] }
  for (const trial of guard.trials)
    for (const seed of trial.seeds) {
      tried++
      const scenario = trial.scenario.name
      const without = await runWithout(guard, trial, seed)
      last = { seed, scenario, found: without.violations }
      if (!invariantsIn(without.violations).has(invariant)) continue
      const whole = await runWhole(trial, seed)
      if (whole.violations.length === 0) return { name, invariant, caught: true, tried, ...last }
      last = { ...last, found: whole.violations.map(withGuards) }
    }
  return { name, invariant, caught: false, tried, ...last }
}

const withGuards = (violation: string): string => `with every guard in place: ${violation}`
