import { formatDuration } from '../../base/index.ts'
import type { HostStatus } from '../../runtime/index.ts'
import type { NodeView } from '../api/index.ts'
import type { NodeConfig } from '../config.ts'
import { runtimeView } from './place-views.ts'
import { borderText } from './zone-views.ts'

export interface NodeQuestion {
  readonly config: NodeConfig
  readonly version: string
  readonly pid: number
  readonly uptimeMs: number
  readonly rssBytes: number
  readonly networkId: string
  readonly fingerprint: string
  readonly link: {
    readonly up: boolean
    readonly forMs: number
    readonly parent?: string
    readonly error?: string
    readonly refusal?: string
  }
  readonly status: HostStatus | undefined
  readonly staleForMs: number | undefined
  readonly addresses: readonly string[]
  /** Zones below that keep their names or their reports back. */
  readonly borders: readonly string[]
  /** Changes that are late and keys that are quarantined, in words. */
  readonly lanes?: readonly string[] | undefined
  /** Scopes of sites below for which siblings do not keep all they should. */
  readonly owed?: readonly string[] | undefined
  /** How it stands with siblings while the parent is away. */
  readonly siblings?: { readonly repairedForMs: number } | { readonly none: string } | undefined
}

const siblingText = (siblings: NonNullable<NodeQuestion['siblings']>): string =>
  'none' in siblings
    ? `no sibling reachable: ${siblings.none}`
    : `repaired from a sibling ${formatDuration(siblings.repairedForMs)} ago`

const owedText = (owed: readonly string[]): readonly string[] =>
  owed.length === 0
    ? []
    : [
        `siblings do not keep yet what these may need: ${owed.slice(0, 3).join(', ')}${owed.length > 3 ? ` and ${owed.length - 3} more` : ''}`,
      ]

const mostLines = 8
const laneTexts = (words: readonly string[]): readonly string[] =>
  words.length <= mostLines
    ? words
    : [...words.slice(0, mostLines), `and ${words.length - mostLines} more lines about lanes`]

const openTraffic = 'outbound traffic is open (not filtered yet)'

/** What a node says of itself. */
export const nodeView = (asked: NodeQuestion): NodeView => {
  const { config, link, status, staleForMs } = asked
  const stale = staleForMs === undefined ? [] : [`authority stale for ${formatDuration(staleForMs)}`]
  const runs = status === undefined ? config.role === 'tower' : true
  return {
    name: config.name,
    role: config.role,
    version: asked.version,
    scope: config.scope,
    ...(config.site !== '' && { site: config.site, host: config.name }),
    pid: asked.pid,
    'uptime-ms': asked.uptimeMs,
    'rss-bytes': asked.rssBytes,
    'network-id': asked.networkId,
    fingerprint: asked.fingerprint,
    ...(asked.addresses.length > 0 && { addresses: asked.addresses }),
    ...(config.parents.length > 0 && {
      parent: {
        node: link.parent ?? 'unknown',
        link: link.up ? 'up' : 'down',
        'age-ms': link.forMs,
        ...(link.error !== undefined && { error: link.error }),
        ...(link.refusal !== undefined && { refusal: link.refusal }),
        ...(!link.up && asked.siblings && { siblings: siblingText(asked.siblings) }),
      },
    }),
    ...(asked.owed && { deposits: { owed: asked.owed } }),
    ...(status && { runtime: runtimeView(status) }),
    notes: [
      ...(runs ? [openTraffic] : []),
      ...(status?.facts?.enforcesLimits === false ? ['limits are not enforced by this driver'] : []),
      ...stale,
      ...asked.borders.map(borderText),
      ...owedText(asked.owed ?? []),
      ...laneTexts(asked.lanes ?? []),
    ],
  }
}
