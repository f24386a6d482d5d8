import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { ApiServices } from '../api/index.ts'
import { openMemoryApi } from '../api/memory/index.ts'
import { systemClock } from '../powers/index.ts'
import type { CliCommand } from './command.ts'
import { writeProfile } from './profile.ts'
import { runCli } from './run-cli.ts'

const collector = (onWrite?: () => void) => {
  const parts: Uint8Array[] = []
  return {
    isTty: false,
    write: (chunk: string | Uint8Array) => {
      parts.push(Buffer.from(chunk))
      onWrite?.()
    },
    text: () => Buffer.concat(parts).toString(),
  }
}

/** Runs one command line as the program does, and keeps what it writes. */
export const tryCli = async (
  home: string,
  argv: readonly string[],
  given: {
    stdin?: string
    signal?: AbortSignal
    env?: Record<string, string>
    onOut?: () => void
    commands?: readonly CliCommand[]
  } = {},
) => {
  const [stdout, stderr] = [collector(given.onOut), collector()]
  const exitCode = await runCli(argv, {
    stdout,
    stderr,
    stdin: (async function* () {
      yield Buffer.from(given.stdin ?? '')
    })(),
    env: { SKERRY_HOME: home, ...given.env },
    cwd: home,
    clock: systemClock,
    signal: given.signal ?? new AbortController().signal,
    version: '0.0.0',
    ...(given.commands && { commands: given.commands }),
  })
  return { exitCode, out: stdout.text(), err: stderr.text(), json: () => JSON.parse(stdout.text()) as unknown }
}

/** A tree of one node over services in memory, and a command line that is at home there. */
export const openCli = async (t: ExecutionContext, services?: ApiServices) => {
  const memory = await openMemoryApi(services && { services })
  t.teardown(memory.close)
  const { httpsUrl, fingerprint } = memory.api
  writeProfile(memory.dir, { version: 1, endpoint: httpsUrl, fingerprint, 'token-file': memory.tokenFile, nodes: [] })
  const file = (name: string, text: string | Uint8Array) => {
    writeFileSync(join(memory.dir, name), text)
    return join(memory.dir, name)
  }
  const cli = (argv: readonly string[], given: Parameters<typeof tryCli>[2] = {}) => tryCli(memory.dir, argv, given)
  return { ...memory, cli, file }
}
