import { errorText, type Random } from '../../base/index.ts'
import { createKeyedSignatures, createNodeSignatures } from '../../crdt/index.ts'
import { bringUp, createWorld, type World } from '../world/index.ts'
import { createCanaries } from './canaries.ts'
import type { Checker, Scene } from './checker.ts'
import { explainLack } from './explain-lack.ts'
import { createLedger } from './ledger.ts'
import { type Misfortune, planFaults } from './plan-faults.ts'
import { repeat, within } from './repeat.ts'
import type { RunOptions, RunPlan, RunResult, Scenario } from './scenario.ts'
import { imageName } from './specifications.ts'
import { createWorkload, type Workload } from './workload.ts'

/** Every node is up and linked within this time, or something is wrong with it. */
const bringUpMs = 60_000
/** What goes wrong goes wrong so long after that at the earliest: first somebody deploys something. */
const calmMs = 10_000
/** How often is looked whether everything is as wanted. */
const lookEveryMs = 1_000
/** For so long everything must stay as wanted before it counts: what a node was told of by then is there to be read. */
const steadyMs = 15_000
/** How long operators take at most for what they have left to do once all is healed. */
const tidyMs = 300_000

export const violationsOf = (checkers: readonly Checker[]): readonly string[] =>
  checkers.flatMap(({ invariant, violations }) => violations().map((text) => `invariant ${invariant}: ${text}`))

export const openWorld = (scenario: Scenario, { seed, signatures, trace, doctor }: RunOptions): Promise<World> =>
  createWorld({
    seed,
    topology: scenario.topology,
    images: [{ name: imageName, bytes: Buffer.from(`${imageName} `.repeat(400)) }],
    signatures: signatures === 'ed25519' ? createNodeSignatures() : createKeyedSignatures(),
    ...(trace && { trace }),
    doctor: (machine, powers) => {
      const own = { ...powers, ...(scenario.sealLimits && { sealLimits: scenario.sealLimits }) }
      return doctor?.(machine, own) ?? own
    },
  })

const wholePlan: RunPlan = { keeps: () => true, isFinished: true }

/** One run on its way. */
export interface Run {
  readonly asked: RunPlan
  readonly scenario: Scenario
  readonly scene: Scene
  readonly checkers: readonly Checker[]
  /** What is wrong beside what checkers say, in words. */
  readonly found: string[]
  readonly isBroken: () => boolean
}

export const bringRunUp = async ({ scenario, scene: { world }, found, isBroken }: Run): Promise<boolean> => {
  let isUp = false
  bringUp(world, scenario.spares).then(
    () => {
      isUp = true
    },
    (error: unknown) => found.push(`not brought up: ${errorText(error)}`),
  )
  await world.runUntil(bringUpMs, () => isUp || found.length > 0 || isBroken())
  if (!isUp && found.length === 0)
    found.push(`not brought up within ${bringUpMs / 1000} s: ${await explainLack(world, [])}`)
  return isUp && !isBroken()
}

/**
 * Operators and faults at work, for the time of the scenario; then faults alone, until each was begun and checkers that need
 * them saw what they judge, at most as long again.
 * @param random all that is drawn comes from there
 * @param stretch each fault lasts so many times as long as it says
 */
export const harm = async (
  { asked, scenario, scene: { world }, checkers, isBroken }: Run,
  workload: Workload,
  random: Random,
  stretch = 1,
): Promise<Misfortune> => {
  const [moves, chance] = [random.fork('moves'), random.fork('faults')]
  const startMs = world.nowMs()
  const endMs = startMs + scenario.harmMs
  const plan = planFaults(world, scenario.faults, chance, stretch)
  let isOver = false
  let isAtRest = false
  const isSeen = () => checkers.every(({ needsHarm, seen }) => !needsHarm || seen() > 0)
  repeat(
    world,
    moves,
    {
      label: 'operator',
      fromMs: startMs + within(moves, scenario.moveEveryMs),
      everyMs: scenario.moveEveryMs,
      isOver: () => isOver || isAtRest,
    },
    (index) => {
      if (asked.keeps('move', index)) workload.move(moves.fork(`move ${index}`))
    },
  )
  repeat(
    world,
    chance,
    { label: 'misfortune', fromMs: startMs + calmMs, everyMs: scenario.faultEveryMs, isOver: () => isOver },
    (index) => (asked.keeps('fault', index) ? plan.next(chance.fork(`fault ${index}`)) : plan.skip()),
  )
  await world.runUntil(endMs, isBroken)
  await world.runUntil(endMs + scenario.harmMs, () => plan.isWhole() || isBroken())
  // What operators change is started again before a probe gives it up.
  isAtRest = true
  await world.runUntil(endMs + scenario.harmMs, () => isSeen() || isBroken())
  isOver = true
  return plan
}

/** What is not as it must become: what operators have left to do, then what checkers miss. */
const lackingOf = async ({ scene: { world }, checkers }: Run, workload: Workload): Promise<readonly string[]> => {
  const all = [...(await world.settled(workload.lacking()))]
  for (const { invariant, lacking } of all.length > 0 ? [] : checkers)
    for (const text of lacking ? await world.settled(lacking()) : []) all.push(`invariant ${invariant}: ${text}`)
  return all
}

/** Operators finish; then all must become as wanted, and still be so some seconds later. @returns how long that took in milliseconds */
export const converge = async (run: Run, workload: Workload): Promise<number | undefined> => {
  const { scenario, found, isBroken } = run
  const { world } = run.scene
  world.note('all is healed')
  let isTidy = false
  workload.settle(world.random.fork('tidying'), run.asked.isFinished).then(
    () => {
      isTidy = true
    },
    (error: unknown) => found.push(`operators could not finish: ${errorText(error)}`),
  )
  await world.runUntil(world.nowMs() + tidyMs, () => isTidy || found.length > 0 || isBroken())
  if (!isTidy) {
    const left = [...workload.done()].filter(([, count]) => count === 0).map(([name]) => name)
    if (!isBroken())
      found.push(
        `operators could not finish within ${tidyMs / 1000} s${left.length > 0 ? `; never acknowledged: ${left.join(', ')}` : ''}:\n    ${await explainLack(world, [])}`,
      )
    return undefined
  }
  const tidyAtMs = world.nowMs()
  let lacking = await lackingOf(run, workload)
  while (!isBroken()) {
    while (lacking.length > 0 && !isBroken() && world.nowMs() < tidyAtMs + scenario.convergeMs) {
      await world.runUntil(world.nowMs() + lookEveryMs, isBroken)
      lacking = await lackingOf(run, workload)
    }
    if (lacking.length > 0) break
    // A zone may have been told of something that it cannot read yet: who asks too soon hears of no conflict.
    const wantedMs = world.nowMs()
    await world.runUntil(wantedMs + steadyMs, isBroken)
    lacking = await lackingOf(run, workload)
    if (lacking.length === 0) return wantedMs - tidyAtMs
  }
  if (!isBroken())
    found.push(
      `not as wanted ${scenario.convergeMs / 1000} s after all was healed:\n    ${await explainLack(world, lacking)}`,
    )
  return undefined
}

/** From some time on nothing may change any more. */
export const watchRest = async (run: Run, workload: Workload): Promise<void> => {
  const { scenario, checkers, found, isBroken } = run
  const { world } = run.scene
  world.note('all is as wanted')
  await world.runUntil(world.nowMs() + scenario.settleMs, isBroken)
  for (const { expectQuiet } of checkers) expectQuiet?.()
  world.note('nothing may change now')
  await world.runUntil(world.nowMs() + scenario.quietMs, isBroken)
  const lacking = await lackingOf(run, workload)
  if (lacking.length > 0) found.push(`no longer as wanted:\n    ${await explainLack(world, lacking)}`)
}

/** A run in which something it names never happened proves nothing. */
const whatNeverHappened = (checkers: readonly Checker[], plan: Misfortune, workload: Workload): readonly string[] => {
  const never = (counts: ReadonlyMap<string, number>) =>
    [...counts].filter(([, count]) => count === 0).map(([name]) => name)
  return [
    ...never(plan.fired).map((name) => `the fault ${name} never happened`),
    ...never(workload.done()).map((name) => `the move ${name} was never acknowledged`),
    ...checkers
      .filter(({ seen }) => seen() === 0)
      .map(({ invariant }) => `the checker of invariant ${invariant} never saw its subject`),
  ]
}

const sorted = (counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))

/** Runs a scenario from one seed to its end, or to the first thing that is wrong. */
export const runScenario = async (scenario: Scenario, options: RunOptions): Promise<RunResult> => {
  const canaries = createCanaries()
  scenario.mark(canaries)
  const world = await openWorld(scenario, options)
  const scene: Scene = { world, ledger: createLedger(), canaries }
  const checkers = scenario.checkers.map((make) => make(scene))
  for (const { observer } of checkers) world.observe(observer)
  const isBroken = () => checkers.some(({ violations }) => violations().length > 0)
  const run: Run = { asked: options.plan ?? wholePlan, scenario, scene, checkers, found: [], isBroken }

  const workload = createWorkload(scene, scenario)
  let plan: Misfortune | undefined
  let convergedMs: number | undefined
  if (await bringRunUp(run)) {
    plan = await harm(run, workload, world.random.fork('scenario'))
    if (!isBroken()) {
      plan.healAll()
      convergedMs = await converge(run, workload)
    }
    if (convergedMs !== undefined && !isBroken()) {
      await watchRest(run, workload)
      run.found.push(...whatNeverHappened(checkers, plan, workload))
    }
  }
  return {
    scenario: scenario.name,
    seed: options.seed,
    nodes: world.machines.length,
    events: world.events(),
    tookMs: world.nowMs(),
    violations: [...violationsOf(checkers), ...run.found],
    fired: Object.fromEntries(plan?.fired ?? []),
    seen: Object.fromEntries(checkers.map(({ invariant, seen }) => [String(invariant), seen()])),
    moves: sorted(workload.done()),
    convergedMs,
    digest: world.digest(),
  }
}
