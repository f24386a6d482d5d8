import type { Clock } from '../../base/index.ts'
import type { ApiClient } from './client.ts'

/** Where text goes. `write` may resolve later when the reader is slow. */
export interface Output {
  write(chunk: string | Uint8Array): void | Promise<void>
  readonly isTty: boolean
}

/** What a command may use. */
export interface CliContext {
  /** Absolute folder of the tree on this machine. */
  readonly home: string
  readonly json: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal
  readonly stdin: AsyncIterable<Uint8Array>
  /** Raw bytes or text on standard output. */
  out(chunk: string | Uint8Array): Promise<void>
  /** The command's result: `value` as JSON with `--json`, else `text`. */
  result(value: unknown, text: string): Promise<void>
  /** One line for a person who waits, on standard error; nothing with `--json`. */
  say(line: string): void
  /** Like `say`, but on a terminal each call overwrites the last; ends with the next `say` or `''`. */
  progress(line: string): void
  /** Raw bytes on standard error. */
  errorOut(chunk: Uint8Array): Promise<void>
  /** @throws {SkerryError} `node-unreachable` when no node is known. */
  client(): ApiClient
}

export interface CommandInput {
  /** Positional arguments in order; a variadic one is a list. */
  readonly args: readonly (string | readonly string[] | undefined)[]
  /** Options by their long name in camel case. */
  readonly options: Readonly<Record<string, unknown>>
}

/** One command of `skerry`, as a value. */
export interface CliCommand {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** `<app>` is required, `[app]` optional, `[cmd...]` takes the rest. */
  readonly args?: readonly { readonly name: string; readonly text: string }[]
  /** Flags as commander writes them, like `-f, --file <file>`. */
  readonly options?: readonly {
    readonly flags: string
    readonly text: string
    readonly default?: string
    readonly required?: boolean
    /** May be given several times; the value is a list. */
    readonly many?: boolean
  }[]
  /** Whole command lines. */
  readonly examples: readonly string[]
  readonly subcommands?: readonly CliCommand[]
  /** @returns the exit code; 0 when nothing is returned. Absent where only the subcommands do something. */
  readonly run?: (input: CommandInput, context: CliContext) => Promise<number | undefined>
}

/** A text option, or undefined. */
export const textOption = ({ options }: CommandInput, name: string): string | undefined => {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** A required or optional positional argument as text; empty when it was not given. */
export const textArgument = ({ args }: CommandInput, at: number): string => {
  const value = args[at]
  return typeof value === 'string' ? value : ''
}

export const listOption = ({ options }: CommandInput, name: string): readonly string[] => {
  const value = options[name]
  return Array.isArray(value) ? value.map(String) : []
}
