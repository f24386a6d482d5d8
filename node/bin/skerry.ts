#!/usr/bin/env node
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runCli, simulateCommand } from '../cli/index.ts'
import { readNodeConfig } from '../config.ts'
import { endHost } from '../host-driver.ts'
import { downCommand, type NodeLayout, upCommand } from '../local-tree/index.ts'
import { systemClock, systemRandom } from '../powers/index.ts'
import { programVersion } from '../version.ts'

const inBundle = !import.meta.url.endsWith('.ts')
const nodeProgram = join(import.meta.dirname, inBundle ? 'skerry-node.mjs' : 'skerry-node.ts')
const examplesDir = inBundle
  ? join(import.meta.dirname, 'examples')
  : join(import.meta.dirname, '..', '..', 'topologies', 'examples')

// A program beside this one, not a part of it: nothing of it is loaded before somebody simulates (docs/adr/0036).
const simulator = inBundle
  ? join(import.meta.dirname, 'skerry-simulate.mjs')
  : join(import.meta.dirname, '..', '..', 'simulations', 'week', 'index.ts')
const exampleNames = () =>
  readdirSync(examplesDir)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -5))

const outputOf = (stream: NodeJS.WriteStream) => ({
  isTty: stream.isTTY === true,
  write: (chunk: string | Uint8Array) =>
    new Promise<void>((resolve) => {
      stream.write(chunk, () => resolve())
    }),
})

const endHostOf = async ({ configFile }: NodeLayout, options: { remove: boolean }): Promise<void> => {
  if (!existsSync(configFile)) return
  const args = ['--config', configFile]
  const config = readNodeConfig({ args, env: {}, readFile: (path) => readFileSync(path, 'utf8') })
  if (typeof config === 'object') await endHost(config, options)
}

// The first Ctrl-C ends the command cleanly, a second one the process.
const interrupted = new AbortController()
const interrupt = () => interrupted.abort()
process.once('SIGINT', interrupt)
process.once('SIGTERM', interrupt)
// A reader that went away, as in `skerry logs shop | head`, ends it too.
process.stdout.on('error', interrupt)
process.stderr.on('error', () => {})

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  stdin: process.stdin,
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  signal: interrupted.signal,
  version: programVersion,
  commands: [
    upCommand({
      clock: systemClock,
      random: systemRandom,
      // The flag of the installed binaries (scripts/bin): ten megabytes less for an idle node.
      nodeProgram: [process.execPath, '--max-semi-space-size=1', nodeProgram],
      examplesDir,
      exampleNames,
    }),
    downCommand({ endHost: endHostOf }),
    simulateCommand({
      load: () => import(pathToFileURL(simulator).href),
      examplesDir,
      exampleNames,
      version: programVersion,
    }),
  ],
})
