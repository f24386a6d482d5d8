import { appendFile, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createManualClock } from '../../base/index.ts'
import { eventually } from '../containers.contract.ts'
import { createContainerLogs } from './container-logs.ts'

const owner = { tenant: 'acme', instance: 'web.web-1', container: 'web' }

const scene = async (t: ExecutionContext, logSizeBytes: number) => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const clock = createManualClock(1_800_000_000_000)
  const logs = createContainerLogs(directory, clock)
  const path = await logs.prepare(owner, logSizeBytes)
  await writeFile(path, '')
  const kept = async (tailBytes: number) => {
    let text = ''
    for await (const { bytes } of logs.read(owner, { tailBytes, follow: false })) text += Buffer.from(bytes).toString()
    return text
  }
  /** A reader that gets its turn only when the clock moves. */
  const follow = () => {
    const over = new AbortController()
    const seen = { text: '' }
    const done = (async () => {
      for await (const { bytes } of logs.read(owner, { tailBytes: 0, follow: true, signal: over.signal }))
        seen.text += Buffer.from(bytes).toString()
    })()
    const sees = (text: string) =>
      eventually(t, `the follower has ${text}`, () => {
        clock.advance(100)
        return seen.text === text ? true : undefined
      })
    return {
      seen,
      sees,
      asleep: () => eventually(t, 'the follower waits', () => clock.nextTimerMs() !== undefined || undefined),
      stop: () => {
        over.abort()
        return done
      },
    }
  }
  return { directory, clock, logs, path, kept, follow }
}

test('what a follower had not read when the log was cut still comes, once and in order', async (t) => {
  const { logs, path, follow } = await scene(t, 40)
  const reader = follow()
  await appendFile(path, 'one ')
  await reader.sees('one ')
  await reader.asleep()
  await appendFile(path, 'two is unread and long enough ')
  await logs.trimAll()
  t.is((await stat(path)).size, 0)
  await appendFile(path, 'three ')
  // Of what was cut, as much as is kept: half of 40 bytes.
  const all = `one ${'two is unread and long enough '.slice(-20)}three `
  await reader.sees(all)
  await reader.stop()
  t.is(reader.seen.text, all)
})

test('a log keeps its last bytes within the bound, older ones first to go', async (t) => {
  const { logs, path, kept } = await scene(t, 20)
  await appendFile(path, '0123456789abcdef')
  await logs.trimAll()
  t.is(await kept(100), '6789abcdef')
  await appendFile(path, 'GHI')
  await logs.trimAll()
  t.is(await kept(100), '6789abcdefGHI')
  t.is(await kept(5), 'efGHI')
  t.is(await kept(2), 'HI')
  t.is(await kept(0), '')
  await appendFile(path, 'JKLMNOPQRSTUVW')
  await logs.trimAll()
  t.is(await kept(100), 'NOPQRSTUVW')
})

test('a log under its bound, and one that is not there, are left alone', async (t) => {
  const { logs, path, kept } = await scene(t, 20)
  await appendFile(path, '0123456789')
  await logs.trimAll()
  t.is(await readFile(path, 'utf8'), '0123456789')
  await rm(path)
  t.is(await kept(10), '')
})

test('logs of owners without a container go after a week, others stay', async (t) => {
  const { logs, path, clock } = await scene(t, 20)
  const writtenS = clock.wallMs() / 1000
  await utimes(path, writtenS, writtenS)
  clock.advance(6 * 86_400_000)
  await logs.dropAbandoned([])
  t.true((await stat(path)).isFile())
  clock.advance(2 * 86_400_000)
  await logs.dropAbandoned([owner])
  t.true((await stat(path)).isFile())
  await logs.dropAbandoned([])
  await t.throwsAsync(stat(path), { code: 'ENOENT' })
  await t.throwsAsync(stat(`${path}.bound`), { code: 'ENOENT' })
})
