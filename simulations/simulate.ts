import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { errorText, nearestName } from '../base/index.ts'
import { nodesOf } from '../topologies/index.ts'
import { proofCommand, proofUsage } from './prove/index.ts'
import {
  digestOfRun,
  planSeed,
  type RunOptions,
  type RunResult,
  runScenario,
  type Scenario,
  scenarios,
  sumDigests,
  waitingInvariants,
  waitingMoves,
} from './scenarios/index.ts'
import { runInProcesses, type TimedRun } from './seed-processes.ts'

const usage = `Usage: npm run simulate -- [options]
  --seeds A-B      runs these seeds; each runs the scenario it falls to [default: 1-20]
  --seed N         runs one seed
  --scenario NAME  runs this scenario whatever the seed
  --budget TIME    begins no further seed after so long, like 90s, 10m or 2h
  --ed25519        signs by Ed25519 whatever the seed, as every twentieth round over the scenarios does anyhow
  --twice          runs every seed twice and compares, not only the first and every twentieth round
  --trace          prints what happens, frames left out, on standard error; with --seed
  --trace-all      the same with every event and every frame
  --jobs N         processes at work at once [default: one for each processor]
  --json           one JSON object as the last line of standard output
  --sum FILE       adds up what several runs ended with, one JSON object to a line
  --list           the scenarios there are, and what is waiting
${proofUsage}`
const say = (line: string) => process.stderr.write(`${line}\n`)

const wholeNumber = (flag: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${flag} ${text}: give a whole number`)
  return Number(text)
}

const seedsOf = (one: string | undefined, range: string): readonly number[] => {
  if (one !== undefined) return [wholeNumber('seed', one)]
  const [from = '', to = from] = range.split('-')
  const [first, last] = [wholeNumber('seeds', from), wholeNumber('seeds', to)]
  if (last < first) throw new Error(`--seeds ${range}: give the smaller one first, like 1-200`)
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }
const budgetMs = (text: string | undefined): number => {
  if (text === undefined) return Number.POSITIVE_INFINITY
  const [, count, unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? []
  if (count === undefined) throw new Error(`--budget ${text}: give a time like 90s, 10m or 2h`)
  return Number(count) * (unitMs[unit] ?? 0)
}

const choose = (name: string | undefined): Scenario | undefined => {
  if (name === undefined) return undefined
  const found = scenarios.find((scenario) => scenario.name === name)
  if (found) return found
  const names = scenarios.map((scenario) => scenario.name)
  const near = nearestName(name, names)
  throw new Error(
    `there is no scenario ${name}${near ? `; did you mean ${near}?` : '.'} Scenarios: ${names.join(', ')}`,
  )
}

const listed = ({ name, faults, workload, invariants, topology }: Scenario) => ({
  name,
  faults,
  workload,
  invariants,
  nodes: nodesOf(topology).length,
})

const printList = (asJson: boolean) => {
  const waiting = [
    ...waitingInvariants.map(({ invariant, part, why }) => ({ what: `invariant ${invariant}`, part, why })),
    ...Object.entries(waitingMoves).map(([name, why]) => ({ what: 'move', part: name, why })),
  ]
  if (asJson) return process.stdout.write(`${JSON.stringify({ scenarios: scenarios.map(listed), waiting })}\n`)
  for (const scenario of scenarios) process.stdout.write(`${scenario.name.padEnd(24)}${scenario.summary}\n`)
  for (const { what, part, why } of waiting) process.stdout.write(`waiting: ${what}, ${part}: ${why}\n`)
}

/** A promise that nobody waits for and that fails ends a real node's process: here it is a violation. */
const strays: unknown[] = []
process.on('unhandledRejection', (reason) => strays.push(reason))

const isPlain = (line: string) => !/^ *\S+ {2}(frame|timer|dial|silence|farewell|repeat|line) /.test(line)

interface Asked {
  readonly chosen: Scenario | undefined
  readonly ed25519: boolean
  readonly twice: boolean
  readonly trace: ((line: string) => void) | undefined
}

/** @param isFirst the first of a process, run twice whatever it is */
const runSeed = async (seed: number, { chosen, ed25519, twice, trace }: Asked, isFirst: boolean): Promise<TimedRun> => {
  const plan = planSeed(seed, scenarios, chosen)
  const options: RunOptions = { seed, signatures: ed25519 ? 'ed25519' : plan.signatures }
  const isTwice = trace === undefined && (twice || isFirst || plan.isTwice)
  const before = process.cpuUsage()
  const result = await runScenario(plan.scenario, { ...options, ...(trace && { trace }) })
  const again = isTwice ? await runScenario(plan.scenario, options) : result
  const violations = [
    ...result.violations,
    ...(again.digest === result.digest
      ? []
      : [`the same seed gave another trace: ${result.digest}, then ${again.digest}`]),
    ...strays.splice(0).map((reason) => `a promise failed and nobody waited for it: ${errorText(reason)}`),
  ]
  const { user, system } = process.cpuUsage(before)
  return { result: { ...result, violations }, cpuMs: (user + system) / 1_000, times: isTwice ? 2 : 1 }
}

const counts = (of: Readonly<Record<string, number>>) =>
  Object.entries(of)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

const describeRun = (result: RunResult, flags: readonly string[]): string => {
  const { scenario, seed, events, tookMs, convergedMs, violations } = result
  const end = convergedMs === undefined ? 'never as wanted' : `as wanted after ${convergedMs / 1000} s`
  const head = `seed ${seed} ${scenario}: ${events} events in ${(tookMs / 60_000).toFixed(1)} simulated minutes, ${end}`
  if (violations.length === 0) return head
  return [
    head,
    ...violations.map((text) => `  BROKEN ${text}`),
    `  repeat with: npm run simulate -- --scenario ${scenario} --seed ${seed} ${[...flags, '--trace'].join(' ')}`,
  ].join('\n')
}

interface Summary {
  readonly seeds: number
  readonly events: number
  readonly simHours: number
  readonly violations: number
  readonly digest: string
}

const hours = (ms: number) => Number((ms / 3_600_000).toFixed(2))

const summarise = (results: readonly RunResult[]): Summary => {
  const sum = (of: (result: RunResult) => number) => results.reduce((total, result) => total + of(result), 0)
  return {
    seeds: results.length,
    events: sum(({ events }) => events),
    simHours: hours(sum(({ tookMs }) => tookMs)),
    violations: sum(({ violations }) => violations.length),
    digest: sumDigests(results.map(digestOfRun)),
  }
}

/** Adds up what several runs over ranges that do not overlap ended with. */
const sumFile = (path: string): Summary => {
  const all = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Summary)
  const sum = (of: (one: Summary) => number) => all.reduce((total, one) => total + of(one), 0)
  return {
    seeds: sum(({ seeds }) => seeds),
    events: sum(({ events }) => events),
    simHours: Number(sum(({ simHours }) => simHours).toFixed(2)),
    violations: sum(({ violations }) => violations),
    digest: sumDigests(all.map(({ digest }) => digest)),
  }
}

/** How much one processor got done. */
const describeRates = (runs: readonly TimedRun[]): string => {
  const spentMs = runs.reduce((sum, { cpuMs }) => sum + cpuMs, 0)
  const total = (of: (result: RunResult) => number) =>
    runs.reduce((sum, { result, times }) => sum + times * of(result), 0)
  const perSecond = (1_000 * total(({ events }) => events)) / spentMs
  const nodeHours = total(({ nodes, tookMs }) => nodes * tookMs) / 3_600 / spentMs
  return `${Math.round(perSecond)} events and ${nodeHours.toFixed(2)} simulated node-hours a second of one processor`
}

/** One of several processes: runs the seeds it reads, and answers each by a line of JSON. */
const serve = async (asked: Asked): Promise<void> => {
  let isFirst = true
  for await (const line of createInterface({ input: process.stdin })) {
    const run = await runSeed(wholeNumber('serve', line), asked, isFirst)
    isFirst = false
    process.stdout.write(`${JSON.stringify(run)}\n`)
  }
}

const print = (summary: Summary, asJson: boolean) =>
  process.stdout.write(
    asJson
      ? `${JSON.stringify(summary)}\n`
      : `${summary.seeds} seeds, ${summary.events} events, ${summary.simHours} simulated hours, ${summary.violations} violations, digest ${summary.digest}\n`,
  )

const main = async (): Promise<number> => {
  const proof = proofCommand(process.argv.slice(2), say)
  if (proof) return proof()
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string' },
      seeds: { type: 'string', default: '1-20' },
      seed: { type: 'string' },
      budget: { type: 'string' },
      ed25519: { type: 'boolean', default: false },
      twice: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      'trace-all': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      sum: { type: 'string' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      serve: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  if (values.list) {
    printList(values.json)
    return 0
  }
  if (values.sum !== undefined) {
    print(sumFile(values.sum), values.json)
    return 0
  }
  const chosen = choose(values.scenario)
  const isPlainTrace = values.trace && !values['trace-all']
  const asked: Asked = {
    chosen,
    ed25519: values.ed25519,
    twice: values.twice,
    trace: isPlainTrace
      ? (line: string) => (isPlain(line) ? say(line) : undefined)
      : values['trace-all']
        ? say
        : undefined,
  }
  if (values.serve) {
    await serve(asked)
    return 0
  }
  const seeds = seedsOf(values.seed, values.seeds)
  const jobs = Math.max(1, wholeNumber('jobs', values.jobs))
  const startedMs = performance.now()
  const endMs = startedMs + budgetMs(values.budget)
  const flags = values.ed25519 ? ['--ed25519'] : []
  const one = seeds.length === 1 ? seeds[0] : undefined
  const runs =
    one === undefined
      ? await runInProcesses(
          import.meta.filename,
          [...(chosen ? ['--scenario', chosen.name] : []), ...flags, ...(values.twice ? ['--twice'] : [])],
          { seeds, jobs, isOver: () => performance.now() > endMs },
          ({ result }) => say(describeRun(result, flags)),
        )
      : [await runSeed(one, asked, true)]
  const results = runs.map(({ result }) => result)
  for (const result of one === undefined ? [] : results)
    say(`${describeRun(result, flags)}\n  faults: ${counts(result.fired)}\n  moves: ${counts(result.moves)}`)
  if (runs.length < seeds.length) say(`the budget is used up: seeds ${seeds[0]}-${results.at(-1)?.seed} were run`)
  say(`${Math.round((performance.now() - startedMs) / 1000)} s; ${describeRates(runs)}`)
  const summary = summarise(results)
  print(summary, values.json)
  return summary.violations === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  say(errorText(error))
  process.exitCode = 2
}
