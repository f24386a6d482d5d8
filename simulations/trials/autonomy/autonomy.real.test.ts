import { spawn } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { autonomy, type TrialRow } from '../index.ts'
import { operations } from './matrix.ts'

const why = autonomy.cannotRun('process')
/** The others take minutes; this one has both what works at a host alone and what is refused in words. */
const leftOut = ['tower-away', 'alone', 'rebooted-alone', 'clock-wrong']

const runTrial = (args: readonly string[]) =>
  new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'trial.ts'), ...args])
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    )
  })

const title = 'with the aggregator of a zone away, everything an operator asks for works or is refused in words'
if (why !== undefined) test.skip(`${title} (skipped: ${why})`, () => {})
else
  test.serial(title, async (t) => {
    t.timeout(240_000)
    const args = ['autonomy', '--driver', 'process', '--json', ...leftOut.flatMap((one) => ['--without', one])]
    const { code, stdout, stderr } = await runTrial(args)
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { rows?: readonly TrialRow[] }
    t.deepEqual(
      last.rows?.map(({ what, holds }) => ({ what, holds })),
      operations.map((operation) => ({ what: `${operation} × aggregator away`, holds: true })),
      stderr,
    )
    t.is(code, 0, stderr)
  })
