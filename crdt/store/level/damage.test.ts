import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createLog, createSeededRandom, type LogLine, type Random, silentLog } from '../../../base/index.ts'
import type { StoreChange } from '../store.ts'
import { StoreError } from '../store-error.ts'
import { createLevelStore } from './index.ts'

const count = 400
const keyOf = (at: number) => `k/${`${at}`.padStart(4, '0')}`
/** Hard to compress, so that flipped bits land in values as well as in what is around them. */
const payloads = Array.from({ length: count }, (_, at) => createSeededRandom(at + 1).bytes(600))
const payloadOf = (at: number) => payloads[at] ?? new Uint8Array()

const filledFolder = async (t: ExecutionContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-damage-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const store = createLevelStore(folder, { log: silentLog, writeBufferBytes: 64 * 1024 })
  await store.open()
  for (let at = 0; at < count; at += 20) {
    const batch = Array.from({ length: 20 }, (_, n): StoreChange => {
      return { kind: 'put', key: keyOf(at + n), value: payloadOf(at + n) }
    })
    await store.write(batch, { sync: true })
  }
  await store.close()
  return folder
}

const flip = async (path: string, random: Random) => {
  const bytes = await readFile(path)
  const at = Math.floor(random.unit() * bytes.length)
  bytes[at]! ^= 1 << Math.floor(random.unit() * 8)
  await writeFile(path, bytes)
}

const isWhole = (at: number, value: Uint8Array) => Buffer.from(value).equals(payloadOf(at))

/** Opens and reads all in both ways; a wrong value fails the test. */
const readAll = async (t: ExecutionContext, folder: string) => {
  const lines: LogLine[] = []
  const log = createLog((line) => lines.push(line))
  const store = createLevelStore(folder, { log })
  await store.open()
  let whole = 0
  let damaged = 0
  for (let at = 0; at < count; at++) {
    try {
      const value = await store.get(keyOf(at))
      if (value !== undefined) t.true(isWhole(at, value), `a wrong value under ${keyOf(at)}`)
      if (value !== undefined) whole += 1
    } catch (error) {
      t.is(error instanceof StoreError && error.code, 'damaged-value')
      damaged += 1
    }
  }
  let scanned = 0
  for await (const { key, value } of store.scan({ prefix: '' })) {
    if (value === undefined) continue
    t.true(isWhole(Number(key.slice(2)), value), `a wrong value scanned under ${key}`)
    scanned += 1
  }
  return { store, whole, damaged, scanned, lines }
}

for (const kind of ['ldb', 'log', 'MANIFEST'] as const)
  test(`no bit flipped in a ${kind} file makes a wrong value, and the store is written again`, async (t) => {
    t.timeout(100_000)
    const random = createSeededRandom(kind.length)
    let toldTotal = 0
    for (let round = 0; round < 6; round++) {
      const folder = await filledFolder(t)
      const files = (await readdir(folder)).filter((name) => name.includes(kind))
      t.true(files.length > 0)
      for (const name of files) await flip(join(folder, name), random)
      const { store, whole, damaged, scanned, lines } = await readAll(t, folder)
      // The key of a value may be what was hit: then a scan has it not, or not whole.
      t.true(scanned <= whole && scanned >= whole - 2 * files.length, `${scanned} scanned, ${whole} read`)
      t.true(kind === 'ldb' || whole >= count / 2, `${whole} of ${count} are left`)
      toldTotal += damaged + lines.filter(({ level }) => level === 'warn').length
      await store.write(
        Array.from({ length: count }, (_, at) => ({ kind: 'put', key: keyOf(at), value: payloadOf(at) }) as const),
        { sync: true },
      )
      await store.close()
      const again = await readAll(t, folder)
      t.is(again.whole, count, `round ${round}`)
      t.is(again.damaged, 0)
      await again.store.close()
    }
    t.log(`${toldTotal} told`)
    if (kind !== 'log') t.true(toldTotal > 0, 'no damage was told')
  })

test('a folder whose CURRENT is gone is repaired, not begun anew', async (t) => {
  const folder = await filledFolder(t)
  await rm(join(folder, 'CURRENT'))
  const { store, whole, lines } = await readAll(t, folder)
  t.is(whole, count)
  t.true(lines.some(({ level, message }) => level === 'warn' && /repaired/.test(message)))
  await store.close()
})

test('a folder that is no store and cannot become one is told', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-damage-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'file')
  await writeFile(file, 'x')
  const error = await t.throwsAsync(() => createLevelStore(file, { log: silentLog }).open(), {
    instanceOf: StoreError,
    message: /open the store in .*file/,
  })
  t.is((error as StoreError).code, 'open-failed')
})
