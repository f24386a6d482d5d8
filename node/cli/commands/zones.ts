import type { NarrowedView, ZoneNodeView, ZonePolicyView, ZoneView } from '../../api/index.ts'
import { type CliCommand, listOption, textArgument } from '../command.ts'
import { formatTable, printable } from '../table.ts'
import { ageText } from './status.ts'
import { authorityCommand } from './zone-authority.ts'

const policyText = (view: ZonePolicyView, explain: boolean): string => {
  const title = `${view.scope}${view.privacy ? '  (privacy zone)' : ''}\n`
  const levels = formatTable([{ title: 'kind' }, { title: 'may leave' }], Object.entries(view.policy))
  if (!explain) return title + levels
  const words = view.ancestors.map(({ lines }) => `\n${lines.map((line) => `${printable(line)}\n`).join('')}`)
  const notes = view.notes.map((line) => `\n${printable(line)}\n`).join('')
  return title + levels + (words.join('') || '\nnothing is above this zone\n') + notes
}

const policyCommand: CliCommand = {
  name: 'policy',
  summary: 'what may leave a zone',
  args: [{ name: '<path>', text: 'path of the zone, like /de/bavaria' }],
  options: [
    { flags: '--explain', text: 'say in words what each zone above can see' },
    {
      flags: '--narrow <kind=level>',
      text: 'right above the zone: let out less than it does, none or summary; own takes that back',
      many: true,
    },
  ],
  examples: [
    'skerry zones policy /de/bavaria --narrow metrics=none',
    'skerry zones policy /de/bavaria',
    'skerry zones policy /de/bavaria --explain',
  ],
  run: async (input, context) => {
    const narrow = listOption(input, 'narrow')
    if (narrow.length > 0) {
      const levels = Object.fromEntries(narrow.map((text) => [text.split('=')[0] ?? '', text.split('=')[1] ?? '']))
      const body = { kind: 'json', value: { zone: textArgument(input, 0), levels } } as const
      const said = await context.client().ask<NarrowedView>('POST', '/v1/state/zone-policy/narrow', { body })
      const all = Object.entries(said.narrowing).map(([kind, level]) => `${kind} ${level}`)
      await context.result(
        said,
        `${printable(said.scope)} may let out at most: ${all.join(', ') || 'what it says itself'}\n`,
      )
      return 0
    }
    const view = await context
      .client()
      .ask<ZonePolicyView>('GET', '/v1/state/zone-policy', { query: { zone: textArgument(input, 0) } })
    await context.result(view, policyText(view, input.options.explain === true))
    return 0
  },
}

const count = (value: number | undefined): string => (value === undefined ? '-' : String(value))

const linkOf = (aggregators: readonly ZoneNodeView[]): string => {
  const linked = aggregators.filter(({ link }) => link !== undefined)
  const best = linked.find(({ link }) => link === 'up') ?? linked[0]
  if (best === undefined) return '-'
  return best.link === 'up' ? 'up' : `down for ${ageText(best['age-ms'])}`
}

const authorityOf = ({ authority }: ZoneView): string => {
  if (authority === undefined) return '-'
  const stale = authority['stale-for-ms']
  return stale === undefined ? 'fresh' : `stale for ${ageText(stale)}`
}

/** The zones with who runs them, whether they are reached, and whose word counts there. */
export const zoneTable = (zones: readonly ZoneView[]): string =>
  formatTable(
    [
      { title: 'zone' },
      { title: 'privacy' },
      { title: 'zones', align: 'right' },
      { title: 'sites', align: 'right' },
      { title: 'reports leave as' },
      { title: 'run by' },
      { title: 'link' },
      { title: 'generation', align: 'right' },
      { title: 'authority' },
      { title: 'note' },
    ],
    zones.map((zone) => [
      zone.scope,
      zone.privacy ? 'yes' : 'no',
      count(zone.zones),
      count(zone.sites),
      // Nothing is above the root, so nothing leaves it.
      zone.scope === '/' ? '-' : (zone.policy.reports ?? '-'),
      zone.aggregators.map(({ node }) => node).join(', ') || '-',
      linkOf(zone.aggregators),
      count(zone.authority?.generation),
      authorityOf(zone),
      zone.note ?? '',
    ]),
  )

export const zonesCommand: CliCommand = {
  name: 'zones',
  summary: 'list the zones with who runs them; say what may leave one, and who speaks for it',
  examples: ['skerry zones', 'skerry zones --json', 'skerry zones policy /de/bavaria --explain'],
  subcommands: [policyCommand, authorityCommand],
  run: async (_input, context) => {
    const zones = await context.client().ask<ZoneView[]>('GET', '/v1/state/zones')
    await context.result(zones, zoneTable(zones))
    return 0
  },
}
