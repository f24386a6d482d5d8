import { spawn } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { kill, type TrialRow } from '../index.ts'

const rounds = 6
/** Draws kills of every role, of two nodes at once, and of one that starts, and nobody who stays away for long. */
const seed = 9892
const why = kill.cannotRun('process')
const heldTo = ['writers', 'same-everywhere', 'healthy-untouched', 'acknowledged-kept', 'fixed-point']

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

const title = `${rounds} random kills of a tree under load lose nothing that was acknowledged and touch nothing that was healthy`
if (why !== undefined) test.skip(`${title} (skipped: ${why})`, () => {})
else
  test.serial(title, async (t) => {
    t.timeout(240_000)
    const drawn = ['--rounds', String(rounds), '--seed', String(seed)]
    const args = ['kill', '--driver', 'process', ...drawn, '--without', 'clocks', '--json']
    const { code, stdout, stderr } = await runTrial(args)
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { rows?: readonly TrialRow[] }
    t.deepEqual(
      last.rows?.map(({ what, holds }) => ({ what, holds })),
      heldTo.map((what) => ({ what, holds: true })),
      stderr,
    )
    t.is(code, 0, stderr)
  })
