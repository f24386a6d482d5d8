import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { takeProcessLock } from './process-lock.ts'

const place = (t: { teardown: (undo: () => void) => void }) => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-lock-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return { folder, path: join(folder, 'node.lock') }
}

test('a lock is held until it is given back, and leaves nothing else', (t) => {
  const { folder, path } = place(t)
  const give = takeProcessLock(path, 'the edge')
  t.is(readFileSync(path, 'utf8'), String(process.pid))
  t.deepEqual(readdirSync(folder), ['node.lock'])
  give()
  t.false(existsSync(path))
})

test('a lock of a running process is refused by its number, one of an ended process is taken over', (t) => {
  const { path } = place(t)
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  t.teardown(() => other.kill('SIGKILL'))
  writeFileSync(path, String(other.pid))
  t.throws(() => takeProcessLock(path, 'the edge'), {
    code: 'already-running',
    message: new RegExp(`the edge runs already as process ${other.pid}: stop it first`),
  })
  writeFileSync(path, String(spawnSync(process.execPath, ['-e', '']).pid))
  takeProcessLock(path, 'the edge')()
  writeFileSync(path, 'garbage')
  t.notThrows(takeProcessLock(path, 'the edge'))
})

test('a lock that somebody else took meanwhile is not given back for them', (t) => {
  const { path } = place(t)
  const give = takeProcessLock(path, 'the edge')
  writeFileSync(path, '1')
  give()
  t.is(readFileSync(path, 'utf8'), '1')
})
