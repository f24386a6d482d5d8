import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { SkerryError } from '../../base/index.ts'

const run = promisify(execFile)
const timeoutMs = 120_000

/** Something else that starts containers. */
export interface Peer {
  /** Starts `count` containers in a loop, one after the other, and removes them. @returns milliseconds of the loop */
  time(count: number): Promise<number>
  remove(): Promise<void>
}

export const inPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)))

/**
 * As root on Debian the packages of a peer are installed where one of its programs is missing; a peer is needed, and only a
 * benchmark needs it.
 */
export const ensurePackages = async (
  programs: readonly string[],
  packages: readonly string[],
  say: (line: string) => void,
): Promise<void> => {
  const missing = programs.find((program) => !inPath(program))
  if (missing === undefined) return
  if (!inPath('apt-get')) throw new SkerryError('no-peer', `${missing} is not installed`)
  say(`no ${missing} in PATH; installing Debian's packages: ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const options = ['-q', '-y', '--no-remove', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300']
  await run('apt-get', ['-q', 'update'], { env, maxBuffer: 2 ** 26 })
  await run('apt-get', [...options, 'install', ...packages], { env, maxBuffer: 2 ** 26 })
}

/** Runs `script` with the words after it as "$@". @returns milliseconds */
export const timeShell = async (script: string, args: readonly string[]): Promise<number> => {
  const startedMs = performance.now()
  await run('/bin/sh', ['-ec', script, 'sh', ...args], { timeout: timeoutMs })
  return performance.now() - startedMs
}
