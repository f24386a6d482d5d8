import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { errorText } from '../../base/index.ts'
import { formatTable } from '../../node/cli/index.ts'
import type { NodeView } from '../../node/index.ts'
import { homeFile } from '../../node/local-tree/index.ts'
import { cutAggregator } from './cut-off.ts'
import type { DemoStep } from './step.ts'
import { demoSteps } from './steps.ts'
import { startProxy } from './tcp-proxy.ts'
import { createWorld, pause, type World } from './world.ts'

const project = join(import.meta.dirname, '..', '..')
const home = join(project, '.skerry', 'demo')
const program = [process.execPath, join(project, 'dist', 'skerry.mjs')] as const

interface StepOutcome {
  readonly name: string
  /** Null when this driver cannot prove it. */
  readonly ok: boolean | null
  readonly ms: number
  readonly evidence: Readonly<Record<string, unknown>>
}

const usage = `Usage: npm run demo -- [options]
  --runtime containerd|process   what runs the containers [default: containerd as root on Linux, else process]
  --json                         one JSON object as the last line of standard output
  --keep                         leave it running and print commands to try
  --clean                        only remove what an earlier --keep left
`

/** Where the parent of a node accepts links. */
const parentAddress = (home: string, name: string): string => {
  const nodes = homeFile(home).load()?.nodes ?? []
  const parents = nodes.find((one) => one.name === name)?.parents ?? []
  return nodes.find((one) => parents.includes(one.name))?.meshAddress ?? ''
}

const inPath = (name: string): boolean =>
  (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, name)))

const readArguments = () => {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      clean: { type: 'boolean', default: false },
      runtime: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const root = process.platform === 'linux' && process.getuid?.() === 0
  const driver = values.runtime ?? (root && inPath('containerd') ? 'containerd' : 'process')
  if (driver !== 'containerd' && driver !== 'process')
    throw new Error(`--runtime ${driver}: give containerd or process`)
  return { ...values, driver: driver as 'containerd' | 'process' }
}

const topology = 'two-zones'

const intro = (
  driver: string,
) => `Skerry demo: a tower, its zones and their sites on this machine, with real ${driver === 'containerd' ? 'containers' : 'processes (no containerd here or not root)'}.

It will   start the nodes of ${topology}, one process each, with a cable (a TCP proxy of the demo) between the tower and
          ${cutAggregator}, and ${demoSteps.length} times show something. What breaks is broken from outside the program.
It needs  ${driver === 'containerd' ? 'root, containerd and runc (an engine of its own; yours is not touched), about 200 MB' : 'nothing but Node; images run as plain processes'}.
It leaves nothing: processes, mounts, bridges, cgroups and .skerry/demo are removed, also on failure and Ctrl-C
          (--keep leaves it running, --clean removes it later).
`

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** What each step came to, and the time of each. Pure. */
const outcomeTable = (steps: readonly StepOutcome[], tookMs: number): string =>
  formatTable(
    [
      { title: '#', align: 'right' },
      { title: 'step' },
      { title: 'shown' },
      { title: 'time', align: 'right' },
      { title: 'that' },
    ],
    [
      ...steps.map(({ name, ok, ms }, at) => [
        String(at + 1),
        name,
        ok === null ? 'not provable here' : ok ? 'yes' : 'NO',
        seconds(ms),
        demoSteps[at]?.brief ?? '',
      ]),
      ['', 'with starting and removing', '', seconds(tookMs), ''],
    ],
  )

const idleRss = async (world: World): Promise<Readonly<Record<string, number | undefined>>> => {
  // Idle: nothing was asked for a while, so the garbage of the steps can go.
  await pause(3_000)
  const rss = async (role: string) => (await world.get<NodeView>(world.node(role), '/v1/state/node'))['rss-bytes']
  const roles = [...new Set(world.nodes().map(({ role }) => role))]
  return Object.fromEntries(await Promise.all(roles.map(async (role) => [role, await rss(role)])))
}

const runStep = async (world: World, step: DemoStep): Promise<StepOutcome> => {
  const startedMs = performance.now()
  const ended = (ok: boolean | null, evidence: StepOutcome['evidence']) => ({
    name: step.name,
    ok,
    ms: Math.round(performance.now() - startedMs),
    evidence,
  })
  try {
    const unproven = step.unproven?.(world)
    if (unproven !== undefined) return ended(null, { unproven })
    return ended(true, await step.run(world))
  } catch (error) {
    return ended(false, { error: errorText(error) })
  }
}

const remove = async (world: World) => {
  await world.skerry(['down', '--remove'])
  rmSync(home, { recursive: true, force: true })
}

const main = async (): Promise<number> => {
  const options = readArguments()
  const say = (line: string) => process.stderr.write(`${line}\n`)
  if (options.help) {
    process.stdout.write(usage)
    return 0
  }
  let interrupted = false
  const cable = await startProxy(() => parentAddress(home, cutAggregator))
  const world = createWorld({
    home,
    driver: options.driver,
    topology,
    cables: { [cutAggregator]: cable },
    program,
    say,
    isInterrupted: () => interrupted,
  })
  if (existsSync(join(home, 'home.json'))) {
    say('removing what an earlier run left')
    await remove(world)
  }
  if (options.clean) {
    await cable.close()
    return 0
  }
  say(intro(options.driver))
  const startedMs = performance.now()
  mkdirSync(dirname(home), { recursive: true })
  const steps: StepOutcome[] = []
  let rss: Readonly<Record<string, number | undefined>> = {}
  const interrupt = () => {
    if (interrupted) return
    interrupted = true
    say('\ninterrupted: removing what was started')
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  let failed: unknown
  try {
    await world.up()
    for (const { name, role, pid } of world.nodes()) say(`  started ${role} ${name} (process ${pid})`)
    for (const [at, step] of demoSteps.entries()) {
      if (interrupted) break
      say(`\n${at + 1}/${demoSteps.length} ${step.name}: ${step.proves}`)
      const outcome = await runStep(world, step)
      steps.push(outcome)
      const mark = outcome.ok === null ? 'not shown' : outcome.ok ? 'ok' : 'FAILED'
      say(`    ${mark} in ${outcome.ms} ms  ${JSON.stringify(outcome.evidence)}`)
      if (outcome.ok === false) break
    }
    if (!interrupted && steps.every(({ ok }) => ok !== false)) rss = await idleRss(world)
  } catch (error) {
    failed = error
    say(`\nFAILED: ${errorText(error)}`)
  }
  const ok = !failed && !interrupted && steps.length === demoSteps.length && steps.every((step) => step.ok !== false)
  const nodes = world.nodes().map(({ name, role, pid }) => ({ name, role, pid }))
  // Whoever looks at the tree afterwards has no cable of ours.
  if (options.keep && existsSync(join(home, 'home.json')) && !interrupted)
    await world.skerry(['up', '--node', cutAggregator, '--via', `${cutAggregator}=direct`])
  if (options.keep && ok) {
    const command = `npx skerry --home .skerry/demo`
    say(
      `\nStill running. To try:\n  ${command} status\n  ${command} tree\n  ${command} logs shop -f\n  npm run demo -- --clean`,
    )
  } else if (options.keep && existsSync(join(home, 'home.json')) && !interrupted) {
    say('\nLeft as it is for you to look at; npm run demo -- --clean removes it.')
  } else if (existsSync(join(home, 'home.json'))) {
    await remove(world)
    say('\nremoved everything again')
  }
  await cable.close()
  const tookMs = Math.round(performance.now() - startedMs)
  say(`\n${outcomeTable(steps, tookMs)}`)
  const skipped = steps.filter((step) => step.ok === null).length
  say(
    `\n${ok ? 'The demo holds' : 'The demo does NOT hold'}: ${steps.filter((step) => step.ok).length} of ${demoSteps.length} steps shown${skipped ? `, ${skipped} not provable here` : ''}, in ${seconds(tookMs)}.`,
  )
  if (options.json)
    process.stdout.write(`${JSON.stringify({ ok, runtime: options.driver, 'took-ms': tookMs, nodes, steps, rss })}\n`)
  return ok ? 0 : 1
}

process.exitCode = await main()
