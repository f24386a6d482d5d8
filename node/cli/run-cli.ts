import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { CommanderError } from 'commander'
import { type Clock, errorText, nameHint, SkerryError } from '../../base/index.ts'
import { createClient } from './client.ts'
import type { CliCommand, CliContext, Output } from './command.ts'
import { commands as builtIn } from './commands.ts'
import type { Endpoint } from './connection.ts'
import { describeFailure, exitCodes, unreachable, usageError } from './failure.ts'
import { defaultHome, type Profile, readProfile } from './profile.ts'
import { createProgram } from './program.ts'
import { createProgress } from './progress.ts'

/** What the command line needs of the machine. */
export interface CliPowers {
  readonly stdout: Output
  readonly stderr: Output
  readonly stdin: AsyncIterable<Uint8Array>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly clock: Clock
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal
  readonly version: string
  /** Commands beside the built-in ones; they come first in the help. */
  readonly commands?: readonly CliCommand[]
}

type Globals = Readonly<Record<string, unknown>>

const textOf = (globals: Globals, name: string): string | undefined =>
  typeof globals[name] === 'string' ? globals[name] : undefined

const readToken = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new SkerryError('no-token', `cannot read the token file ${path}: ${errorText(error)}`)
  }
}

const httpsEndpoint = (text: string, fingerprint: string | undefined, tokenFile: string | undefined): Endpoint => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.username !== '')
    throw usageError(`--endpoint ${text} is none: write https://HOST:PORT, or unix:PATH`)
  if (fingerprint === undefined)
    throw usageError(`--fingerprint is missing: ${text} must prove who it is; "skerry up" shows it`)
  if (tokenFile === undefined) throw usageError(`--token-file is missing: ${text} wants a bearer token`)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { kind: 'https', host, port: Number(url.port || 443), fingerprint, token: readToken(tokenFile) }
}

/** What the profile says of one node of its tree; all nodes of it take the same token. */
const nodeNamed = (name: string, home: string, profile: Profile | undefined): Omit<Profile, 'version' | 'nodes'> => {
  if (!profile) throw unreachable(`--node ${name}: no tree is known in ${home}: start one with "skerry up"`)
  const node = profile.nodes.find((one) => one.name === name)
  if (!node) {
    const names = profile.nodes.map((one) => one.name)
    throw usageError(`--node ${name}: the tree in ${home} has no such node; ${nameHint(name, names)}`)
  }
  const { endpoint, fingerprint } = node
  return { endpoint, fingerprint, 'token-file': profile['token-file'] }
}

/** Flags win over the environment, that over the profile. The profile's secrets go only to the profile's endpoint. */
const findEndpoint = (globals: Globals, home: string, { env, cwd }: CliPowers): Endpoint => {
  const profile = readProfile(home)
  const node = textOf(globals, 'node')
  const named = node === undefined ? undefined : nodeNamed(node, home, profile)
  if (named && textOf(globals, 'endpoint') !== undefined)
    throw usageError('--node and --endpoint both name a node: give one of them')
  const given = named?.endpoint ?? textOf(globals, 'endpoint') ?? env.SKERRY_ENDPOINT
  const known = named ?? (given === undefined || profile?.endpoint === given ? profile : undefined)
  const text = given ?? known?.endpoint
  if (text === undefined)
    throw unreachable(`no node is known in ${home}: start one with "skerry up", or give --endpoint`)
  if (text.startsWith('unix:')) return { kind: 'socket', path: resolve(cwd, text.slice(5)) }
  const tokenFile = textOf(globals, 'tokenFile') ?? env.SKERRY_TOKEN_FILE ?? known?.['token-file']
  const fingerprint = textOf(globals, 'fingerprint') ?? env.SKERRY_FINGERPRINT ?? known?.fingerprint
  return httpsEndpoint(text, fingerprint, tokenFile && (isAbsolute(tokenFile) ? tokenFile : resolve(cwd, tokenFile)))
}

/** What works on this machine and not through a node must not look as if it did, like `down --node`. */
const refuseNode = ({ name, options = [] }: CliCommand, globals: Globals, { commands = [] }: CliPowers): void => {
  const isLocal = commands.some((command) => command.name === name)
  if (!isLocal || globals.node === undefined || options.some(({ flags }) => flags.startsWith('--node'))) return
  throw usageError(`skerry ${name} takes no --node: it is about the whole tree of this machine`)
}

const createContext = (globals: Globals, powers: CliPowers): CliContext => {
  const { stdout, stderr, env, clock, signal, stdin } = powers
  const given = textOf(globals, 'home')
  const home = given === undefined ? defaultHome(env, powers.cwd) : resolve(powers.cwd, given)
  const json = globals.json === true
  const { show } = createProgress(stderr, clock)
  const progress = (line: string) => {
    if (!json) show(line)
  }
  return {
    home,
    json,
    env,
    clock,
    signal,
    stdin,
    out: async (chunk) => stdout.write(chunk),
    errorOut: async (chunk) => stderr.write(chunk),
    result: async (value, text) => stdout.write(json ? `${JSON.stringify(value)}\n` : text),
    say: (line) => {
      progress('')
      if (!json) void stderr.write(`${line}\n`)
    },
    progress,
    client: () => createClient(findEndpoint(globals, home, powers), { clock, signal }),
  }
}

/**
 * Runs one command line (without program and script).
 * @returns the exit code: 0 done, 1 refused, 2 not understood, 3 no node answers, 130 interrupted
 */
export const runCli = async (argv: readonly string[], powers: CliPowers): Promise<number> => {
  const { stdout, stderr, env, signal } = powers
  const untilRest = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  const json = untilRest.includes('--json')
  let exitCode: number = exitCodes.ok
  let usage = ''
  const program = createProgram([...(powers.commands ?? []), ...builtIn], {
    version: powers.version,
    out: (text) => void stdout.write(text),
    err: (text) => {
      usage += text
    },
    color: stdout.isTty && !env.NO_COLOR,
    run: async (command, input, globals) => {
      refuseNode(command, globals, powers)
      const context = createContext(globals, powers)
      try {
        exitCode = (await command.run?.(input, context)) ?? exitCodes.ok
      } finally {
        context.progress('')
      }
    },
  })
  const fail = (failure: ReturnType<typeof describeFailure>) => {
    void stderr.write(json ? `${JSON.stringify(failure.body)}\n` : `${failure.text}\n`)
    return failure.exitCode
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted
    if (!(error instanceof CommanderError)) return fail(describeFailure(error))
    if (error.exitCode === 0) return exitCodes.ok
    const text = usage.trim() || error.message
    return fail({ ...describeFailure(usageError(text.replace(/^error: /, ''))), text, exitCode: exitCodes.usage })
  }
}
