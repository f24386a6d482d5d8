import { parseArgs } from 'node:util'
import { errorText } from '../../base/index.ts'
import { type Bench, type BenchRow, crdtBench, runtimeBench } from './index.ts'

const benches: readonly Bench[] = [runtimeBench, crdtBench]

const usage = `Usage: npm run bench -- NAME [options]
  --runs N   each figure is the median of so many runs [default: 5]
  --json     one JSON object as the last line of standard output
  --list     the benchmarks there are
`
const nameWidth = 26
const say = (line: string) => process.stderr.write(`${line}\n`)

/** One line of the table for a person. */
const lineOf = ({ what, ours, peer, unit, ratio, bar, holds, why }: BenchRow): string => {
  const mark = bar === null ? (holds ? 'stated' : 'MISSED') : holds ? 'holds ' : 'MISSED'
  const against = peer === null ? '' : `, peer ${peer} ${unit}, ratio ${ratio}`
  return `${mark} ${what.padEnd(nameWidth)} ${ours ?? 'not measured'} ${unit}${against}${bar === null ? '' : ` (at most ${bar})`}${why === undefined ? '' : `: ${why}`}`
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
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
  const rows = await bench.run({ runs: Number(values.runs), say, signal: interrupted.signal })
  const lines = rows.map(lineOf)
  if (values.json) {
    for (const line of lines) say(line)
    process.stdout.write(`${JSON.stringify({ bench: bench.name, rows })}\n`)
  } else process.stdout.write(`${lines.join('\n')}\n`)
  return rows.every(({ holds }) => holds) ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  say(errorText(error))
  process.exitCode = 2
}
