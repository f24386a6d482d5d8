import { formatDuration, nameHint, SkerryError } from '../../../base/index.ts'
import type { ConflictCandidateView, ConflictView, SettledView } from '../../api/index.ts'
import { type CliCommand, textArgument, textOption } from '../command.ts'
import { formatTable, printable } from '../table.ts'

const path = '/v1/state/conflicts'

/** Like `1.2 (shop-everywhere)`, or that the application is to stop. */
const wantsText = ({ retired, version, deployment, revision }: ConflictCandidateView): string => {
  if (retired) return 'to retire it'
  if (revision === undefined) return '-'
  const label = version || revision.slice(0, 12)
  return deployment === undefined ? label : `${label} (${deployment})`
}

const rowsOf = (conflict: ConflictView): readonly string[][] => [
  ...conflict.candidates.map((one) => [
    conflict.application,
    conflict.scope,
    one.id,
    one.scope,
    wantsText(one),
    one.by ?? '-',
    one.sites.join(', ') || (one.runs ? 'told' : '-'),
    formatDuration(conflict['since-ms']),
  ]),
  ...conflict.withheld.map(({ zone, count }) => [
    conflict.application,
    conflict.scope,
    '-',
    zone,
    count === 1 ? `one candidate is withheld by ${zone}` : `${count} candidates are withheld by ${zone}`,
    '-',
    '-',
    formatDuration(conflict['since-ms']),
  ]),
]

/** What does not agree, a line for each candidate. Pure: the same views give the same text. */
export const conflictTable = (conflicts: readonly ConflictView[]): string => {
  if (conflicts.length === 0) return 'no conflicts\n'
  const columns = ['application', 'in', 'candidate', 'of', 'wants', 'by', 'runs at', 'for'].map((title) => ({ title }))
  const notes = [...new Set(conflicts.map(({ note }) => note))].map((note) => `${printable(note)}\n`)
  return `${formatTable(columns, conflicts.flatMap(rowsOf))}\n${notes.join('')}`
}

const list = async (
  client: { ask<Answer>(method: 'GET', path: string): Promise<Answer> },
  application?: string,
): Promise<readonly ConflictView[]> => {
  const all = await client.ask<readonly ConflictView[]>('GET', path)
  if (application === undefined) return all
  const found = all.filter((one) => one.application === application)
  if (found.length > 0) return found
  const known = [...new Set(all.map((one) => one.application))]
  throw new SkerryError(
    'not-found',
    `there is no conflict about ${application} here; ${known.length === 0 ? 'no application is in conflict' : nameHint(application, known)}`,
  )
}

const showCommand: CliCommand = {
  name: 'show',
  summary: 'what each side wants of an application, who decided it and where it runs',
  args: [{ name: '<app>', text: 'the application' }],
  examples: ['skerry conflicts show shop'],
  run: async (input, context) => {
    const found = await list(context.client(), textArgument(input, 0))
    await context.result(found, conflictTable(found))
    return 0
  },
}

const settleCommand: CliCommand = {
  name: 'settle',
  summary: 'end a conflict by taking one of its candidates',
  args: [{ name: '<app>', text: 'the application' }],
  options: [
    {
      flags: '--take <candidate>',
      text: 'first digits of its id, `local` (what the zone decided) or `above`',
      required: true,
    },
    { flags: '--zone <path>', text: 'the zone where the words meet [default: the only one]' },
  ],
  examples: [
    'skerry conflicts settle shop --take above --zone /north',
    'skerry conflicts settle shop --take a1b2c3d4e5f6',
  ],
  run: async (input, context) => {
    const application = textArgument(input, 0)
    const zone = textOption(input, 'zone')
    const settled = await context
      .client()
      .ask<SettledView>('POST', `${path}/${encodeURIComponent(application)}/settle`, {
        body: { kind: 'json', value: { take: textOption(input, 'take') ?? '', ...(zone !== undefined && { zone }) } },
      })
    const { scope, taken } = settled
    const what = taken.retired ? 'to retire it' : `version ${taken.version || '-'}`
    await context.result(settled, `${application} in ${scope}: taken is ${what}, decided at ${taken.scope}\n`)
    return 0
  },
}

export const conflictsCommand: CliCommand = {
  name: 'conflicts',
  summary: 'applications that a zone and those above it decided differently',
  examples: ['skerry conflicts', 'skerry conflicts --json', 'skerry conflicts settle shop --take above --zone /north'],
  subcommands: [showCommand, settleCommand],
  run: async (_input, context) => {
    const conflicts = await list(context.client())
    await context.result(conflicts, conflictTable(conflicts))
    return 0
  },
}
