import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import type { Clock } from '../../base/index.ts'
import type { ExecResult } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'

/** A file of the image, links followed; undefined when it is not there or lies outside. */
export const fileInImage = (root: string, path: string): string | undefined => {
  const wanted = resolve(root, `.${sep}${path}`)
  if (!existsSync(wanted)) return undefined
  const real = realpathSync(wanted)
  return real.startsWith(realpathSync(root) + sep) ? wanted : undefined
}

/**
 * What a command means for an ordinary process: `node …` is the node's own Node, a script of the image is run by it.
 * A shell or any other program of the host is not in the image, so it is refused instead of pretended.
 * @throws {ContainersError} `exec-failed`
 */
const commandOf = (root: string, [program = '', ...rest]: readonly string[]): readonly string[] => {
  if (program === 'node') return [process.execPath, ...rest]
  const script = /\.[cm]?js$/.test(program) ? fileInImage(root, program) : undefined
  if (script) return [process.execPath, script, ...rest]
  throw new ContainersError(
    'exec-failed',
    `cannot run ${program}: this container is an ordinary process; only node and scripts of its image run beside it, ` +
      'use containerd for other commands',
  )
}

/** Collects output up to a bound, and says whether some was dropped. */
const collect = (maxBytes: number) => {
  const parts: Buffer[] = []
  let sizeBytes = 0
  let truncated = false
  return {
    add: (part: Buffer) => {
      const room = Math.max(0, maxBytes - sizeBytes)
      if (part.length > room) truncated = true
      parts.push(part.subarray(0, room))
      sizeBytes += Math.min(part.length, room)
    },
    bytes: () => new Uint8Array(Buffer.concat(parts)),
    truncated: () => truncated,
  }
}

/** Runs a command beside a process, in the directory of its image, and waits for it. */
export const runBeside = (options: {
  readonly root: string
  readonly env: Readonly<Record<string, string>>
  readonly args: readonly string[]
  readonly timeoutMs: number
  readonly maxOutputBytes: number
  readonly signal?: AbortSignal
  readonly clock: Clock
}): Promise<ExecResult> => {
  const [program = '', ...args] = commandOf(options.root, options.args)
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.root,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [stdout, stderr] = [collect(options.maxOutputBytes), collect(options.maxOutputBytes)]
    let late: 'timeout' | 'aborted' | undefined
    const kill = (why: typeof late) => {
      late ??= why
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // Ended meanwhile.
      }
    }
    const abort = () => kill('aborted')
    const timer = options.clock.setTimer(options.timeoutMs, () => kill('timeout'))
    options.signal?.addEventListener('abort', abort)
    const settle = () => {
      timer.cancel()
      options.signal?.removeEventListener('abort', abort)
    }
    child.stdout.on('data', stdout.add)
    child.stderr.on('data', stderr.add)
    child.on('error', (cause) => {
      settle()
      reject(new ContainersError('exec-failed', `cannot run ${options.args.join(' ')}: ${cause.message}`, { cause }))
    })
    child.on('close', (code, signal) => {
      settle()
      const what = options.args.join(' ')
      if (late === 'timeout')
        reject(new ContainersError('timeout', `${what} did not end within ${options.timeoutMs} ms and was killed`))
      else if (late === 'aborted') reject(new ContainersError('exec-failed', `${what} was given up`))
      else
        resolve({
          exitCode: code ?? (signal === 'SIGKILL' ? 137 : 143),
          stdout: stdout.bytes(),
          stderr: stderr.bytes(),
          truncated: stdout.truncated() || stderr.truncated(),
        })
    })
  })
}
