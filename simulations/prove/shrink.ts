import { errorText } from '../../base/index.ts'
import { type RunResult, runScenario } from '../scenarios/index.ts'
import { invariantsIn } from './prove-guard.ts'
import { reduce } from './reduce.ts'
import { edgeSites, type RunRequest, runSmall, type SmallRun } from './small-run.ts'

/** A run made smaller that still breaks the same invariant. */
export interface Shrunk {
  readonly invariant: number
  readonly small: SmallRun
  /** Of the whole run. */
  readonly whole: { readonly faults: number; readonly moves: number; readonly nodes: number; readonly harmMs: number }
  readonly result: RunResult
  /** Runs it took. */
  readonly runs: number
  /** What befell it and what operators did, in words. */
  readonly story: readonly string[]
}

/** Tried again and again: a run of some seconds each. */
const mostRuns = 200
const shortestMs = 12_000

interface Search {
  readonly request: RunRequest
  readonly invariant: number
  readonly say: (line: string) => void
  runs: number
}

/** A run that cannot be made at all, like one without any site, does not fail as the whole one did. */
const failsAs = async (search: Search, small: SmallRun): Promise<boolean> => {
  if (search.runs >= mostRuns) return false
  search.runs++
  try {
    const { violations } = await runSmall(small, search.request)
    return invariantsIn(violations).has(search.invariant)
  } catch (error) {
    search.say(`could not be run: ${errorText(error)}`)
    return false
  }
}

const withoutSites = async (search: Search, small: SmallRun): Promise<SmallRun> => {
  const all = edgeSites(search.request.scenario.topology).filter((name) => !small.without.includes(name))
  const needed = await reduce(all, (some) =>
    some.length === 0
      ? Promise.resolve(false)
      : failsAs(search, { ...small, without: [...small.without, ...all.filter((name) => !some.includes(name))] }),
  )
  return { ...small, without: [...small.without, ...all.filter((name) => !needed.includes(name))] }
}

const shorter = async (search: Search, small: SmallRun): Promise<SmallRun> => {
  let best = small
  for (const share of [0.5, 0.8]) {
    for (let harmMs = best.harmMs * share; harmMs >= shortestMs; harmMs *= share) {
      const tried = { ...best, harmMs: Math.ceil(harmMs / 1000) * 1000 }
      if (tried.harmMs === best.harmMs || !(await failsAs(search, tried))) break
      best = tried
    }
  }
  return best
}

/** Numbers of all faults and moves of a run as a plan is asked for them. */
const runWhole = async (request: RunRequest) => {
  const { scenario, seed, signatures, doctor } = request
  const asked = { fault: new Set<number>(), move: new Set<number>() }
  const result = await runScenario(scenario, {
    seed,
    ...(signatures && { signatures }),
    ...(doctor && { doctor: doctor() }),
    plan: {
      keeps: (kind, index) => {
        asked[kind].add(index)
        return true
      },
      isFinished: true,
    },
  })
  return { result, faults: [...asked.fault], moves: [...asked.move] }
}

const isTold = (line: string): boolean => /^ *\S+ {2}(fault (?!.* ends$)|operator \S|all is )/.test(line)

/**
 * Makes a failing run smaller: fewer sites, faults and moves, and a shorter time, as long as the same invariant breaks.
 * @param say how far it is, to a person
 * @returns undefined where no invariant is broken
 */
export const shrink = async (request: RunRequest, say: (line: string) => void): Promise<Shrunk | undefined> => {
  const { result, faults, moves } = await runWhole(request)
  const [invariant] = invariantsIn(result.violations)
  if (invariant === undefined) return undefined
  const search: Search = { request, invariant, say, runs: 1 }
  const { harmMs } = request.scenario
  say(`${result.nodes} nodes, ${faults.length} faults, ${moves.length} moves: breaks invariant ${invariant}`)

  let small: SmallRun = { faults, moves, harmMs, isFinished: true, without: [] }
  const unfinished = { ...small, isFinished: false }
  if (await failsAs(search, unfinished)) small = unfinished
  for (let before = ''; before !== JSON.stringify(small); ) {
    before = JSON.stringify(small)
    small = await withoutSites(search, small)
    say(`${small.without.length} sites left out`)
    small = { ...small, faults: await reduce(small.faults, (some) => failsAs(search, { ...small, faults: some })) }
    say(`${small.faults.length} faults left`)
    small = { ...small, moves: await reduce(small.moves, (some) => failsAs(search, { ...small, moves: some })) }
    say(`${small.moves.length} moves left`)
    small = await shorter(search, small)
    say(`${small.harmMs / 1000} s of harm left`)
  }

  const story: string[] = []
  const last = await runSmall(small, {
    ...request,
    trace: (line) => {
      if (isTold(line)) story.push(line.trim())
    },
  })
  const whole = { faults: faults.length, moves: moves.length, nodes: result.nodes, harmMs }
  return { invariant, small, whole, result: last, runs: search.runs, story }
}
