import type { DiffView } from '../../api/index.ts'
import { type CliCommand, textArgument } from '../command.ts'
import { formatTable, printable } from '../table.ts'

/** A line for each difference; a dash where a site has nothing of it. */
export const diffText = ({ a, b, differences }: DiffView): string =>
  differences.length === 0
    ? printable(`${a} and ${b} are alike`).concat('\n')
    : formatTable(
        [{ title: 'what' }, { title: printable(a) }, { title: printable(b) }],
        differences.map((one) => [one.what, one.a ?? '-', one.b ?? '-']),
      )

export const diffCommand: CliCommand = {
  name: 'diff',
  summary: 'what differs between two sites: labels, hosts, and what is wanted and runs there',
  args: [
    { name: '<site>', text: 'the first site' },
    { name: '<other>', text: 'the second site' },
  ],
  examples: ['skerry diff n1 n2', 'skerry diff n1 n2 --json'],
  run: async (input, context) => {
    const query = { a: textArgument(input, 0), b: textArgument(input, 1) }
    const view = await context.client().ask<DiffView>('GET', '/v1/state/site-diff', { query })
    await context.result(view, diffText(view))
    return 0
  },
}
