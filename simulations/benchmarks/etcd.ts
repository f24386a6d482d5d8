import { execFile, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { errorText, SkerryError } from '../../base/index.ts'
import { pause } from '../demo/index.ts'
import { type BenchOptions, type BenchRow, besidePeer, withoutPeer } from './bench-row.ts'
import { ensurePackages } from './peer.ts'
import { cpuSecondsOf, endProcess, memoryOf } from './process-cost.ts'
import type { TowerCost } from './tower-cost.ts'
import type { KeptIntent } from './tower-disk.ts'

/** Operations of one transaction: etcd's own limit. */
const opsAtOnce = 128
const idleMs = 10_000
const readyTimeoutMs = 30_000
const pollMs = 4

const freePorts = (count: number): Promise<readonly number[]> =>
  Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<number>((resolve, reject) => {
          const server = createServer()
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            // Held until the others have theirs, so that no two are the same.
            setTimeout(() => server.close(() => resolve(typeof address === 'object' && address ? address.port : 0)), 50)
          })
        }),
    ),
  )

/** Runs etcd's own client. @param input what it reads */
const etcdctl = (endpoint: string, args: readonly string[], input = ''): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, ETCDCTL_API: '3' }
    const child = execFile(
      'etcdctl',
      ['--endpoints', endpoint, '--command-timeout', '60s', ...args],
      { env, maxBuffer: 2 ** 27 },
      (error, stdout) => (error ? reject(new SkerryError('peer-failed', error.message)) : resolve(stdout)),
    )
    child.stdin?.end(input)
  })

interface Running {
  readonly pid: number
  readonly endpoint: string
  /** From the start of the process until it answers, in seconds. */
  readonly readySeconds: number
}

/** Debian's etcd alone, as it comes: every transaction is synced before it is answered. */
const startEtcd = async (dir: string): Promise<Running> => {
  const [client = 0, peer = 0] = await freePorts(2)
  const [endpoint, own] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  const options = {
    name: 'bench',
    'data-dir': join(dir, 'data'),
    'listen-client-urls': endpoint,
    'advertise-client-urls': endpoint,
    'listen-peer-urls': own,
    'initial-advertise-peer-urls': own,
    'initial-cluster': `bench=${own}`,
    'log-level': 'warn',
  }
  const args = Object.entries(options).flatMap(([flag, value]) => [`--${flag}`, value])
  const log = openSync(join(dir, 'etcd.log'), 'a')
  const startedMs = performance.now()
  const child = spawn('etcd', args, { stdio: ['ignore', log, log], cwd: '/' })
  closeSync(log)
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  failed.catch(() => {})
  const answers = () =>
    fetch(`${endpoint}/health`).then(
      (response) => response.ok,
      () => false,
    )
  while (!(await Promise.race([answers(), failed]))) {
    const late = performance.now() - startedMs > readyTimeoutMs
    if (late) child.kill('SIGKILL')
    if (late || child.exitCode !== null) throw new SkerryError('not-ready', 'etcd did not answer: see its log')
    await pause(pollMs)
  }
  return { pid: child.pid ?? 0, endpoint, readySeconds: (performance.now() - startedMs) / 1_000 }
}

/** Text of just so many bytes, other in each round. */
const textOf = ({ sizeBytes, key }: KeptIntent, round: number): string =>
  Buffer.from(`${round} ${key} `.repeat(Math.ceil(sizeBytes / key.length)))
    .toString('hex')
    .slice(0, sizeBytes)

/** @returns processor seconds of the server */
const putAll = async ({ pid, endpoint }: Running, intents: readonly KeptIntent[], round: number): Promise<number> => {
  const before = cpuSecondsOf(pid)
  for (let at = 0; at < intents.length; at += opsAtOnce) {
    const puts = intents.slice(at, at + opsAtOnce).map((intent) => `put ${intent.key} ${textOf(intent, round)}`)
    // No condition, what is done then, and nothing else.
    await etcdctl(endpoint, ['txn'], `\n${puts.join('\n')}\n\n\n`)
  }
  return cpuSecondsOf(pid) - before
}

/** @throws {SkerryError} `not-kept` unless every key has the value of the round */
const readAll = async ({ endpoint }: Running, intents: readonly KeptIntent[], round: number): Promise<void> => {
  const lines = (await etcdctl(endpoint, ['get', '', '--prefix'])).split('\n')
  const found = new Map(lines.flatMap((line, at) => (at % 2 === 0 ? [[line, lines[at + 1]] as const] : [])))
  const lost = intents.filter((intent) => found.get(intent.key) !== textOf(intent, round))
  if (lost.length > 0)
    throw new SkerryError('not-kept', `etcd answers ${lost.length} keys otherwise than they were put`)
}

/**
 * Rows beside Debian's etcd, which keeps the same keys with values as long as the signed changes. Its figures are of the
 * server's process alone, ours of all the work. @param dir a folder of the benchmark's own
 */
export const besideEtcd = async (
  dir: string,
  { intents, figures }: TowerCost,
  { runs, say, signal }: BenchOptions,
): Promise<readonly BenchRow[]> => {
  const theirs = { cpu: [] as number[], rss: [] as number[], start: [] as number[] }
  mkdirSync(dir, { recursive: true })
  let running: Running | undefined
  try {
    await ensurePackages(['etcd', 'etcdctl'], ['etcd-server', 'etcd-client'], say)
    running = await startEtcd(dir)
    await putAll(running, intents, 0)
    for (let round = 1; round <= runs; round++) {
      signal.throwIfAborted()
      await endProcess(running.pid, 'SIGTERM')
      running = await startEtcd(dir)
      await readAll(running, intents, round - 1)
      await pause(idleMs)
      theirs.start.push(running.readySeconds)
      theirs.rss.push(memoryOf(running.pid).rss)
      theirs.cpu.push(await putAll(running, intents, round))
      await readAll(running, intents, round)
      say(
        `etcd ${round}/${runs}: ${intents.length} puts in ${theirs.cpu.at(-1)?.toFixed(1)} s of processor, ${theirs.rss.at(-1)?.toFixed(1)} MB, ready in ${running.readySeconds.toFixed(1)} s`,
      )
    }
  } catch (error) {
    if (signal.aborted) throw error
    const why = `etcd cannot run here: ${errorText(error).trim().split('\n').slice(0, 2).join(' ')}`
    return [withoutPeer('etcd', 's of processor', null, figures.changeCpu, why)]
  } finally {
    if (running !== undefined) await endProcess(running.pid, 'SIGKILL').catch(() => {})
  }
  return [
    besidePeer('etcd', 's of processor', { ours: figures.changeCpu, peer: theirs.cpu }),
    besidePeer('etcd-rss', 'MB', { ours: figures.rss, peer: theirs.rss }),
    besidePeer('etcd-start', 's', { ours: figures.start, peer: theirs.start }),
  ]
}
