import { type CliCommand, type CliContext, type CommandInput, textArgument, textOption } from '../command.ts'
import { describeFailure, exitCodes, usageError } from '../failure.ts'

/** What was asked for on the command line. */
export interface SimulateInput {
  /** An example by name, or a path. */
  readonly topology: string
  readonly scenario: string | undefined
  readonly seed: number
  /** Where the report goes; undefined for none. */
  readonly report: string | undefined
  readonly examplesDir: string
  readonly exampleNames: readonly string[]
  /** Of the program. */
  readonly version: string
}

/** The program that simulates. It stands beside the command line and is loaded only when it is asked for. */
export interface Simulator {
  /** @returns 0 when nothing was broken, 1 when something was */
  simulate(input: SimulateInput, context: CliContext): Promise<number>
}

export interface SimulatePowers {
  readonly load: () => Promise<Simulator>
  readonly examplesDir: string
  readonly exampleNames: () => readonly string[]
  readonly version: string
}

const seedOf = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw usageError(`--seed ${text}: give a whole number`)
  return Number(text)
}

const run = async (input: CommandInput, context: CliContext, powers: SimulatePowers): Promise<number> => {
  const asked: SimulateInput = {
    topology: textArgument(input, 0),
    scenario: textOption(input, 'scenario'),
    seed: seedOf(textOption(input, 'seed') ?? '1'),
    report: textOption(input, 'report'),
    examplesDir: powers.examplesDir,
    exampleNames: powers.exampleNames(),
    version: powers.version,
  }
  try {
    return await (await powers.load()).simulate(asked, context)
  } catch (error) {
    if (context.signal.aborted) throw error
    // 1 says that something is broken in the tree, so what could not be run at all ends with 2.
    const { text, body } = describeFailure(error)
    context.progress('')
    await context.errorOut(Buffer.from(`${context.json ? JSON.stringify(body) : text}\n`))
    return exitCodes.usage
  }
}

/** `skerry simulate`: a whole tree in one process and in virtual time. */
export const simulateCommand = (powers: SimulatePowers): CliCommand => ({
  name: 'simulate',
  summary: 'take a tree through outages in virtual time and say what becomes of it',
  args: [{ name: '<topology>', text: 'an example by name, or a topology file' }],
  options: [
    { flags: '--scenario <file>', text: 'what happens and when [default: a week of outages, made for the tree]' },
    { flags: '--seed <number>', text: 'the same seed gives the same run', default: '1' },
    { flags: '--report <file>', text: 'write a report for a browser, one .html file that needs no network' },
  ],
  examples: [
    'skerry simulate two-zones',
    'skerry simulate ./my-topology.yaml --report my-week.html',
    'skerry simulate federal --scenario ./uplink-lost.yaml --seed 7',
  ],
  run: (input, context) => run(input, context, powers),
})
