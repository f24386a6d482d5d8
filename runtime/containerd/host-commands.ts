import { spawn } from 'node:child_process'
import { errorText } from '../../base/index.ts'

/** A program of the host that ended otherwise than hoped. */
export class CommandError extends Error {
  readonly exitCode: number | undefined
  readonly output: string
  constructor(command: string, exitCode: number | undefined, output: string, cause?: unknown) {
    super(`${command} failed${exitCode === undefined ? '' : ` (exit ${exitCode})`}: ${output.trim()}`, { cause })
    this.exitCode = exitCode
    this.output = output
  }
}

const maxOutputBytes = 1024 * 1024
/** Administrators' directories are often missing from the PATH of a service. */
const searchPath = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`

/**
 * Runs a program of the host and waits for it.
 * @returns what it wrote to standard output, up to 1 MiB.
 * @throws {CommandError} with its words when it cannot be started or does not end with 0.
 */
export const run = (
  command: string,
  args: readonly string[],
  options: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: searchPath, ...options.env },
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    let bytes = 0
    const keep = (into: Buffer[]) => (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= maxOutputBytes) into.push(piece)
    }
    child.stdout.on('data', keep(out))
    child.stderr.on('data', keep(err))
    child.on('error', (error) => reject(new CommandError(command, undefined, errorText(error), error)))
    child.stdin.on('error', () => {}) // A program that ends before it read its input says so by its exit code.
    child.stdin.end(options.input ?? '')
    child.on('close', (code) => {
      const text = Buffer.concat(out).toString('utf8')
      if (code === 0) resolve(text)
      else reject(new CommandError(command, code ?? undefined, `${Buffer.concat(err).toString('utf8')}${text}`))
    })
  })
