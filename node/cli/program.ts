import { Command, Option } from 'commander'
import { nearestName } from '../../base/index.ts'
import type { CliCommand, CommandInput } from './command.ts'
import { usageError } from './failure.ts'

export type Run = (
  command: CliCommand,
  input: CommandInput,
  globals: Readonly<Record<string, unknown>>,
) => Promise<void>

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]

const examplesText = (examples: readonly string[]): string =>
  examples.length === 0 ? '' : `\nExamples:\n${examples.map((line) => `  $ ${line}\n`).join('')}`

const refuseUnknownSubcommand = (made: Command, { name, args = [], subcommands }: CliCommand): void => {
  const wrong = made.args[args.length]
  if (!subcommands || wrong === undefined) return
  const names = subcommands.map((subcommand) => subcommand.name)
  const near = nearestName(wrong, names)
  throw usageError(
    `unknown command '${name} ${wrong}'\n(${near ? `Did you mean ${near}?` : `there is ${names.join(', ')}`})`,
  )
}

const above = ({ parent }: Command): readonly Command[] => (parent === null ? [] : [parent, ...above(parent)])

/**
 * Options of a command with the name of one of a command above it, like `up --node` or `hosts token --zone`: commander
 * gives their values to the outer one.
 */
const sharedOptions = ({ options = [] }: CliCommand, made: Command): CommandInput['options'] =>
  Object.fromEntries(
    options.flatMap(({ flags }) => {
      const name = new Option(flags).attributeName()
      const values = above(made).map((outer): unknown => outer.getOptionValue(name))
      const value = values.find((one) => one !== undefined)
      return value === undefined ? [] : [[name, value]]
    }),
  )

const define = (parent: Command, command: CliCommand, root: Command, run: Run): void => {
  const made = parent.command(command.name).description(command.summary)
  for (const { name, text } of command.args ?? []) made.argument(name, text)
  for (const { flags, text, default: value, required, many } of command.options ?? []) {
    const option = new Option(flags, text).makeOptionMandatory(required ?? false)
    if (value !== undefined) option.default(value)
    if (many) option.argParser(collect)
    made.addOption(option)
  }
  made.addHelpText('after', examplesText(command.examples))
  for (const subcommand of command.subcommands ?? []) define(made, subcommand, root, run)
  // A wrong subcommand looks like an argument too many: it is refused below, with a suggestion.
  if (command.subcommands && command.run) made.allowExcessArguments()
  if (command.run)
    made.action(async (...given: unknown[]) => {
      // commander hands over the arguments, then the options, then the command itself
      const args = given.slice(0, -2) as CommandInput['args']
      refuseUnknownSubcommand(made, command)
      await run(command, { args, options: { ...sharedOptions(command, made), ...made.opts() } }, root.opts())
    })
}

/** The commander program of a list of commands; it throws CommanderError instead of ending the process. */
export const createProgram = (
  commands: readonly CliCommand[],
  powers: {
    readonly version: string
    readonly run: Run
    readonly out: (text: string) => void
    readonly err: (text: string) => void
    readonly color: boolean
  },
): Command => {
  const program = new Command('skerry')
    .description('Places, runs and watches containers on many small sites.')
    .version(powers.version, '-V, --version', 'print the version')
    .option('--home <dir>', 'folder of the tree on this machine (SKERRY_HOME) [default: .skerry]')
    .option('--endpoint <url>', 'another node: https://HOST:PORT, or unix:PATH for a socket of this host')
    .option('--fingerprint <sha256>', 'the certificate of that node, as `skerry up` shows it')
    .option('--token-file <file>', 'file with the bearer token for that node')
    .option('--node <name>', 'ask this node of the tree on this machine, instead of the tower')
    .option('--json', 'one JSON value on standard output; errors as JSON on standard error')
    .showHelpAfterError('(add --help for what there is)')
    .showSuggestionAfterError()
    .helpCommand(true)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      examplesText([
        'skerry up',
        'skerry apply -f shop.yaml --image shop.tar --wait',
        'skerry status',
        'skerry explain shop --site shop-1',
      ]) +
        '\nExit codes: 0 done, 1 refused, 2 not understood, 3 no node answers; `exec` ends with that of its command.\n',
    )
  program.configureOutput({
    writeOut: powers.out,
    writeErr: powers.err,
    getOutHasColors: () => powers.color,
    getErrHasColors: () => powers.color,
  })
  program.exitOverride()
  for (const command of commands) define(program, command, program, powers.run)
  return program
}
