import { constants, openSync } from 'node:fs'
import { mkdir, readlink, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { type Clock, type Random, randomHex, sleep } from '../../base/index.ts'
import type { ExecResult } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import { type ContainerdClient, isKind } from './containerd-client.ts'
import { run } from './host-commands.ts'
import { asSpec, execProcess, type OciSpec } from './oci-spec.ts'

/** How long output may trail after the process ended: a child of it may hold the pipe for ever. In milliseconds. */
const drainMs = 1_000
const sigkill = 9

/** Reads a named pipe until its writers are gone; what no longer fits is read and dropped, so that nobody waits. */
const readPipe = (path: string, budget: { leftBytes: number; truncated: boolean }) => {
  // Non-blocking, or opening would wait for a writer. The socket owns the descriptor and closes it.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const socket = new Socket({ fd, readable: true, writable: false })
  const pieces: Buffer[] = []
  socket.on('data', (piece: Buffer) => {
    const kept = piece.subarray(0, budget.leftBytes)
    budget.leftBytes -= kept.length
    if (kept.length < piece.length) budget.truncated = true
    if (kept.length > 0) pieces.push(kept)
  })
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => resolve())
    socket.on('error', () => resolve())
  })
  return { ended, bytes: () => Buffer.concat(pieces), close: () => socket.destroy() }
}

export const notRunning = (id: string, cause?: unknown): ContainersError =>
  new ContainersError('not-running', `cannot run a command in ${id}: it does not run`, { cause })

export interface ExecRequest {
  readonly args: readonly string[]
  readonly timeoutMs: number
  readonly maxOutputBytes: number
  readonly signal?: AbortSignal
}

/** Makes how to run commands in running containers. `directory` is for the pipes of their output. */
export const createTaskExec = (client: ContainerdClient, directory: string, clock: Clock, random: Random) => {
  const kill = (namespace: string, containerId: string, execId: string) =>
    client.call('tasks.kill', { containerId, execId, signal: sigkill }, { namespace }).catch(() => {})

  const waitForEnd = async (namespace: string, id: string, execId: string, request: ExecRequest) => {
    const ended = client.call('tasks.wait', { containerId: id, execId }, { namespace, timeoutMs: 0 })
    const stop = new AbortController()
    const late = sleep(clock, request.timeoutMs, stop.signal).then(() => 'late' as const)
    const aborted = new Promise<'aborted'>((resolve) => {
      if (request.signal?.aborted) resolve('aborted')
      request.signal?.addEventListener('abort', () => resolve('aborted'), { signal: stop.signal })
    })
    try {
      const first = await Promise.race([ended, late, aborted])
      if (first !== 'late' && first !== 'aborted') return first.exitStatus
      await kill(namespace, id, execId)
      await ended
      request.signal?.throwIfAborted()
      const words = `${JSON.stringify(request.args[0])} in ${id} did not end within ${request.timeoutMs} ms and was killed`
      throw new ContainersError('timeout', words)
    } finally {
      stop.abort()
    }
  }

  const execute = async (namespace: string, id: string, request: ExecRequest, pipes: string): Promise<ExecResult> => {
    const { process: first } = await client.call('tasks.get', { containerId: id }, { namespace })
    if (first.status !== 'RUNNING') throw notRunning(id)
    const found = await client.call('containers.get', { id }, { namespace })
    const spec = JSON.parse(Buffer.from(found.container.spec?.value ?? []).toString('utf8')) as OciSpec
    const execId = `exec-${randomHex(random, 8)}`
    const [stdout, stderr] = [`${pipes}/out`, `${pipes}/err`]
    await run('mkfifo', ['-m', '600', stdout, stderr])
    const budget = { leftBytes: request.maxOutputBytes, truncated: false }
    const readers = [readPipe(stdout, budget), readPipe(stderr, budget)] as const
    try {
      const root = await readlink(`/proc/${first.pid}/root`)
      const process = asSpec('Process', execProcess(spec, request.args, root))
      await client.call('tasks.exec', { containerId: id, execId, stdout, stderr, spec: process }, { namespace })
      try {
        const ended = waitForEnd(namespace, id, execId, request)
        ended.catch(() => {}) // Handled below; a failed start rejects it too.
        await client.call('tasks.start', { containerId: id, execId }, { namespace })
        const exitCode = await ended
        await Promise.race([Promise.all(readers.map((reader) => reader.ended)), sleep(clock, drainMs)])
        const stderr = readers[1].bytes()
        // Where the way leads through chroot it is chroot that finds no such program, and says so.
        if (root !== '/' && (exitCode === 126 || exitCode === 127) && stderr.includes('chroot: failed to run command'))
          throw new ContainersError('exec-failed', `cannot run ${JSON.stringify(request.args[0])} in ${id}: ${stderr}`)
        return { exitCode, stdout: readers[0].bytes(), stderr, truncated: budget.truncated }
      } finally {
        await client.call('tasks.deleteProcess', { containerId: id, execId }, { namespace }).catch(() => {})
      }
    } finally {
      for (const reader of readers) reader.close()
    }
  }

  return async (namespace: string, id: string, request: ExecRequest): Promise<ExecResult> => {
    const pipes = `${directory}/${randomHex(random, 6)}`
    await mkdir(pipes, { recursive: true, mode: 0o700 })
    try {
      return await execute(namespace, id, request, pipes)
    } catch (error) {
      if (isKind(error, 'not-found')) throw notRunning(id, error)
      throw error
    } finally {
      await rm(pipes, { recursive: true, force: true })
    }
  }
}
