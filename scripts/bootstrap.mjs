#!/usr/bin/env node
/**
 * Makes a fresh checkout ready and runs one task with Node 24: `node scripts/bootstrap.mjs <task> [arguments]`.
 * Plain JavaScript for Node 18, because it runs before anything is installed. All it says goes to standard error, so
 * that standard output belongs to the task. What each step does is in scripts/setup/*.mjs.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureDependencies } from './setup/dependencies.mjs'
import { ensureEngine } from './setup/engine.mjs'
import { ensureNode } from './setup/node.mjs'
import { SetupError, say } from './setup/words.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** `engine`: real containers are wanted; `bundle`: it starts built nodes; `here`: it runs where the caller stands. */
const tasks = {
  demo: { file: 'simulations/demo/demo.ts', engine: true, bundle: true },
  test: { file: 'scripts/test.ts', engine: true, bundle: true },
  bench: { file: 'simulations/benchmarks/bench.ts', engine: true, bundle: true },
  trial: { file: 'simulations/trials/trial.ts', engine: true, bundle: true },
  simulate: { file: 'simulations/simulate.ts' },
  check: { file: 'scripts/check.ts' },
  build: { file: 'scripts/build.ts' },
  skerry: { file: 'scripts/bin/skerry.mjs', bundle: true, here: true },
}

const run = (node, args, { cwd, stdio = 'inherit' }) =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
    const child = spawn(node, args, { cwd, stdio, env })
    // Ctrl-C in a terminal reaches the child without us: passing it on would count as pressing it twice.
    const pass = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, pass)
      resolve(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1))
    })
  })

const main = async () => {
  const [name, ...args] = process.argv.slice(2)
  const task = Object.hasOwn(tasks, name ?? '') ? tasks[name] : undefined
  if (!task) throw new SetupError(`usage: node scripts/bootstrap.mjs ${Object.keys(tasks).join('|')} [arguments]`, 2)
  if (!existsSync(join(root, task.file)))
    throw new SetupError(`${name} is not there yet: ${task.file} does not exist`, 2)
  const node = await ensureNode(root)
  await ensureDependencies(root)
  if (task.engine) await ensureEngine()
  if (task.bundle && existsSync(join(root, 'node/bin/skerry.ts'))) {
    const code = await run(node, [join(root, 'scripts/build.ts')], { cwd: root, stdio: ['ignore', 2, 2] })
    if (code !== 0) return code
  }
  return run(node, [join(root, task.file), ...args], { cwd: task.here ? process.cwd() : root })
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(error.message)
  process.exitCode = error.exitCode
}
