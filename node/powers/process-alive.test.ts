import { spawn, spawnSync } from 'node:child_process'
import test from 'ava'
import { isProcessAlive } from './process-alive.ts'

test('a running process is alive, an ended one is not', (t) => {
  t.true(isProcessAlive(process.pid))
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  t.false(isProcessAlive(pid))
})

test('a process that ended but was never reaped is not alive', async (t) => {
  if (process.platform !== 'linux') return t.pass('only /proc shows it')
  // The shell starts a child, tells its id, and becomes a program that never waits for it.
  const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => parent.kill('SIGKILL'))
  const told = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (bytes: Buffer) => resolve(String(bytes))),
  )
  const endMs = performance.now() + 10_000
  while (isProcessAlive(Number(told)) && performance.now() < endMs)
    await new Promise((resolve) => setImmediate(resolve))
  t.false(isProcessAlive(Number(told)))
  t.notThrows(() => process.kill(Number(told), 0))
})
