import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

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

/** Runs `script` with the words after it as "$@". @returns milliseconds */
export const timeShell = async (script: string, args: readonly string[]): Promise<number> => {
  const startedMs = performance.now()
  await run('/bin/sh', ['-ec', script, 'sh', ...args], { timeout: timeoutMs })
  return performance.now() - startedMs
}
