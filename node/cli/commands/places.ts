import type { HostView, SiteView, TreeView } from '../../api/index.ts'
import { type CliCommand, textOption } from '../command.ts'
import { formatTable, printable } from '../table.ts'
import { ageText, hostTable } from './status.ts'

const treeLine = ({ name, scope, kind, note, 'oper-status': status, 'age-ms': ageMs }: TreeView): string => {
  const state = [status, ageMs === undefined ? undefined : `heard ${ageText(ageMs)} ago`, note]
    .filter(Boolean)
    .join(', ')
  const place = kind === 'host' ? '' : `  ${scope}`
  return printable(`${kind} ${name}${place}${state === '' ? '' : `  (${state})`}`)
}

/** The tree with lines between its parts. */
export const treeText = (tree: TreeView): string => {
  const below = (parent: TreeView, indent: string): string[] =>
    parent.children.flatMap((child, at) => {
      const last = at === parent.children.length - 1
      return [`${indent}${last ? '└─ ' : '├─ '}${treeLine(child)}`, ...below(child, `${indent}${last ? '   ' : '│  '}`)]
    })
  return `${[treeLine(tree), ...below(tree, '')].join('\n')}\n`
}

const siteOption = { flags: '--site <site>', text: 'ask this site' }

export const treeCommand: CliCommand = {
  name: 'tree',
  summary: 'zones, sites and hosts, and which of them answer',
  options: [siteOption],
  examples: ['skerry tree'],
  run: async (input, context) => {
    const tree = await context
      .client()
      .ask<TreeView>('GET', '/v1/state/tree', { query: { site: textOption(input, 'site') } })
    await context.result(tree, treeText(tree))
    return 0
  },
}

export const sitesCommand: CliCommand = {
  name: 'sites',
  summary: 'list the sites with their labels',
  options: [],
  examples: ['skerry sites'],
  run: async (_input, context) => {
    const sites = await context.client().ask<SiteView[]>('GET', '/v1/state/sites')
    const labels = (site: SiteView) =>
      Object.entries(site.labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`))
    const text = formatTable(
      [
        { title: 'site' },
        { title: 'scope' },
        { title: 'status' },
        { title: 'age', align: 'right' },
        { title: 'labels' },
      ],
      sites.map((site) => [
        site.name,
        site.scope,
        site['oper-status'],
        ageText(site['age-ms']),
        labels(site).join(' ') || '-',
      ]),
    )
    await context.result(sites, text)
    return 0
  },
}

export const nodesCommand: CliCommand = {
  name: 'nodes',
  summary: 'list the hosts and what runs containers on them',
  options: [siteOption],
  examples: ['skerry nodes'],
  run: async (input, context) => {
    const hosts = await context
      .client()
      .ask<HostView[]>('GET', '/v1/state/hosts', { query: { site: textOption(input, 'site') } })
    await context.result(hosts, hostTable(hosts))
    return 0
  },
}
