import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SkerryError } from '../../../base/index.ts'
import { endProcess } from '../process-cost.ts'
import type { EdgeCounts, FromEdges, ToEdges } from './edge-messages.ts'

const stopWithinMs = 60_000

/** A process of many edges. */
export interface EdgeProcess {
  pid(): number
  tell(message: ToEdges): void
  /** The next message of a kind. @throws {SkerryError} `edges-failed` when it says so, or ends */
  heard<Kind extends FromEdges['kind']>(kind: Kind): Promise<Extract<FromEdges, { kind: Kind }>>
  counts(): Promise<EdgeCounts>
  /** Moments at which edges accepted a version, in the order they were told. */
  acceptedAt(version: string): readonly number[]
  stop(): Promise<void>
}

interface Waiter {
  readonly kind: FromEdges['kind']
  readonly resolve: (message: never) => void
  readonly reject: (error: Error) => void
}

/** @param dir of its own @param profileDir where the profiler of Node writes when the process ends */
export const startEdgeProcess = async (
  name: string,
  dir: string,
  profileDir: string | undefined,
): Promise<EdgeProcess> => {
  const folder = join(dir, name)
  mkdirSync(folder, { recursive: true })
  const profile =
    profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${name}.cpuprofile`]
  const child: ChildProcess = fork(join(import.meta.dirname, 'edge-worker.ts'), [folder], {
    execArgv: ['--max-semi-space-size=32', '--max-old-space-size=8192', ...profile],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiters = new Set<Waiter>()
  const accepted = new Map<string, number[]>()
  let failure: Error | undefined
  const fail = (words: string) => {
    failure ??= new SkerryError('edges-failed', `${name}: ${words}`)
    for (const { reject } of waiters) reject(failure)
    waiters.clear()
  }
  child.on('message', (message: FromEdges) => {
    if (message.kind === 'failed') return fail(message.message)
    if (message.kind === 'accepted') {
      const known = accepted.get(message.version) ?? []
      accepted.set(message.version, known)
      known.push(...message.atMs)
      return
    }
    for (const waiter of waiters)
      if (waiter.kind === message.kind) {
        waiters.delete(waiter)
        waiter.resolve(message as never)
        return
      }
  })
  child.on('error', (error) => fail(error.message))
  child.on('exit', (code, signal) => fail(`ended with ${code ?? signal}`))
  const heard: EdgeProcess['heard'] = (kind) =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure)
      waiters.add({ kind, resolve, reject })
    })
  const tell = (message: ToEdges) => void child.send(message)
  await heard('ready')
  return {
    pid: () => child.pid ?? 0,
    tell,
    heard,
    counts: async () => {
      tell({ kind: 'count' })
      return (await heard('counts')).counts
    },
    acceptedAt: (version) => accepted.get(version) ?? [],
    stop: async () => {
      const { pid } = child
      if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      if (child.connected) tell({ kind: 'stop' })
      const late = setTimeout(() => void endProcess(pid, 'SIGKILL').catch(() => {}), stopWithinMs)
      await gone
      clearTimeout(late)
    },
  }
}
