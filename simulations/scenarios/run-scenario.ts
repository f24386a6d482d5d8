import { errorText, type Random } from '../../base/index.ts'
import { bringUp, createWorld, type World } from '../world/index.ts'
import { createCanaries } from './canaries.ts'
import type { Checker, Scene } from './checker.ts'
import { explainLack } from './explain-lack.ts'
import { type Fault, faults, type Harm } from './faults.ts'
import { createLedger } from './ledger.ts'
import type { RunOptions, RunResult, Scenario } from './scenario.ts'
import { imageName } from './specifications.ts'
import { createWorkload } from './workload.ts'

/** Every node is up and linked within this time, or something is wrong with it. */
const bringUpMs = 60_000
/** What goes wrong goes wrong so long after that at the earliest: first somebody deploys something. */
const calmMs = 10_000
/** How often is looked whether everything is as wanted. */
const lookEveryMs = 1_000

const within = (random: Random, [leastMs, mostMs]: readonly [number, number]): number =>
  leastMs + Math.floor(random.unit() * (mostMs - leastMs))

/** Draws faults one after the other: each of the scenario's once, in an order of its own, then any. */
const planFaults = (world: World, scenario: Scenario, random: Random) => {
  const fired = new Map<string, number>(scenario.faults.map((name) => [name, 0]))
  const underWay = new Set<Harm>()
  const begin = (fault: Fault): boolean => {
    const harm = fault.begin(world, random)
    if (!harm) return false
    fired.set(fault.name, (fired.get(fault.name) ?? 0) + 1)
    world.note(`fault ${fault.name}: ${harm.text}`)
    underWay.add(harm)
    world.at(world.nowMs() + within(random, fault.lastsMs), `fault ${fault.name} ends`, () => heal(harm))
    return true
  }
  const heal = (harm: Harm) => {
    if (underWay.delete(harm)) harm.end()
  }
  let due = scenario.faults
    .map((name) => ({ name, order: random.unit() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ name }) => name)
  const next = () => {
    const name = due[0] ?? scenario.faults[Math.floor(random.unit() * scenario.faults.length)]
    if (name === undefined) return
    if (begin(faults[name])) due = due.filter((one) => one !== name)
    else due = [...due.slice(1), name]
  }
  return {
    next,
    healAll: () => {
      for (const harm of [...underWay]) heal(harm)
    },
    fired,
  }
}

/** Calls `act` again and again, with pauses drawn from `everyMs`, until `untilMs`. */
const repeat = (
  world: World,
  random: Random,
  plan: {
    readonly label: string
    readonly fromMs: number
    readonly untilMs: number
    readonly everyMs: readonly [number, number]
  },
  act: () => void,
) => {
  const again = (atMs: number) => {
    if (atMs > plan.untilMs) return
    world.at(atMs, plan.label, () => {
      act()
      again(world.nowMs() + within(random, plan.everyMs))
    })
  }
  again(plan.fromMs)
}

const violationsOf = (checkers: readonly Checker[]): readonly string[] =>
  checkers.flatMap(({ invariant, violations }) => violations().map((text) => `invariant ${invariant}: ${text}`))

const lackingOf = async (world: World, checkers: readonly Checker[]): Promise<readonly string[]> => {
  const all: string[] = []
  for (const { invariant, lacking } of checkers)
    for (const text of lacking ? await world.settled(lacking()) : []) all.push(`invariant ${invariant}: ${text}`)
  return all
}

/** Runs a scenario from one seed to its end, or to the first thing that is wrong. */
export const runScenario = async (scenario: Scenario, options: RunOptions): Promise<RunResult> => {
  const { seed, trace, doctor } = options
  const canaries = createCanaries()
  scenario.mark(canaries)
  const world = await createWorld({
    seed,
    topology: scenario.topology,
    images: [{ name: imageName, bytes: Buffer.from(`${imageName} `.repeat(400)) }],
    ...(trace && { trace }),
    ...(doctor && { doctor }),
  })
  const scene: Scene = { world, ledger: createLedger(), canaries }
  const found: string[] = []
  const checkers = scenario.checkers.map((make) => make(scene))
  for (const { observer } of checkers) world.observe(observer)
  const isBroken = () => checkers.some(({ violations }) => violations().length > 0)

  const random = world.random.fork('scenario')
  let isUp = false
  bringUp(world).then(
    () => {
      isUp = true
    },
    (error: unknown) => found.push(`not brought up: ${errorText(error)}`),
  )
  await world.runUntil(bringUpMs, () => isUp || found.length > 0 || isBroken())
  if (!isUp && found.length === 0)
    found.push(`not brought up within ${bringUpMs / 1000} s: ${await explainLack(world, [])}`)
  const startMs = world.nowMs()
  const endMs = startMs + scenario.harmMs
  const workload = createWorkload(scene)
  const moves = random.fork('moves')
  repeat(
    world,
    moves,
    {
      label: 'operator',
      fromMs: startMs + within(moves, scenario.moveEveryMs),
      untilMs: endMs,
      everyMs: scenario.moveEveryMs,
    },
    () => workload.move(moves),
  )
  const chance = random.fork('faults')
  const plan = planFaults(world, scenario, chance)
  repeat(
    world,
    chance,
    { label: 'misfortune', fromMs: startMs + calmMs, untilMs: endMs, everyMs: scenario.faultEveryMs },
    plan.next,
  )
  if (isUp) await world.runUntil(endMs, isBroken)

  let convergedMs: number | undefined
  if (isUp && !isBroken()) {
    plan.healAll()
    world.note('all is healed')
    let isSettled = false
    void workload.settle().then(() => {
      isSettled = true
    })
    const lackingNow = async () =>
      isSettled ? lackingOf(world, checkers) : ['somebody is blocked, and cannot be let in again']
    let lacking = await lackingNow()
    while (lacking.length > 0 && !isBroken() && world.nowMs() < endMs + scenario.convergeMs) {
      await world.runUntil(world.nowMs() + lookEveryMs, isBroken)
      lacking = await lackingNow()
    }
    if (lacking.length > 0)
      found.push(
        `not as wanted ${scenario.convergeMs / 1000} s after all was healed:\n    ${await explainLack(world, lacking)}`,
      )
    else convergedMs = world.nowMs() - endMs
  }
  if (convergedMs !== undefined && !isBroken()) {
    world.note('all is as wanted')
    await world.runUntil(world.nowMs() + scenario.settleMs, isBroken)
    for (const { expectQuiet } of checkers) expectQuiet?.()
    world.note('nothing may change now')
    await world.runUntil(world.nowMs() + scenario.quietMs, isBroken)
    const lacking = await lackingOf(world, checkers)
    if (lacking.length > 0) found.push(`no longer as wanted:\n    ${await explainLack(world, lacking)}`)
    for (const [name, count] of plan.fired) if (count === 0) found.push(`the fault ${name} never happened`)
    for (const { invariant, seen } of checkers)
      if (seen() === 0) found.push(`the checker of invariant ${invariant} never saw its subject`)
  }

  return {
    scenario: scenario.name,
    seed,
    events: world.events(),
    tookMs: world.nowMs(),
    violations: [...violationsOf(checkers), ...found],
    fired: Object.fromEntries(plan.fired),
    seen: Object.fromEntries(checkers.map(({ invariant, seen }) => [String(invariant), seen()])),
    moves: Object.fromEntries([...workload.done()].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    convergedMs,
    digest: world.digest(),
  }
}
