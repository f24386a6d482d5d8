/**
 * Runs the bundle with a Node that is new enough. Plain JavaScript for Node 18, so that an older Node gets words
 * instead of a syntax error.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { broughtNode, isNewEnough } from '../setup/node.mjs'

const folder = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(folder))

/**
 * @param file the bundle's entry in dist/
 * @param name what the program is called; the bundle reads its role from it (the last part of argv[1])
 * @param flags of Node, for a Node that is brought in; the first line of the binary has them for the system's. A small
 * young generation costs some speed and saves ten megabytes of an idle node (docs/benchmarks.md).
 */
export const launch = async (file, name, flags = []) => {
  const entry = join(root, 'dist', file)
  const isCheckout = existsSync(join(root, 'scripts', 'build.ts'))
  if (!existsSync(entry) && isCheckout) {
    const code = await run(process.execPath, [join(root, 'scripts', 'bootstrap.mjs'), 'build'], ['ignore', 2, 2])
    if (code !== 0) return exit(code)
  }
  if (isNewEnough(process.version)) {
    process.argv[1] = join(folder, name)
    await import(pathToFileURL(entry).href)
    return
  }
  const node = broughtNode(root)
  if (existsSync(node))
    return exit(await run(node, [...flags, join(folder, `${name}.mjs`), ...process.argv.slice(2)], 'inherit'))
  const next = isCheckout ? 'run `npm run build` once, which brings one' : 'install a newer Node'
  process.stderr.write(`${name} needs Node 24.12 or newer, this is ${process.version}: ${next}\n`)
  exit(1)
}

const exit = (code) => {
  process.exitCode = code
}

const run = (program, args, stdio) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.on(signal, () => {
        if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
      })
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)))
  })
