import { SkerryError } from '../../../base/index.ts'
import type { MemberView, NodeView, TokenView } from '../../api/index.ts'
import { type CliCommand, type CliContext, type CommandInput, textArgument, textOption } from '../command.ts'
import { usageError } from '../failure.ts'
import { type Column, formatTable, printable } from '../table.ts'
import { ageText } from './status.ts'

const path = '/v1/state/system/call-home-hosts'

/** Digits of a key that are shown and may be typed: enough that nobody makes another key that begins so. */
const shortDigits = 16

const shortKey = (fingerprint: string): string => `${fingerprint.slice(0, shortDigits)}…`

const columns: readonly Column[] = [
  { title: 'host' },
  { title: 'site' },
  { title: 'role' },
  { title: 'status' },
  { title: 'fingerprint' },
  { title: 'host-id' },
  { title: 'age', align: 'right' },
  { title: 'note' },
]

const noteOf = ({ note, address, 'oper-status': status }: MemberView): string =>
  [note, address !== undefined && status !== 'enrolled' ? `calls from ${address}` : undefined]
    .filter((text) => text !== undefined)
    .join(', ')

/** The members of a scope, and what to do about those that wait. */
export const memberTable = (members: readonly MemberView[]): string => {
  if (members.length === 0) return 'no hosts belong here, and none calls\n'
  const rows = members.map((member) => [
    member.name ?? '-',
    member.site ?? member.scope,
    member.role,
    member['oper-status'],
    member.fingerprint === undefined ? '-' : shortKey(member.fingerprint),
    member['host-id'] ?? '-',
    ageText(member['last-call-ms']),
    noteOf(member),
  ])
  const count = (status: string) => members.filter((member) => member['oper-status'] === status).length
  const [waiting, duplicates] = [count('waiting'), count('duplicate')]
  const advice = [
    ...(waiting > 0
      ? [`${waiting} waiting: compare the fingerprint, then "skerry hosts claim FINGERPRINT --as HOST"`]
      : []),
    ...(duplicates > 0 ? [`${duplicates} calling under a host-id that another key has: a clone, or a new disk`] : []),
  ]
  return `${formatTable(columns, rows)}${advice.length > 0 ? `\n${advice.join('\n')}\n` : ''}`
}

const zoneOption = { flags: '--zone <path>', text: 'let a node of this zone answer' }

const membersOf = (context: CliContext, zone: string | undefined) =>
  context.client().ask<MemberView[]>('GET', path, { query: { zone } })

const callersText = (callers: readonly MemberView[]): string =>
  callers
    .map((one) => printable(`${shortKey(one.fingerprint ?? '')}${one['host-id'] ? ` (${one['host-id']})` : ''}`))
    .join(', ')

/**
 * The one key a person means by the beginning of its fingerprint or by its host-id.
 * @throws {SkerryError} `not-found` when nobody calls so, `ambiguous` when several do
 */
export const callerNamed = (text: string, members: readonly MemberView[]): string => {
  const typed = text.replace(/…$/, '')
  const isStart = /^[0-9a-f]{16,64}$/.test(typed)
  const calling = members.filter(({ fingerprint }) => fingerprint !== undefined)
  const meant = calling.filter(
    (one) => one['host-id'] === typed || (isStart && one.fingerprint?.startsWith(typed) === true),
  )
  const open = meant.filter(({ 'oper-status': status }) => status === 'waiting' || status === 'duplicate')
  const chosen = open.length > 0 ? open : meant
  const [only, second] = chosen
  if (second !== undefined)
    throw new SkerryError(
      'ambiguous',
      `several keys call as ${printable(typed)}: ${callersText(chosen)}; name one by its fingerprint`,
    )
  if (only?.fingerprint !== undefined) return only.fingerprint
  const known = calling.filter(({ 'oper-status': status }) => status === 'waiting')
  const there = known.length === 0 ? 'nobody is waiting' : `waiting: ${callersText(known)}`
  throw new SkerryError('not-found', `no host calls as ${printable(typed)}; ${there}`)
}

const tokenCommand: CliCommand = {
  name: 'token',
  summary: 'make the one-time token with which one machine may join as this host',
  args: [{ name: '<host>', text: 'an expected host, as "skerry hosts" lists it' }],
  options: [zoneOption],
  examples: ['skerry hosts token shop-1-b', 'skerry hosts token n1-a --zone /north'],
  run: async (input, context) => {
    const host = textArgument(input, 0)
    const view = await context.client().ask<TokenView>('POST', `${path}/${encodeURIComponent(host)}/token`, {
      query: { zone: textOption(input, 'zone') },
    })
    context.say(`one machine may join as ${printable(view.name)} with this token, once; it is not shown again`)
    await context.result(view, `${printable(view.token)}\n`)
    return 0
  },
}

const claimCommand: CliCommand = {
  name: 'claim',
  summary: 'say yes to a waiting host: its key is this host from now on',
  args: [{ name: '<key>', text: `its fingerprint, at least ${shortDigits} digits of it, or its host-id` }],
  options: [{ flags: '--as <host>', text: 'the expected host it is', required: true }, zoneOption],
  examples: ['skerry hosts claim 3f9a04c2b7716e58 --as shop-1-b', 'skerry hosts claim SN-4711 --as n1-a --zone /north'],
  run: async (input, context) => {
    const zone = textOption(input, 'zone')
    // The whole fingerprint is sent: what the person compared is what is claimed, whoever calls in between.
    const fingerprint = callerNamed(textArgument(input, 0), await membersOf(context, zone))
    const value = { fingerprint, name: textOption(input, 'as') }
    const body = { kind: 'json', value } as const
    const member = await context.client().ask<MemberView>('POST', `${path}/claim`, { query: { zone }, body })
    await context.result(member, `${shortKey(fingerprint)} is ${printable(member.name ?? '')} from now on\n`)
    return 0
  },
}

interface Target {
  readonly body: Readonly<Record<string, string>>
  /** The zone that is to answer. */
  readonly zone?: string
  /** As it is typed. */
  readonly typed: string
}

/** `--zone` alone is the zone meant; beside a host or a site it is the one that answers. */
const targetOf = (input: CommandInput, verb: string): Target => {
  const [host, site, zone] = [textArgument(input, 0), textOption(input, 'site'), textOption(input, 'zone')]
  if (host !== '' && site !== undefined) throw usageError(`name a host or --site, not both: skerry hosts ${verb} HOST`)
  const within = zone === undefined ? {} : { zone }
  const typedZone = zone === undefined ? '' : ` --zone ${zone}`
  if (host !== '') return { body: { host }, ...within, typed: `${host}${typedZone}` }
  if (site !== undefined) return { body: { site }, ...within, typed: `--site ${site}${typedZone}` }
  if (zone !== undefined) return { body: { zone }, typed: `--zone ${zone}` }
  throw usageError(`say whom: skerry hosts ${verb} HOST, --site SITE or --zone PATH`)
}

const memberLines = (members: readonly MemberView[]): string =>
  members
    .map(({ name = '-', scope, 'oper-status': status }) => printable(`${name} at ${scope}: ${status}`))
    .map((line) => `${line}\n`)
    .join('')

const cutCommand = (
  name: 'block' | 'allow',
  texts: Pick<CliCommand, 'summary' | 'examples'> & { readonly after: (typed: string) => string },
): CliCommand => ({
  name,
  summary: texts.summary,
  args: [{ name: '[host]', text: 'the host' }],
  options: [
    { flags: '--site <site>', text: 'all hosts of a site' },
    { flags: '--zone <path>', text: 'a zone with all that is in it; beside a host or a site, the zone that answers' },
  ],
  examples: texts.examples,
  run: async (input, context) => {
    const { body: value, zone, typed } = targetOf(input, name)
    const members = await context
      .client()
      .ask<MemberView[]>('POST', `${path}/${name}`, { query: { zone }, body: { kind: 'json', value } })
    await context.result(members, memberLines(members) + texts.after(printable(typed)))
    return 0
  },
})

const blockCommand = cutCommand('block', {
  summary: 'cut off a host, a site or a zone: its links are closed and it gets nothing more',
  examples: [
    'skerry hosts block shop-1-a',
    'skerry hosts block --site n1 --zone /north',
    'skerry hosts block --zone /south',
  ],
  after: (typed) => `what runs there goes on; let it in again with "skerry hosts allow ${typed}"\n`,
})

const allowCommand = cutCommand('allow', {
  summary: 'take a block back: the same keys may come again',
  examples: ['skerry hosts allow shop-1-a', 'skerry hosts allow --site n1 --zone /north'],
  after: () => 'it comes back by itself at its next call\n',
})

export const hostsCommand: CliCommand = {
  name: 'hosts',
  summary: 'list the hosts that belong here or ask to; let them in, or cut them off',
  options: [zoneOption],
  examples: [
    'skerry hosts',
    'skerry hosts --zone /north',
    'skerry hosts token shop-1-b',
    'skerry hosts block shop-1-a',
  ],
  subcommands: [tokenCommand, claimCommand, blockCommand, allowCommand],
  run: async (input, context) => {
    const [members, node] = await Promise.all([
      membersOf(context, textOption(input, 'zone')),
      context.client().ask<NodeView>('GET', '/v1/state/node'),
    ])
    const id = node['network-id']
    const network = id === undefined ? '' : `\nnetwork ${id} (the network-id of hosts that are to join)\n`
    await context.result(members, `${memberTable(members)}${network}`)
    return 0
  },
}
