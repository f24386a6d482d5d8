import { parseArgs } from 'node:util'
import { errorText } from '../../base/index.ts'
import { type Bench, type BenchRow, crdtBench, runtimeBench } from './index.ts'
import { scaleBench } from './scale/index.ts'

const benches: readonly Bench[] = [runtimeBench, crdtBench, scaleBench]

const usage = `Usage: npm run bench -- NAME [options]
  --runs N   each figure is the median of so many runs [default: 5]
  --json     one JSON object as the last line of standard output
  --list     the benchmarks there are
of "scale" alone:
  --sites N            sites, of one host each [default: 100]
  --idle SECONDS       how long idle links are looked at [default: 300]
  --against FILE       the JSON of a run with 1,000 sites; a larger run without it makes one first
  --predict A,B[,C]    run nothing: say from two such files what --sites will cost, beside a third one that had as many
  --profile FOLDER     write profiles of the processor there
`
const nameWidth = 26
const say = (line: string) => process.stderr.write(`${line}\n`)

/** One line of the table for a person. */
const lineOf = ({ what, ours, peer, unit, ratio, bar, holds, why, limit }: BenchRow): string => {
  const mark = bar === null ? (holds ? 'stated' : 'MISSED') : holds ? 'holds ' : 'MISSED'
  const against = peer === null ? '' : `, peer ${peer} ${unit}, ratio ${ratio}`
  return `${mark} ${what.padEnd(nameWidth)} ${ours ?? 'not measured'} ${unit}${against}${bar === null ? '' : ` (at most ${bar})`}${why === undefined ? '' : `: ${why}`}${limit === undefined ? '' : ` [${limit}]`}`
}

const countOf = (option: string, text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${option} ${text}: give a number from 1 to 999999`)
  return Number(text)
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      sites: { type: 'string' },
      idle: { type: 'string' },
      against: { type: 'string' },
      predict: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help || values.list) {
    process.stdout.write(values.help ? usage : benches.map(({ name, summary }) => `${name}   ${summary}\n`).join(''))
    return 0
  }
  const names = benches.map(({ name }) => name).join(', ')
  const bench = benches.find(({ name }) => name === positionals[0])
  if (!bench) throw new Error(`${positionals[0] ?? 'no name'} is no benchmark: give ${names}`)
  if (!/^[1-9]\d?$/.test(values.runs)) throw new Error(`--runs ${values.runs}: give a number from 1 to 99`)
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())
  say(`${bench.name}: ${bench.summary}`)
  const result = await bench.run({
    runs: Number(values.runs),
    say,
    signal: interrupted.signal,
    ...(values.sites !== undefined && { sites: countOf('sites', values.sites) }),
    ...(values.idle !== undefined && { idleSeconds: countOf('idle', values.idle) }),
    ...(values.against !== undefined && { against: values.against }),
    ...(values.predict !== undefined && { predictFrom: values.predict.split(',') }),
    ...(values.profile !== undefined && { profileDir: values.profile }),
  })
  const { rows, ...others } = 'rows' in result ? result : { rows: result }
  const lines = rows.map(lineOf)
  if (values.json) {
    for (const line of lines) say(line)
    process.stdout.write(`${JSON.stringify({ bench: bench.name, rows, ...others })}\n`)
  } else process.stdout.write(`${lines.join('\n')}\n`)
  return rows.every(({ holds }) => holds) ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  say(errorText(error))
  process.exitCode = 2
}
