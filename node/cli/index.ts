/**
 * The command line: commands as values, over the HTTP API of a node and nothing else.
 * Must not reach into a node in any other way, or decide what the API decides (it only shows and forwards).
 * Read first: command.ts, run-cli.ts.
 */
export { type ApiClient, createClient } from './client.ts'
export {
  type CliCommand,
  type CliContext,
  type CommandInput,
  listOption,
  type Output,
  textArgument,
  textOption,
} from './command.ts'
export { type SimulateInput, simulateCommand } from './commands/simulate.ts'
export type { Endpoint } from './connection.ts'
export { type Profile, writeProfile } from './profile.ts'
export { type CliPowers, runCli } from './run-cli.ts'
export { formatTable } from './table.ts'
