import { spawn } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { hostKill, type TrialRow } from './index.ts'

const rounds = 8
const why = hostKill.cannotRun()

const runTrial = (args: readonly string[]) =>
  new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'trial.ts'), ...args])
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    )
  })

const title = `${rounds} random kills leave what is wanted up, what is healthy untouched, and nothing behind`
if (why !== undefined) test.skip(`${title} (skipped: ${why})`, () => {})
else
  test.serial(title, async (t) => {
    t.timeout(180_000)
    const { code, stdout, stderr } = await runTrial(['host-kill', '--rounds', String(rounds), '--json'])
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { trial: string; rows: readonly TrialRow[] }
    t.is(last.trial, 'host-kill')
    t.deepEqual(
      last.rows.map(({ what, holds }) => ({ what, holds })),
      ['wanted-up', 'healthy-untouched', 'no-orphans', 'removed-all'].map((what) => ({ what, holds: true })),
      stderr,
    )
    t.is(code, 0, stderr)
  })

test('an unknown trial is refused with the names of those there are', async (t) => {
  const { code, stderr } = await runTrial(['host-kil'])
  t.is(code, 2)
  t.regex(stderr, /there is no trial host-kil; did you mean host-kill\?/)
})
