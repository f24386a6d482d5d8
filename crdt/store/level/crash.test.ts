import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { createSeededRandom, silentLog } from '../../../base/index.ts'
import { listStore } from '../store.contract.ts'
import { createLevelStore } from './index.ts'

const program = fileURLToPath(new URL('crash-writer.contract.ts', import.meta.url))
const rounds = 20

/** Runs the writer until it is killed, some time after its first word. */
const writeUntilKilled = async (folder: string, first: number, lifeMs: number): Promise<number> => {
  const child = spawn(process.execPath, [program, folder, `${first}`], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  const opened = Promise.withResolvers<void>()
  child.stdout.on('data', (piece) => {
    text += piece
    opened.resolve()
  })
  const gone = new Promise((resolve) => child.on('close', resolve))
  await Promise.race([opened.promise, gone])
  await delay(lifeMs)
  child.kill('SIGKILL')
  await gone
  const numbers = text.split('\n').slice(0, -1).map(Number).filter(Number.isInteger)
  return numbers.at(-1) ?? first - 1
}

test(`after each of ${rounds} kills everything acknowledged is there, and no half batch`, async (t) => {
  t.timeout(110_000)
  const folder = await mkdtemp(join(tmpdir(), 'skerry-crash-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const random = createSeededRandom(7)
  let next = 0
  for (let round = 0; round < rounds; round++) {
    const acknowledged = await writeUntilKilled(folder, next, random.unit() * 250)
    const store = createLevelStore(folder, { log: silentLog })
    await store.open()
    const parts = new Map<number, number>()
    for (const line of await listStore(store, { prefix: 'n/' })) {
      const [key = '', value = ''] = line.split('=')
      const at = Number(key.split('/')[1])
      if (value !== `${at} `.repeat(1 + ((at * 37) % 400))) return t.fail(`${key} is not what was written`)
      parts.set(at, (parts.get(at) ?? 0) + 1)
    }
    const halves = [...parts].filter(([, count]) => count !== 5)
    t.deepEqual(halves, [], `round ${round}`)
    const highest = Math.max(-1, ...parts.keys())
    t.is(parts.size, highest + 1, `round ${round}: numbers are missing`)
    t.true(highest >= acknowledged, `round ${round}: ${acknowledged} was acknowledged, ${highest} is the last there`)
    t.true(highest <= acknowledged + 1, 'one batch at a time was on its way')
    next = highest + 1
    await store.close()
  }
  t.true(next > rounds, 'hardly anything was written')
})
