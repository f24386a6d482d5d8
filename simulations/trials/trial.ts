import { parseArgs } from 'node:util'
import { errorText, nearestName } from '../../base/index.ts'
import { apart, autonomy, hostKill, kill, soak, type Trial, type TrialOptions, wire } from './index.ts'

const trials: readonly Trial[] = [hostKill, kill, wire, apart, autonomy, soak]

const usage = `Usage: npm run trial -- NAME [options]
  --rounds N   how often harm is done [default: the trial's own]
  --days N     the same, where rounds are days
  --seed S     draws victims and moments; printed, so that a run can be repeated [default: a new one]
  --driver D   containerd or process, where a trial leaves the choice [default: containerd as root]
  --without R  leaves out a row that takes its own time, like clocks
  --json       one JSON object as the last line of standard output
  --list       the trials there are
`
const list = () => trials.map(({ name, summary }) => `${name}   ${summary}\n`).join('')
const say = (line: string) => process.stderr.write(`${line}\n`)

const wholeNumber = (flag: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text) || (flag !== 'seed' && Number(text) === 0))
    throw new Error(`--${flag} ${text}: give a whole number`)
  return Number(text)
}

const driverOf = (text: string | undefined): TrialOptions['driver'] => {
  if (text === undefined || text === 'containerd' || text === 'process') return text
  throw new Error(`--driver ${text}: give containerd or process`)
}

const choose = (name: string | undefined): Trial => {
  const found = trials.find((trial) => trial.name === name)
  if (found) return found
  const names = trials.map((trial) => trial.name)
  const near = name === undefined ? undefined : nearestName(name, names)
  throw new Error(
    name === undefined
      ? `name a trial: ${names.join(', ')}`
      : `there is no trial ${name}${near ? `; did you mean ${near}?` : ''}. Trials: ${names.join(', ')}`,
  )
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      days: { type: 'string' },
      seed: { type: 'string' },
      driver: { type: 'string' },
      without: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help || values.list) {
    process.stdout.write(values.help ? usage : list())
    return 0
  }
  const trial = choose(positionals[0])
  const rounds = wholeNumber('days', values.days) ?? wholeNumber('rounds', values.rounds) ?? trial.defaultRounds
  const seed = wholeNumber('seed', values.seed) ?? Math.floor(Math.random() * 1e9)
  const driver = driverOf(values.driver)
  const why = trial.cannotRun(driver)
  if (why !== undefined) throw new Error(`${trial.name} cannot run here: ${why}`)
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())
  say(`${trial.name}: ${trial.summary}\n${rounds} rounds, seed ${seed} (repeat with --rounds ${rounds} --seed ${seed})`)
  const rows = await trial.run({
    rounds,
    seed,
    ...(driver && { driver }),
    without: values.without,
    say,
    signal: interrupted.signal,
  })
  for (const { what, tried, broken, holds } of rows)
    say(`${holds ? 'holds ' : 'BROKEN'} ${what}: ${broken} broken of ${tried} tried`)
  if (values.json) process.stdout.write(`${JSON.stringify({ trial: trial.name, seed, rows })}\n`)
  return rows.length > 0 && rows.every(({ holds }) => holds) ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  say(errorText(error))
  process.exitCode = 2
}
