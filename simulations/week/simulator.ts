import { accessSync, constants, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errorText, nearestName, SkerryError } from '../../base/index.ts'
import type { CliContext, SimulateInput } from '../../node/cli/index.ts'
import { nodesOf, parseTopology, type Topology } from '../../topologies/index.ts'
import { builtInWeek } from './built-in-week.ts'
import { renderPage } from './page/index.ts'
import { parseScenario } from './parse-scenario.ts'
import type { PlannedStep, WeekPlan } from './plan.ts'
import { toReport } from './report.ts'
import { reportText } from './report-text.ts'
import { runWeek, type WeekProgress } from './run-week.ts'
import { momentWords } from './tell.ts'

/** All nodes live in one process, at some five megabytes and a second of work or more for a week each. */
const mostNodes = 500
/** From here on a person should know that it takes its time. */
const manyNodes = 100

const readText = (path: string, what: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new SkerryError('no-such-file', `cannot read the ${what} ${path}: ${errorText(error)}`)
  }
}

const readTopology = ({
  topology: given,
  examplesDir,
  exampleNames,
}: SimulateInput): { topology: Topology; file: string } => {
  // As `skerry up` takes it: a word is an example, all else a path.
  const isFile = /[./\\]/.test(given)
  if (!isFile && !exampleNames.includes(given)) {
    const near = nearestName(given, exampleNames)
    throw new SkerryError(
      'no-topology',
      `there is no example ${given}${near ? `; did you mean ${near}?` : ''}. Examples: ${exampleNames.join(', ')}. A file of yours has a path, like ./${given}.yaml`,
    )
  }
  const text = readText(isFile ? resolve(given) : join(examplesDir, `${given}.yaml`), 'topology')
  const topology = parseTopology(text, isFile ? given : `${given}.yaml`)
  const count = nodesOf(topology).length
  if (count > mostNodes)
    throw new SkerryError(
      'too-large',
      `${given} has ${count} nodes; one process simulates ${mostNodes} at most. Sites of one kind behave alike: make a copy with fewer of each`,
    )
  return { topology, file: given }
}

/** A folder that cannot be written to is found before the work, not after it. */
const checkReportPath = (path: string): void => {
  if (!/\.html?$/.test(path)) throw new SkerryError('usage', `--report ${path}: give a file that ends in .html`)
  try {
    accessSync(dirname(resolve(path)), constants.W_OK)
  } catch (error) {
    throw new SkerryError('no-such-folder', `cannot write the report ${path}: ${errorText(error)}`)
  }
}

const writeReport = (path: string, page: string): void => {
  const incoming = `${resolve(path)}.new`
  writeFileSync(incoming, page)
  renameSync(incoming, resolve(path))
}

const stepWords = (step: PlannedStep, isEnd: boolean): string => {
  if (step.kind === 'upgrade') return `version ${step.version} goes out`
  if (step.kind === 'rollback')
    return `back to ${step.version === undefined ? 'the version before' : `version ${step.version}`}`
  const target = step.target === 'all' ? 'everything' : step.target.name
  if (step.kind === 'heal') return `${target} is healed`
  const [begun, over] = {
    cut: ['is cut off', 'is reached again'],
    power: ['has no power', 'has power again'],
    clock: ['has a wrong clock', 'has the right time again'],
    label: ['has one label more', 'has its own labels again'],
  }[step.kind] as [string, string]
  return `${target} ${isEnd ? over : begun}`
}

/** Where the last line stays, as in a file, more of them would bury what happens. */
const progressEveryMs = 1_000

const createTeller = (context: CliContext, plan: WeekPlan) => {
  const beganMs = context.clock.monotonicMs()
  let shownMs = beganMs
  return ({ atMs, ofMs, events, step }: WeekProgress): void => {
    if (atMs === undefined) context.progress('bringing the tree up')
    else if (step) context.say(`${momentWords(plan, atMs)}  ${stepWords(step.done, step.isEnd)}`)
    else if (context.clock.monotonicMs() - shownMs >= progressEveryMs) {
      shownMs = context.clock.monotonicMs()
      const perSecond = Math.round(atMs / (shownMs - beganMs))
      const done = Math.min(100, Math.round((atMs / ofMs) * 100))
      context.progress(
        `${momentWords(plan, atMs)}  ${done} %, ${events.toLocaleString('en')} events, ${perSecond} simulated seconds a second`,
      )
    }
  }
}

/** A promise that nobody waits for and that fails ends a real node's process: here it is one more thing that is broken. */
const collectStrays = () => {
  const strays: string[] = []
  const collect = (reason: unknown) => strays.push(`a promise failed and nobody waited for it: ${errorText(reason)}`)
  process.on('unhandledRejection', collect)
  return { strays, end: () => process.off('unhandledRejection', collect) }
}

/**
 * What `skerry simulate` does, once the command line has loaded it.
 * @returns 0 when nothing was broken, 1 when something was
 * @throws {SkerryError} when it cannot be run: a bad file, a tree that does not come up
 */
export const simulate = async (input: SimulateInput, context: CliContext): Promise<number> => {
  const { topology, file } = readTopology(input)
  const plan =
    input.scenario === undefined
      ? builtInWeek(topology)
      : parseScenario(readText(resolve(input.scenario), 'scenario'), input.scenario, topology)
  if (input.report !== undefined) checkReportPath(input.report)
  const count = nodesOf(topology).length
  if (count > manyNodes) context.say(`${count} nodes in one process: this takes some minutes`)
  const { strays, end } = collectStrays()
  try {
    const record = await runWeek({
      topology,
      topologyFile: file,
      plan,
      scenarioFile: input.scenario,
      seed: input.seed,
      onProgress: createTeller(context, plan),
      signal: context.signal,
      strays: () => strays,
    })
    const report = toReport(record, `skerry ${input.version}`)
    if (input.report !== undefined) {
      writeReport(input.report, renderPage(report))
      context.say(`the report is in ${input.report}`)
    }
    await context.result(report, reportText(report))
    return report.verdict === 'kept' ? 0 : 1
  } finally {
    end()
  }
}
