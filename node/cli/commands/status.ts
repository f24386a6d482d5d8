import { formatDuration } from '../../../base/index.ts'
import type {
  ApplicationSiteView,
  ApplicationStateView,
  ApplicationZoneView,
  HostView,
  NodeView,
} from '../../api/index.ts'
import { type CliCommand, textArgument, textOption } from '../command.ts'
import { type Column, formatTable, printable } from '../table.ts'

/** More lines than this are folded to one per application and version, unless all are asked for. */
const mostRows = 60

const countNames = ['wanted', 'downloaded', 'running', 'ready', 'failing', 'unknown'] as const

const columns: readonly Column[] = [
  { title: 'application' },
  { title: 'version' },
  { title: 'site' },
  ...countNames.map((title) => ({ title, align: 'right' as const })),
  { title: 'age', align: 'right' },
]

export const ageText = (ageMs: number | undefined): string => (ageMs === undefined ? '-' : formatDuration(ageMs))

const siteRow = (name: string, site: ApplicationSiteView): string[] => [
  name,
  site.version || '-',
  site.site,
  ...countNames.map((count) => String(site[count].count)),
  ageText(site['age-ms']),
]

/** A zone that lets out counts alone stands where its sites would. */
const zoneRow = (name: string, zone: ApplicationZoneView): string[] => [
  name,
  zone.version || '-',
  `${zone.zone} (${[zone.note, ...(zone.conflict.count > 0 ? [`${zone.conflict.count} in conflict`] : [])].join(', ')})`,
  ...countNames.map((count) => (count === 'downloaded' ? '-' : String(zone[count].count))),
  ageText(zone['age-ms']),
]

const zoneRows = ({ name, zones = [] }: ApplicationStateView): string[][] => zones.map((zone) => zoneRow(name, zone))

const foldedRows = (application: ApplicationStateView): string[][] => {
  const versions = [...new Set(application.sites.map(({ version }) => version))].toSorted()
  return versions.map((version) => {
    const sites = application.sites.filter((site) => site.version === version)
    const ages = sites.flatMap((site) => site['age-ms'] ?? [])
    const sum = (count: (typeof countNames)[number]) => sites.reduce((total, site) => total + site[count].count, 0)
    return [
      application.name,
      version || '-',
      `${sites.length} sites`,
      ...countNames.map((count) => String(sum(count))),
      ageText(ages.length === 0 ? undefined : ages.reduce((a, b) => Math.max(a, b))),
    ]
  })
}

const nowhere = ({ name, version }: ApplicationStateView): string[] => [
  name,
  version || '-',
  '(not deployed)',
  ...countNames.map(() => '-'),
  '-',
]

/** The table of applications. Pure: the same views give the same text. */
export const statusTable = (applications: readonly ApplicationStateView[], all: boolean): string => {
  if (applications.length === 0) return 'no applications yet: apply one with "skerry apply -f FILE"\n'
  const fold = !all && applications.reduce((total, { sites }) => total + sites.length, 0) > mostRows
  const rows = applications.flatMap((application) => {
    const counted = zoneRows(application)
    if (application.sites.length === 0) return counted.length > 0 ? counted : [nowhere(application)]
    const known = fold ? foldedRows(application) : application.sites.map((site) => siteRow(application.name, site))
    return [...known, ...counted]
  })
  const note = fold ? 'folded by version; --all shows each site\n' : ''
  return formatTable(columns, rows) + note
}

const ingressColumns: readonly Column[] = [
  { title: 'address' },
  { title: 'leads to' },
  { title: 'site' },
  { title: 'host' },
]

/** The host ports that lead to instances; empty when there is none. */
export const ingressTable = (applications: readonly ApplicationStateView[], all: boolean): string => {
  const rows = applications.flatMap(({ sites }) =>
    sites.flatMap(({ site, ingress }) =>
      ingress.map((one) => [
        `${one.address}:${one['host-port']}`,
        `${one.instance} ${one.protocol} ${one['container-port']}`,
        site,
        one.host,
      ]),
    ),
  )
  if (rows.length === 0) return ''
  const shown = all ? rows : rows.slice(0, mostRows)
  const more = rows.length > shown.length ? `… and ${rows.length - shown.length} more: --all shows them\n` : ''
  return `\n${formatTable(ingressColumns, shown)}${more}`
}

/** Why things are not here yet, one line each. */
export const waitingLines = (applications: readonly ApplicationStateView[]): string => {
  const lines = applications.flatMap(({ name, sites }) =>
    sites.flatMap(({ site, waiting }) =>
      waiting.map(({ reason, detail, instance, 'for-ms': forMs }) =>
        printable(`  ${instance ?? name} at ${site}: ${reason} for ${formatDuration(forMs)}: ${detail}`),
      ),
    ),
  )
  if (lines.length === 0) return ''
  const more = lines.length > 10 ? `  … and ${lines.length - 10} more: see "skerry explain APP --site SITE"\n` : ''
  return `\nnot here yet:\n${lines.slice(0, 10).join('\n')}\n${more}`
}

/** Where those who may decide do not agree, one line each. */
export const conflictLines = (applications: readonly ApplicationStateView[]): string => {
  const lines = applications.flatMap(({ name, conflicts = [] }) =>
    conflicts.map(({ scope, candidates, note }) =>
      printable(`  ${name} in ${scope}: conflict of ${candidates} decisions; sites keep what they have; ${note}`),
    ),
  )
  const others = applications.flatMap(({ name, 'overridden-by': by = [] }) =>
    by.map((scope) => printable(`  ${name} in ${scope}: its own operators decided otherwise`)),
  )
  const text = (title: string, all: readonly string[]) => (all.length === 0 ? '' : `\n${title}:\n${all.join('\n')}\n`)
  return text('in conflict', lines) + text('decided by zones themselves', others)
}

const hostColumns: readonly Column[] = [
  { title: 'host' },
  { title: 'site' },
  { title: 'status' },
  { title: 'driver' },
  { title: 'bridge' },
  { title: 'subnet' },
  { title: 'ports' },
  { title: 'age', align: 'right' },
]

/** The hosts and what runs containers on them. */
export const hostTable = (hosts: readonly HostView[]): string =>
  formatTable(
    hostColumns,
    hosts.map(({ name, site, runtime, note, 'oper-status': status, 'age-ms': ageMs }) => [
      name,
      site,
      [status, note, status === 'up' && runtime?.state === 'unavailable' ? 'engine unavailable' : undefined]
        .filter(Boolean)
        .join(', '),
      runtime === undefined ? '-' : [runtime.driver, runtime.version].filter(Boolean).join(' '),
      runtime?.bridge ?? '-',
      runtime?.subnet ?? '-',
      runtime === undefined ? '-' : runtime['port-range'].join('-'),
      ageText(ageMs),
    ]),
  )

const parentLine = ({ parent }: NodeView): string =>
  parent === undefined
    ? ''
    : printable(
        [`parent ${parent.node}: link ${parent.link} for ${ageText(parent['age-ms'])}`, parent.siblings ?? []]
          .flat()
          .join('; '),
      )

/** What the node says of its parent, and what a person must know. */
export const nodeLines = (node: NodeView): string =>
  [parentLine(node), ...node.notes.map((note) => `note: ${printable(note)}`)]
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('')

export const statusCommand: CliCommand = {
  name: 'status',
  summary: 'what is wanted, downloaded, running and ready, and on which hosts',
  args: [{ name: '[app]', text: 'only this application' }],
  options: [
    { flags: '--site <site>', text: 'ask this site' },
    { flags: '--all', text: 'a line for each site, however many there are' },
  ],
  examples: ['skerry status', 'skerry status shop', 'skerry status --json'],
  run: async (input, context) => {
    const name = textArgument(input, 0)
    const query = { site: textOption(input, 'site') }
    const client = context.client()
    const [applications, node, hosts] = await Promise.all([
      name === ''
        ? client.ask<ApplicationStateView[]>('GET', '/v1/state/applications', { query })
        : client
            .ask<ApplicationStateView>('GET', `/v1/state/applications/${encodeURIComponent(name)}`, { query })
            .then((one) => [one]),
      client.ask<NodeView>('GET', '/v1/state/node', { query }),
      client.ask<HostView[]>('GET', '/v1/state/hosts', { query }),
    ])
    const all = input.options.all === true
    const shownHosts = all ? hosts : hosts.slice(0, mostRows)
    const more =
      hosts.length > shownHosts.length ? `… and ${hosts.length - shownHosts.length} more hosts: --all shows them\n` : ''
    const hostText = hosts.length === 0 ? '' : `\n${hostTable(shownHosts)}${more}`
    const text = `${statusTable(applications, all)}${conflictLines(applications)}${waitingLines(applications)}${ingressTable(applications, all)}${hostText}\n${nodeLines(node)}`
    await context.result({ applications, node, hosts }, text)
    return 0
  },
}
