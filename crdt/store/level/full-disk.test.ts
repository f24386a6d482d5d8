import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { silentLog } from '../../../base/index.ts'
import { createLevelStore } from './index.ts'
import { isCorruption, storeErrorOf } from './level-errors.ts'

const program = fileURLToPath(new URL('full-disk-writer.contract.ts', import.meta.url))

test('a write that finds no room changes nothing, and what is acknowledged after it survives a kill', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-full-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  // No file may have more than 2 MiB (4,096 blocks of 512 bytes): a log does not take 3 MiB.
  const script = 'ulimit -f 4096; exec "$0" "$1" "$2"'
  const { promise, resolve } = Promise.withResolvers<string>()
  execFile('sh', ['-c', script, process.execPath, program, folder], (_, output) => resolve(output))
  const lines = (await promise).trim().split('\n')
  t.deepEqual(lines.slice(0, 3), [
    'before written',
    'much disk-full: cannot write to the store in FOLDER: the disk is full; free some space',
    'before has 100, much has undefined',
  ])
  t.is(lines.at(-1), 'at last written')
  const store = createLevelStore(folder, { log: silentLog })
  await store.open()
  t.teardown(() => store.close())
  const acknowledged = lines.flatMap((line) => /^(.*) written$/.exec(line)?.[1] ?? [])
  const keys: string[] = []
  for await (const { key, value } of store.scan({ prefix: '' })) {
    t.truthy(value)
    keys.push(key)
  }
  t.deepEqual(keys, acknowledged.toSorted())
  t.false(keys.includes('much') || keys.includes('too much'))
})

const levelError = (code: string, message: string) => {
  const cause = Object.assign(new Error(message), { code })
  return Object.assign(new Error('Database failed to open', { cause }), { code: 'LEVEL_DATABASE_NOT_OPEN' })
}

test('what LevelDB says comes in our words', (t) => {
  const codeOf = (code: string, message: string) =>
    storeErrorOf(levelError(code, message), 'write-failed', 'write to the store in x').code
  t.is(codeOf('LEVEL_IO_ERROR', 'IO error: x/000003.log: No space left on device'), 'disk-full')
  t.is(codeOf('LEVEL_IO_ERROR', 'IO error: x/000003.log: Disk quota exceeded'), 'disk-full')
  t.is(codeOf('LEVEL_LOCKED', 'IO error: lock x/LOCK: Resource temporarily unavailable'), 'already-open')
  t.is(codeOf('LEVEL_IO_ERROR', 'IO error: x/000003.log: Input/output error'), 'write-failed')
  t.true(isCorruption(levelError('LEVEL_CORRUPTION', 'Corruption: bad block')))
  t.true(isCorruption(levelError('LEVEL_IO_ERROR', 'IO error: x/MANIFEST-000002: No such file or directory')))
  t.false(isCorruption(levelError('LEVEL_IO_ERROR', 'IO error: x/LOCK: Permission denied')))
})
