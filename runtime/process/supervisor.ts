import { spawn } from 'node:child_process'
import { ContainersError } from '../containers-error.ts'

/**
 * A few lines of POSIX shell between us and the program, because it must outlive us, cost next to nothing, and note
 * the exit code while nobody looks. Arguments: directory of the container, log file, then the command.
 *
 * It leads its own session and process group. `wait` may return early for a signal to the shell itself; then the child
 * can still be signalled (also as a zombie), so its real code is still to come. When the program has ended, all else in
 * the group ends too, as it would in a container.
 */
const script = `
dir=$1; log=$2; shift 2
trap : TERM INT HUP
"$@" </dev/null >>"$log" 2>&1 &
child=$!
PATH=/usr/bin:/bin
{ echo "$$ $child" >"$dir/pids.new" && mv "$dir/pids.new" "$dir/pids"; } || { kill -KILL 0; }
echo "$$ $child"
exec >/dev/null 2>&1
while :; do
  wait "$child"; code=$?
  kill -0 "$child" 2>/dev/null || break
done
echo "$code $(date +%s)" >"$dir/exit.new" && mv "$dir/exit.new" "$dir/exit"
kill -KILL 0
`

export interface Pids {
  /** The supervisor, also the id of the process group. */
  readonly supervisor: number
  readonly program: number
}

/** `12 34` as the supervisor writes it. */
export const parsePids = (text: string): Pids | undefined => {
  const [, supervisor, program] = /^(\d+) (\d+)\s*$/.exec(text) ?? []
  return supervisor && program ? { supervisor: Number(supervisor), program: Number(program) } : undefined
}

/** Code and wall time of an end as the supervisor writes it; the time in milliseconds. */
export const parseExit = (text: string): { readonly code: number; readonly atMs: number } | undefined => {
  const [, code, atS] = /^(\d+) (\d+)\s*$/.exec(text) ?? []
  return code && atS ? { code: Number(code), atMs: Number(atS) * 1000 } : undefined
}

/**
 * Starts `command` under a supervisor that outlives this process.
 * @returns once the program's process exists.
 * @throws {ContainersError} `start-failed` when there is no shell or it could not note its process ids.
 */
export const supervise = (options: {
  /** Shows in the supervisor's command line, and so proves which process it is. */
  readonly token: string
  readonly directory: string
  readonly logPath: string
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Called when the supervisor ends while this process lives. */
  readonly onEnd: () => void
}): Promise<Pids> =>
  new Promise((resolve, reject) => {
    const { token, directory, logPath, command, cwd, env } = options
    const child = spawn('/bin/sh', ['-c', script, token, directory, logPath, ...command], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let said = ''
    const refuse = (why: string, cause?: unknown) =>
      reject(new ContainersError('start-failed', `cannot start ${command.join(' ')}: ${why}`, { cause }))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.stdout.on('end', () => {
      const pids = parsePids(said)
      if (pids) resolve(pids)
      else refuse('its supervisor said nothing')
    })
    child.on('error', (error) => refuse(error.message, error))
    child.on('exit', options.onEnd)
    child.unref()
  })
