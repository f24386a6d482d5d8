import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { errorText, nearestName } from '../base/index.ts'
import { nodesOf } from '../topologies/index.ts'
import { type RunResult, runScenario, type Scenario, scenarios } from './scenarios/index.ts'
import { runInProcesses } from './seed-processes.ts'

const usage = `Usage: npm run simulate -- [options]
  --scenario NAME  [default: twenty-nodes]
  --seeds A-B      runs these seeds one after the other [default: 1-20]
  --seed N         runs one seed
  --twice          runs each seed twice and compares the hashes of their traces
  --trace          prints what happens, frames left out, on standard error; with --seed
  --trace-all      the same with every event and every frame
  --jobs N         processes at work at once [default: one for each processor]
  --json           one JSON object as the last line of standard output
  --list           the scenarios there are
`
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

const choose = (name: string): Scenario => {
  const found = scenarios.find((scenario) => scenario.name === name)
  if (found) return found
  const names = scenarios.map((scenario) => scenario.name)
  const near = nearestName(name, names)
  throw new Error(
    `there is no scenario ${name}${near ? `; did you mean ${near}?` : ''}. Scenarios: ${names.join(', ')}`,
  )
}

const listed = (scenario: Scenario) => ({
  name: scenario.name,
  faults: scenario.faults,
  workload: scenario.workload,
  invariants: scenario.invariants,
  nodes: nodesOf(scenario.topology).length,
})

const printList = (asJson: boolean) => {
  if (asJson) return process.stdout.write(`${JSON.stringify(scenarios.map(listed))}\n`)
  for (const scenario of scenarios) process.stdout.write(`${scenario.name}   ${scenario.summary}\n`)
}

/** A promise that nobody waits for and that fails ends a real node's process: here it is a violation. */
const strays: unknown[] = []
process.on('unhandledRejection', (reason) => strays.push(reason))

const isPlain = (line: string) => !/^ *\S+ {2}(frame|timer|dial|silence|farewell|repeat) /.test(line)

interface Asked {
  readonly scenario: Scenario
  readonly twice: boolean
  readonly trace: ((line: string) => void) | undefined
}

const runSeed = async (seed: number, { scenario, twice, trace }: Asked): Promise<RunResult> => {
  const result = await runScenario(scenario, { seed, ...(trace && { trace }) })
  const again = twice ? await runScenario(scenario, { seed }) : result
  const violations = [
    ...result.violations,
    ...(again.digest === result.digest
      ? []
      : [`the same seed gave another trace: ${result.digest}, then ${again.digest}`]),
    ...strays.splice(0).map((reason) => `a promise failed and nobody waited for it: ${errorText(reason)}`),
  ]
  return { ...result, violations }
}

const counts = (of: Readonly<Record<string, number>>) =>
  Object.entries(of)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

const describeRun = (result: RunResult): string => {
  const { seed, events, tookMs, convergedMs, violations } = result
  const end = convergedMs === undefined ? 'never as wanted' : `as wanted after ${convergedMs / 1000} s`
  const head = `seed ${seed}: ${events} events in ${(tookMs / 60_000).toFixed(1)} simulated minutes, ${end}`
  if (violations.length === 0) return head
  const { scenario } = result
  return [
    head,
    ...violations.map((text) => `  BROKEN ${text}`),
    `  repeat with: npm run simulate -- --scenario ${scenario} --seed ${seed} --trace`,
  ].join('\n')
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', default: 'twenty-nodes' },
      seeds: { type: 'string', default: '1-20' },
      seed: { type: 'string' },
      twice: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      'trace-all': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(availableParallelism()) },
      // Of one of several processes: the seeds it runs, each answered by a line of JSON.
      part: { type: 'string' },
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
  const scenario = choose(values.scenario)
  const isPlainTrace = values.trace && !values['trace-all']
  const asked = {
    scenario,
    twice: values.twice,
    trace: isPlainTrace
      ? (line: string) => (isPlain(line) ? say(line) : undefined)
      : values['trace-all']
        ? say
        : undefined,
  }
  if (values.part !== undefined) {
    for (const seed of values.part.split(','))
      process.stdout.write(`${JSON.stringify(await runSeed(wholeNumber('part', seed), asked))}\n`)
    return 0
  }
  const seeds = seedsOf(values.seed, values.seeds)
  const jobs = Math.max(1, wholeNumber('jobs', values.jobs))
  const startedMs = performance.now()
  const one = seeds.length === 1 ? seeds[0] : undefined
  const results =
    one === undefined
      ? await runInProcesses(
          import.meta.filename,
          ['--scenario', scenario.name, ...(values.twice ? ['--twice'] : [])],
          { seeds, jobs },
          (result) => say(describeRun(result)),
        )
      : [await runSeed(one, asked)]
  for (const result of one === undefined ? [] : results)
    say(`${describeRun(result)}\n  faults: ${counts(result.fired)}\n  moves: ${counts(result.moves)}`)
  const digest = createHash('sha256')
  for (const result of results) digest.update(`${result.seed} ${result.digest}\n`)
  const sum = (of: (result: RunResult) => number) => results.reduce((total, result) => total + of(result), 0)
  const summary = {
    seeds: results.length,
    events: sum(({ events }) => events),
    simHours: Number((sum(({ tookMs }) => tookMs) / 3_600_000).toFixed(2)),
    violations: sum(({ violations }) => violations.length),
    digest: digest.digest('hex'),
  }
  say(`${Math.round((performance.now() - startedMs) / 1000)} s`)
  process.stdout.write(
    values.json
      ? `${JSON.stringify(summary)}\n`
      : `${summary.seeds} seeds, ${summary.events} events, ${summary.simHours} simulated hours, ${summary.violations} violations\n`,
  )
  return summary.violations === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  say(errorText(error))
  process.exitCode = 2
}
