import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { nearestName } from '../../base/index.ts'
import { planSeed, type RunResult, type Scenario, scenarios } from '../scenarios/index.ts'
import type { Guard } from './guard.ts'
import { guards } from './guards/index.ts'
import { prove } from './prove.ts'
import { proofScenes } from './scenes.ts'
import { shrink } from './shrink.ts'
import { formatSmallRun, parseSmallRun, type RunRequest, runSmall } from './small-run.ts'

export const proofUsage = `  --prove          takes out each guard of a node in turn: a checker must find what then goes wrong
  --guards A,B     with --prove these alone; with --shrink and --plan the one that is taken out
  --shrink         with --seed: makes a failing run smaller, and says what is left of it in words
  --plan TEXT      with --seed: runs what --shrink left
`

type Say = (line: string) => void

const options = {
  prove: { type: 'boolean', default: false },
  shrink: { type: 'boolean', default: false },
  plan: { type: 'string' },
  guards: { type: 'string' },
  seed: { type: 'string' },
  scenario: { type: 'string' },
  ed25519: { type: 'boolean', default: false },
  trace: { type: 'boolean', default: false },
  jobs: { type: 'string', default: String(availableParallelism()) },
  json: { type: 'boolean', default: false },
  // Of one of several processes: each guard is answered by a line of JSON.
  part: { type: 'boolean', default: false },
} as const

const read = (args: readonly string[]) => parseArgs({ args: [...args], options }).values
type Values = ReturnType<typeof read>

const named = <Value extends { readonly name: string }>(kind: string, name: string, all: readonly Value[]): Value => {
  const found = all.find((one) => one.name === name)
  if (found) return found
  const names = all.map((one) => one.name)
  const near = nearestName(name, names)
  throw new Error(`there is no ${kind} ${name}${near ? `; did you mean ${near}?` : ''}. There are: ${names.join(', ')}`)
}

const guardsOf = ({ guards: text }: Values): readonly Guard[] | undefined =>
  text?.split(',').map((name) => named('guard', name, guards))

/** The run a seed stands for, and what repeats it. */
const requestOf = (values: Values): { readonly request: RunRequest; readonly command: string } => {
  if (!/^\d{1,9}$/.test(values.seed ?? '')) throw new Error('give the number of one failing seed with --seed')
  const seed = Number(values.seed)
  const chosen: Scenario | undefined =
    values.scenario === undefined ? undefined : named('scenario', values.scenario, [...scenarios, ...proofScenes])
  const { scenario, signatures } = planSeed(seed, scenarios, chosen)
  const [out, ...others] = guardsOf(values) ?? []
  if (others.length > 0) throw new Error('--guards: name the one guard that is taken out')
  const flags = [...(values.ed25519 ? ['--ed25519'] : []), ...(out ? [`--guards ${out.name}`] : [])]
  return {
    request: {
      scenario,
      seed,
      signatures: values.ed25519 ? 'ed25519' : signatures,
      ...(out && { doctor: () => out.takeOut }),
    },
    command: ['npm run simulate -- --scenario', scenario.name, '--seed', seed, ...flags].join(' '),
  }
}

const runShrink = async (values: Values, say: Say): Promise<number> => {
  const { request, command } = requestOf(values)
  const shrunk = await shrink(request, say)
  if (!shrunk) {
    say(`${command}: no invariant is broken, there is nothing to make smaller`)
    return 2
  }
  const { invariant, small, whole, result, runs, story } = shrunk
  const plan = formatSmallRun(small)
  const repeat = `${command} --plan '${plan}'`
  say(`after ${runs} runs: ${result.nodes} of ${whole.nodes} nodes, ${small.faults.length} of ${whole.faults} faults,`)
  say(`${small.moves.length} of ${whole.moves} moves, ${small.harmMs / 1000} of ${whole.harmMs / 1000} s still do it:`)
  for (const line of story) say(`  ${line}`)
  for (const text of result.violations) say(`  BROKEN ${text}`)
  say(`repeat with: ${repeat}`)
  const { seed, scenario } = request
  process.stdout.write(
    values.json ? `${JSON.stringify({ scenario: scenario.name, seed, invariant, plan, runs })}\n` : `${repeat}\n`,
  )
  return 1
}

const tell = ({ violations, events, nodes }: RunResult): string =>
  [`${nodes} nodes, ${events} events`, ...violations.map((text) => `  BROKEN ${text}`)].join('\n')

const runPlan = async (values: Values, say: Say): Promise<number> => {
  const { request } = requestOf(values)
  const result = await runSmall(parseSmallRun(values.plan ?? ''), { ...request, ...(values.trace && { trace: say }) })
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${tell(result)}\n`)
  return result.violations.length === 0 ? 0 : 1
}

const runProve = (values: Values, say: Say): Promise<number> => {
  if (!/^[1-9]\d?$/.test(values.jobs)) throw new Error(`--jobs ${values.jobs}: give a whole number from 1 to 99`)
  const all = guardsOf(values) ?? guards
  return prove(all, { json: values.json, jobs: Number(values.jobs), isPart: values.part, say })
}

/**
 * What this folder does for `npm run simulate`; undefined where something else was asked for.
 * @param say to a person
 */
export const proofCommand = (args: readonly string[], say: Say): (() => Promise<number>) | undefined => {
  const asks = (flag: string) => args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))
  const run = asks('--prove') ? runProve : asks('--shrink') ? runShrink : asks('--plan') ? runPlan : undefined
  return run && (async () => run(read(args), say))
}
