import type { ZonePolicyView, ZoneView } from '../../api/index.ts'
import { type CliCommand, textArgument } from '../command.ts'
import { formatTable, printable } from '../table.ts'

const policyText = (view: ZonePolicyView, explain: boolean): string => {
  const title = `${view.scope}${view.privacy ? '  (privacy zone)' : ''}\n`
  const levels = formatTable([{ title: 'kind' }, { title: 'may leave' }], Object.entries(view.policy))
  if (!explain) return title + levels
  const words = view.ancestors.map(({ lines }) => `\n${lines.map((line) => `${printable(line)}\n`).join('')}`)
  return title + levels + (words.join('') || '\nnothing is above this zone\n')
}

const policyCommand: CliCommand = {
  name: 'policy',
  summary: 'what may leave a zone',
  args: [{ name: '<path>', text: 'path of the zone, like /de/bavaria' }],
  options: [{ flags: '--explain', text: 'say in words what each zone above can see' }],
  examples: ['skerry zones policy /de/bavaria', 'skerry zones policy /de/bavaria --explain'],
  run: async (input, context) => {
    const view = await context
      .client()
      .ask<ZonePolicyView>('GET', '/v1/state/zone-policy', { query: { zone: textArgument(input, 0) } })
    await context.result(view, policyText(view, input.options.explain === true))
    return 0
  },
}

export const zonesCommand: CliCommand = {
  name: 'zones',
  summary: 'list the zones, or say what may leave one',
  examples: ['skerry zones', 'skerry zones policy /de/bavaria --explain'],
  subcommands: [policyCommand],
  run: async (_input, context) => {
    const zones = await context.client().ask<ZoneView[]>('GET', '/v1/state/zones')
    const text = formatTable(
      [
        { title: 'zone' },
        { title: 'privacy' },
        { title: 'zones', align: 'right' },
        { title: 'sites', align: 'right' },
        { title: 'reports leave as' },
      ],
      zones.map(({ scope, privacy, zones: inner, sites, policy }) => [
        scope,
        privacy ? 'yes' : 'no',
        String(inner),
        String(sites),
        policy.reports ?? '-',
      ]),
    )
    await context.result(zones, text)
    return 0
  },
}
