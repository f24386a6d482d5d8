import { spawn } from 'node:child_process'

/** What stops the set-up, in words for the person who started it. */
export class SetupError extends Error {
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

export const say = (line) => process.stderr.write(`skerry: ${line}\n`)

/** Says that something long goes on, every ten seconds, until `work` ends; then how it ended and how long it took. */
export const withProgress = async (what, work) => {
  const startMs = Date.now()
  const seconds = () => Math.round((Date.now() - startMs) / 1000)
  say(`${what} …`)
  const ticker = setInterval(() => say(`${what} … ${seconds()} s`), 10_000)
  try {
    const result = await work()
    say(`${what}: ${result.code === 0 ? 'done' : 'failed'} after ${seconds()} s`)
    return result
  } finally {
    clearInterval(ticker)
  }
}

/** Runs a program to its end. Never rejects for what the program says; `output` is the last 16 KiB of both streams. */
export const runQuietly = (program, args, options = {}) =>
  new Promise((resolve) => {
    let output = ''
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const keep = (chunk) => {
      output = (output + chunk).slice(-16_384)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve({ code: 127, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })

/** Few and short retries: without a network the words about it come after seconds, not minutes. */
const patience = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']

/** Runs npm: `brought` (`{ node, cli }`), else the one that runs us, else the one in PATH. */
export const runNpm = (args, options = {}, brought = undefined) => {
  if (brought) return runQuietly(brought.node, [brought.cli, ...args, ...patience], options)
  const cli = process.env.npm_execpath
  return cli && /npm-cli\.[cm]?js$/.test(cli)
    ? runQuietly(process.execPath, [cli, ...args, ...patience], options)
    : runQuietly('npm', [...args, ...patience], options)
}

const offlinePattern =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|network/i

/** Why a download failed, and what to do. */
export const downloadFailure = (what, from, output) => {
  const lines = output.trim().split('\n').slice(-12).join('\n')
  return new SetupError(
    offlinePattern.test(output)
      ? `cannot get ${what}: ${from} cannot be reached. It is needed once; connect this machine (or set a proxy) and run the command again.\n${lines}`
      : `cannot get ${what} from ${from}:\n${lines}`,
  )
}
