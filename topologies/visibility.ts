import type { ScopePath } from '../base/index.ts'
import {
  type PolicyKind,
  type PolicyLevel,
  policyKinds,
  policyLevels,
  tighterLevel,
  type ZonePolicy,
} from './policy.ts'
import type { SettledBy, Topology } from './topology.ts'
import { ancestorsOf, requireZone, zoneAt } from './tree.ts'

const isWithin = (scope: string, zone: string): boolean =>
  scope === zone || scope.startsWith(zone === '/' ? '/' : `${zone}/`)

/** The zones data of `scope` leaves on its way up to `ancestor`, innermost first. */
const bordersBetween = (topology: Topology, scope: ScopePath, ancestor: ScopePath) =>
  [scope, ...ancestorsOf(scope)]
    .filter((path) => path !== ancestor && isWithin(path, ancestor))
    .flatMap((path) => zoneAt(topology, path) ?? [])

/**
 * How much of a kind `ancestor` may see of `scope` (a zone, or a site in one): the tightest level of every zone whose
 * border lies between, so each zone can narrow what its children let out and none can widen it. `all` within one's own
 * scope; `none` for anyone not above, and for scopes that do not exist.
 */
export const visibleTo = (topology: Topology, scope: ScopePath, ancestor: ScopePath, kind: PolicyKind): PolicyLevel => {
  const exists = zoneAt(topology, ancestor)?.path === ancestor && isWithin(scope, ancestor)
  const holder = zoneAt(topology, scope) ?? zoneAt(topology, ancestorsOf(scope)[0] ?? '')
  const isSite = holder?.sites.some((site) => site.path === scope) ?? false
  if (!exists || (holder?.path !== scope && !isSite)) return 'none'
  return bordersBetween(topology, scope, ancestor).reduce<PolicyLevel>(
    (level, zone) => tighterLevel(level, zone.policy[kind]),
    'all',
  )
}

const nothing: Readonly<Record<PolicyKind, string>> = {
  names: 'names',
  reports: 'reports',
  intents: 'intents',
  'changes-author': 'authors of changes',
  operations: 'operations',
  events: 'events',
  logs: 'logs',
  metrics: 'metrics',
  audit: 'audit records',
  blobs: 'blobs',
}

const words: Readonly<Record<PolicyKind, Partial<Record<PolicyLevel, string>>>> = {
  names: { all: 'names and labels of zones, sites, hosts and applications' },
  reports: {
    all: 'the state of every application on every site',
    summary:
      'counts of wanted, running, ready, failing, unknown and conflicting applications, by version, with their ages',
  },
  intents: { all: 'what its operators want to run' },
  'changes-author': { all: 'who made each change, with the signature' },
  operations: { all: 'may run commands, connect, and follow those logs that may leave' },
  events: { all: 'events as they were written' },
  logs: { all: 'log lines as they were written' },
  metrics: { all: 'metrics of every site and host', summary: 'metrics merged over the whole zone' },
  audit: { all: 'audit records' },
  blobs: { all: 'specifications and image layers made inside' },
}

/** What one ancestor sees of one kind. */
export interface KindView {
  readonly kind: PolicyKind
  readonly level: PolicyLevel
  /** In words, like `log lines as they were written`. */
  readonly words: string
  /** The outer zone that narrowed it below the zone's own policy. */
  readonly narrowedBy?: ScopePath
}

/** What one ancestor sees of a zone. */
export interface AncestorView {
  readonly ancestor: ScopePath
  readonly role: 'tower' | 'aggregator'
  readonly kinds: readonly KindView[]
  /** One sentence for all kinds. */
  readonly sentence: string
}

export interface PolicyExplanation {
  readonly zone: ScopePath
  readonly privacy: boolean
  /** The zone's own policy, defaults written out. */
  readonly policy: ZonePolicy
  readonly settle: SettledBy
  /** Who may end a conflict, in words. */
  readonly settleLine: string
  /** Nearest ancestor first. */
  readonly ancestors: readonly AncestorView[]
  /** All of it for a person to read. */
  readonly lines: readonly string[]
}

const viewOf = (topology: Topology, zone: ScopePath, ancestor: ScopePath, kind: PolicyKind): KindView => {
  const level = visibleTo(topology, zone, ancestor, kind)
  const borders = bordersBetween(topology, zone, ancestor)
  const own = borders[0]?.policy[kind] ?? 'all'
  const narrower = level === own ? undefined : borders.find((border) => border.policy[kind] === level)
  return {
    kind,
    level,
    words: words[kind][level] ?? `no ${nothing[kind]}`,
    ...(narrower === undefined ? {} : { narrowedBy: narrower.path }),
  }
}

const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`

const sentenceOf = (ancestor: ScopePath, role: string, kinds: readonly KindView[]): string => {
  const seen = kinds.filter(({ kind, level }) => level !== 'none' && kind !== 'operations').map((view) => view.words)
  const operates = kinds.some(({ kind, level }) => kind === 'operations' && level === 'all')
  const unseen = kinds.filter(({ level }) => level === 'none').map(({ kind }) => nothing[kind])
  const sees = seen.length === 0 ? 'sees nothing' : `sees ${seen.join('; ')}`
  const does = operates ? `; ${words.operations.all}` : ''
  const not = unseen.length === 0 || seen.length === 0 ? '' : `; no ${listed(unseen)}`
  return `${ancestor} (${role}) ${sees}${does}${not}.`
}

/** Who may end a conflict, as one sentence. */
const settleWords = (zone: ScopePath, settle: SettledBy): string =>
  settle === 'zone'
    ? `What ${zone} decided itself and what those above decided otherwise: ${zone} alone settles that.`
    : `What ${zone} decided itself and what those above decided otherwise: ${zone} or those above settle that.`

const linesOf = (
  zone: ScopePath,
  privacy: boolean,
  settleLine: string,
  ancestors: readonly AncestorView[],
): string[] => {
  if (ancestors.length === 0) return [`${zone} is the root zone: nobody is above it, so nothing is kept from anyone.`]
  const width = Math.max(...policyKinds.map((kind) => kind.length))
  const levelWidth = Math.max(...policyLevels.map((level) => level.length))
  return [
    `${zone} is ${privacy ? 'a privacy' : 'an open'} zone. What those above can see of it:`,
    ...ancestors.flatMap(({ sentence, kinds }) => [
      '',
      sentence,
      ...kinds.map(({ kind, level, words: text, narrowedBy }) => {
        const by = narrowedBy === undefined ? '' : ` (narrowed by ${narrowedBy})`
        return `  ${kind.padEnd(width)}  ${level.padEnd(levelWidth)}  ${text}${by}`
      }),
    ]),
    '',
    settleLine,
  ]
}

/**
 * What each ancestor can see of a zone, as data and in words.
 * @throws {SkerryError} `unknown-zone` when there is no such zone.
 */
export const explainPolicy = (topology: Topology, zonePath: string): PolicyExplanation => {
  const { path, privacy, policy, settle } = requireZone(topology, zonePath)
  const ancestors = ancestorsOf(path).map((ancestor): AncestorView => {
    const role = ancestor === '/' ? 'tower' : 'aggregator'
    const kinds = policyKinds.map((kind) => viewOf(topology, path, ancestor, kind))
    return { ancestor, role, kinds, sentence: sentenceOf(ancestor, role, kinds) }
  })
  const settleLine = settleWords(path, settle)
  return {
    zone: path,
    privacy,
    policy,
    settle,
    settleLine,
    ancestors,
    lines: linesOf(path, privacy, settleLine, ancestors),
  }
}
