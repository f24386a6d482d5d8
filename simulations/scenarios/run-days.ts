import { createCanaries } from './canaries.ts'
import type { Scene } from './checker.ts'
import { createLedger } from './ledger.ts'
import { bringRunUp, converge, harm, openWorld, type Run, violationsOf, watchRest } from './run-scenario.ts'
import type { RunOptions, Scenario } from './scenario.ts'
import { createWorkload } from './workload.ts'

/** What lies on one disk, in bytes. */
export interface DiskLoad {
  readonly machine: string
  readonly statesBytes: number
  readonly storeBytes: number
  readonly blobsBytes: number
}

/** How a world stands when a day is over: everything is as wanted and nothing moves. */
export interface DayEnd {
  /** The first is 1. */
  readonly day: number
  /** How long it took after all was healed, in milliseconds. */
  readonly convergedMs: number
  /** Of that day. */
  readonly events: number
  readonly moves: number
  readonly faults: number
  /** Lanes that were sealed on that day. */
  readonly seals: number
  readonly disks: readonly DiskLoad[]
}

export interface DaysOptions extends RunOptions {
  readonly days: number
  readonly dayMs: number
  /** Each fault lasts so many times as long as it says. */
  readonly stretch: number
  /** Called when a day is over, before the next begins. */
  readonly onDay: (end: DayEnd) => Promise<void>
  /** Asked between days; true ends the run. */
  readonly isOver: () => boolean
}

export interface DaysResult {
  readonly nodes: number
  /** Days that were begun. */
  readonly days: number
  /** Days on which everything became as wanted, and stayed so to the end of the day. */
  readonly converged: number
  /** How often checkers had something to judge. */
  readonly seen: number
  readonly violations: readonly string[]
  readonly fired: ReadonlyMap<string, number>
  readonly moves: ReadonlyMap<string, number>
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((all, one) => all + one, 0)

/**
 * One world for many days. Each has its harm, then everything is healed and becomes as wanted, and to the end of the day
 * nothing may change. Ends with the first day on which something is broken.
 */
export const runDays = async (scenario: Scenario, options: DaysOptions): Promise<DaysResult> => {
  const canaries = createCanaries()
  scenario.mark(canaries)
  const world = await openWorld(scenario, options)
  const scene: Scene = { world, ledger: createLedger(), canaries }
  const checkers = scenario.checkers.map((make) => make(scene))
  for (const { observer } of checkers) world.observe(observer)
  let seals = 0
  world.observe({
    log: (_machine, { message }) => {
      if (message === 'a lane was sealed') seals++
    },
  })
  const isBroken = () => checkers.some(({ violations }) => violations().length > 0)
  const workload = createWorkload(scene, scenario)
  const fired = new Map<string, number>()
  const found: string[] = []

  /** @returns how long it took to be as wanted, once the day is over; undefined when something is wrong */
  const runDay = async (day: number): Promise<number | undefined> => {
    const endMs = day * options.dayMs
    const run: Run = { asked: { keeps: () => true, isFinished: true }, scenario, scene, checkers, found, isBroken }
    for (const { expectChange } of checkers) expectChange?.()
    const plan = await harm(run, workload, world.random.fork(`day ${day}`), options.stretch)
    for (const [name, count] of plan.fired) fired.set(name, (fired.get(name) ?? 0) + count)
    if (isBroken()) return undefined
    plan.healAll()
    const convergedMs = await converge(run, workload)
    if (convergedMs === undefined || isBroken()) return undefined
    const quietMs = Math.max(0, endMs - world.nowMs() - scenario.settleMs)
    await watchRest({ ...run, scenario: { ...scenario, quietMs } }, workload)
    return found.length > 0 || isBroken() ? undefined : convergedMs
  }

  let [days, converged] = [0, 0]
  const isUp = await bringRunUp({
    asked: { keeps: () => true, isFinished: true },
    scenario,
    scene,
    checkers,
    found,
    isBroken,
  })
  while (isUp && days < options.days && !options.isOver()) {
    days++
    const before = { events: world.events(), moves: sum(workload.done()), faults: sum(fired), seals }
    const convergedMs = await runDay(days)
    if (convergedMs === undefined) break
    converged++
    await options.onDay({
      day: days,
      convergedMs,
      events: world.events() - before.events,
      moves: sum(workload.done()) - before.moves,
      faults: sum(fired) - before.faults,
      seals: seals - before.seals,
      disks: world.machines.map(({ place, disk }) => ({ machine: place.name, ...disk.sizes() })),
    })
  }
  return {
    nodes: world.machines.length,
    days,
    converged,
    seen: checkers.reduce((all, { seen }) => all + seen(), 0),
    violations: [...violationsOf(checkers), ...found],
    fired,
    moves: workload.done(),
  }
}
