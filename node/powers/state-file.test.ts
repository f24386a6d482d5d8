import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { SkerryError } from '../../base/index.ts'
import { createStateFile } from './state-file.ts'

const folder = (t: { teardown: (undo: () => void) => void }) => {
  const path = mkdtempSync(join(tmpdir(), 'skerry-state-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

test('a saved value is read back, and a file that was never saved is nothing', (t) => {
  const file = createStateFile<{ n: number }>(join(folder(t), 'deep', 'a.json'))
  t.is(file.load(), undefined)
  file.save({ n: 1 })
  file.save({ n: 2 })
  t.deepEqual(file.load(), { n: 2 })
})

test('a torn file written aside never hides the last good value', (t) => {
  const path = join(folder(t), 'a.json')
  const file = createStateFile<number>(path)
  file.save(7)
  writeFileSync(`${path}.new`, '{"version":1,"val')
  t.is(file.load(), 7)
})

test('a newer format and a damaged file are refused in words', (t) => {
  const path = join(folder(t), 'a.json')
  writeFileSync(path, '{"version":2,"value":1}')
  const newer = t.throws(() => createStateFile(path).load(), { instanceOf: SkerryError })
  t.is(newer?.code, 'newer-format')
  t.regex(newer?.message ?? '', /run a later release/)
  writeFileSync(path, '{"version":1')
  t.is(t.throws(() => createStateFile(path).load(), { instanceOf: SkerryError })?.code, 'damaged-file')
})

test('a value that cannot be written leaves the old file as it was', (t) => {
  const path = join(folder(t), 'a.json')
  const file = createStateFile<unknown>(path)
  file.save('old')
  const before = readFileSync(path, 'utf8')
  const loop: { self?: unknown } = {}
  loop.self = loop
  t.throws(() => file.save(loop))
  t.is(readFileSync(path, 'utf8'), before)
})

test('one bit that flipped anywhere is seen, or changes nothing; a file of an earlier release has no sum and is read', (t) => {
  const path = join(folder(t), 'a.json')
  const file = createStateFile<unknown>(path)
  const value = { name: 'web', count: 12, none: null, list: [0.1, 'é', true] }
  file.save(value)
  const bytes = readFileSync(path)
  let seen = 0
  for (let at = 0; at < 8 * bytes.length; at++) {
    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(flipped.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3)
    writeFileSync(path, flipped)
    try {
      t.deepEqual(file.load(), value)
    } catch (error) {
      t.true(error instanceof SkerryError && ['damaged-file', 'newer-format'].includes(error.code), String(error))
      seen++
    }
  }
  t.true(seen > 7 * bytes.length, `${seen}`)
  writeFileSync(path, '{"version":1,"value":5}')
  t.is(file.load(), 5)
})
