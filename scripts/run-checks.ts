import { spawn } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'

export const root = dirname(import.meta.dirname)

/** The environment of every tool: the Node that runs us first, so that their launchers use it too. */
export const toolEnv: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
}

export const toolPath = (name: string): string => join(root, 'node_modules', '.bin', name)

export interface CheckResult {
  readonly name: string
  readonly ok: boolean
  readonly output: string
  readonly tookMs: number
}

const checks: readonly { name: string; tool: string; args: readonly string[] }[] = [
  { name: 'format and lint (biome)', tool: 'biome', args: ['ci', '--error-on-warnings', '.'] },
  { name: 'promises (oxlint, type-aware)', tool: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'types (tsc)', tool: 'tsc', args: ['-p', '.'] },
  { name: 'dead code (knip)', tool: 'knip', args: [] },
]

const runCheck = ({ name, tool, args }: (typeof checks)[number]): Promise<CheckResult> =>
  new Promise((resolve) => {
    const startMs = performance.now()
    let output = ''
    const child = spawn(toolPath(tool), args, { cwd: root, env: toolEnv, stdio: ['ignore', 'pipe', 'pipe'] })
    const done = (ok: boolean) => resolve({ name, ok, output, tookMs: performance.now() - startMs })
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', (error) => {
      output += error.message
      done(false)
    })
    child.on('close', (code) => done(code === 0))
  })

/** Runs the quick half one after the other and prints each as it ends, with its output when it failed. */
export const runChecks = async (): Promise<CheckResult[]> => {
  const results: CheckResult[] = []
  for (const check of checks) {
    const result = await runCheck(check)
    console.log(`${result.ok ? '✔' : '✘'} ${result.name} (${(result.tookMs / 1000).toFixed(1)} s)`)
    if (!result.ok) console.log(result.output.trimEnd())
    results.push(result)
  }
  return results
}
