/**
 * `npm test`: the checks, then all tests; those on a real host (`*.real.test.ts`) after the others and one at a time.
 * With arguments, only the test files they name (paths or patterns), without the checks.
 */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { root, runChecks, toolEnv, toolPath } from './run-checks.ts'
import { contractTable, createTapReader, summaryLine, type TestResult } from './tap.ts'

const marks = { passed: '✔', failed: '✘', skipped: '-' } as const
const quietMs = 30_000

const print = ({ title, outcome, lines }: TestResult) => {
  console.log(`${marks[outcome]} ${title}`)
  if (outcome !== 'passed') for (const line of lines) console.log(`    ${line}`)
}

const runAva = async (files: readonly string[], args: readonly string[]): Promise<TestResult[]> => {
  const results: TestResult[] = []
  if (files.length === 0) return results
  let heardMs = performance.now()
  const reader = createTapReader((result) => {
    results.push(result)
    print(result)
  })
  const child = spawn(toolPath('ava'), ['--tap', ...args, ...files], {
    cwd: root,
    env: toolEnv,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pass = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, pass)
  const ticker = setInterval(() => {
    if (performance.now() - heardMs < quietMs) return
    heardMs = performance.now()
    console.log(`… ${results.length} results so far`)
  }, 1000)
  createInterface({ input: child.stdout }).on('line', (line) => {
    heardMs = performance.now()
    reader.line(line)
  })
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => resolve(signal ? 128 + constants.signals[signal] : (status ?? 1)))
  })
  clearInterval(ticker)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, pass)
  reader.end()
  if (code !== 0 && !results.some(({ outcome }) => outcome === 'failed')) {
    const unexplained: TestResult = { title: `the test runner ended with ${code}`, outcome: 'failed', lines: [] }
    print(unexplained)
    results.push(unexplained)
  }
  return results
}

const folders = '{base,topologies,crdt,mesh,runtime,node,simulations,scripts}'
const named = process.argv.slice(2)
const files = globSync(named.length > 0 ? named : `${folders}/**/*.test.ts`, { cwd: root }).toSorted()
const isReal = (file: string) => file.endsWith('.real.test.ts')

const checks = named.length > 0 ? [] : await runChecks()
const results = [
  ...checks.map(({ name, ok }): TestResult => ({ title: name, outcome: ok ? 'passed' : 'failed', lines: [] })),
  ...(await runAva(
    files.filter((file) => !isReal(file)),
    [],
  )),
  ...(await runAva(files.filter(isReal), ['--serial', '--concurrency=1'])),
]

const list = (heading: string, lines: readonly string[]) => {
  if (lines.length > 0) console.log(`\n${[heading, ...lines].join('\n')}`)
}
const namesOf = (outcome: TestResult['outcome']) =>
  results.filter((result) => result.outcome === outcome).map(({ title, lines }) => [title, ...lines].join(' · '))
list('Contracts', contractTable(results))
list('Skipped', namesOf('skipped'))
list(
  'Failed',
  results.filter(({ outcome }) => outcome === 'failed').map(({ title }) => title),
)
if (files.length === 0) console.log(`no test file is named ${named.join(' ')}`)
console.log(`\n${summaryLine(results)}`)
process.exitCode = results.some(({ outcome }) => outcome === 'failed') || files.length === 0 ? 1 : 0
