import { nearestName } from '../base/index.ts'

/** What may leave a zone, kind by kind. */
export const policyKinds = [
  'names',
  'reports',
  'intents',
  'changes-author',
  'operations',
  'events',
  'logs',
  'metrics',
  'audit',
  'blobs',
] as const
export type PolicyKind = (typeof policyKinds)[number]

/** How much of a kind may leave, from nothing to everything. */
export const policyLevels = ['none', 'summary', 'all'] as const
export type PolicyLevel = (typeof policyLevels)[number]

/** The level of every kind, defaults written out. */
export type ZonePolicy = Readonly<Record<PolicyKind, PolicyLevel>>

interface KindRule {
  /** Whether a summary of the kind is defined. */
  readonly summary: boolean
  /** A kind without which this one cannot leave in full: it would carry that kind with it. */
  readonly needs?: PolicyKind
}

/**
 * DESIGN.md section 3, rule 9: a summary of reports is counts with ages; names, intents and blobs have none. Metrics
 * have one because answers merge on the way up (section 7): one merged answer for the zone, no series of a site.
 * An author's signature, an operation, an event, a log line and an audit record are there or not: nothing defines a
 * summary of them. What says which site, host or application it is about needs `names`; an author's own
 * envelope carries the intent it signs.
 */
export const kindRules: Readonly<Record<PolicyKind, KindRule>> = {
  names: { summary: false },
  reports: { summary: true, needs: 'names' },
  intents: { summary: false, needs: 'names' },
  'changes-author': { summary: false, needs: 'intents' },
  operations: { summary: false, needs: 'names' },
  events: { summary: false },
  logs: { summary: false },
  metrics: { summary: true, needs: 'names' },
  audit: { summary: false, needs: 'names' },
  blobs: { summary: false, needs: 'names' },
}

export const levelsOf = (kind: PolicyKind): readonly PolicyLevel[] =>
  kindRules[kind].summary ? ['all', 'summary', 'none'] : ['all', 'none']

const policyOf = (level: (kind: PolicyKind) => PolicyLevel): ZonePolicy =>
  Object.fromEntries(policyKinds.map((kind) => [kind, level(kind)])) as ZonePolicy

const openPolicy = policyOf(() => 'all')
const privacyPolicy = policyOf((kind) => (kind === 'reports' ? 'summary' : 'none'))

/** The level that lets less through. */
export const tighterLevel = (a: PolicyLevel, b: PolicyLevel): PolicyLevel =>
  policyLevels.indexOf(a) < policyLevels.indexOf(b) ? a : b

/** What leaves instead when what the kind needs does not. */
const fallbackOf = (kind: PolicyKind): PolicyLevel => (kindRules[kind].summary ? 'summary' : 'none')

/** Kinds a zone wrote as `all` while keeping back what they carry. */
export interface PolicyClash {
  readonly kind: PolicyKind
  readonly needs: PolicyKind
  readonly instead: PolicyLevel
}

/**
 * Fills in what a zone left out: everything in an open zone, summaries of reports alone in a privacy zone, and never
 * a kind whose `needs` stays back. A kind written as `all` against that is a clash, for the person to settle.
 */
export const resolvePolicy = (
  written: Readonly<Partial<ZonePolicy>>,
  privacy: boolean,
): { readonly policy: ZonePolicy; readonly clashes: readonly PolicyClash[] } => {
  const defaults = privacy ? privacyPolicy : openPolicy
  const clashes: PolicyClash[] = []
  const settled = new Map<PolicyKind, PolicyLevel>()
  // In this order a kind comes after the one it needs.
  for (const kind of policyKinds) {
    const wanted = written[kind] ?? defaults[kind]
    const { needs } = kindRules[kind]
    const lacking = wanted === 'all' && needs !== undefined && settled.get(needs) !== 'all'
    if (lacking && written[kind] !== undefined) clashes.push({ kind, needs, instead: fallbackOf(kind) })
    settled.set(kind, lacking ? fallbackOf(kind) : wanted)
  }
  return { policy: policyOf((kind) => settled.get(kind) ?? 'none'), clashes }
}

/** Why `given` is no level of `kind`, in words, with what to write instead after a semicolon. */
export const levelProblem = (kind: PolicyKind, given: unknown): string => {
  const levels = levelsOf(kind)
  const choice = levels.length === 3 ? 'all, summary or none' : 'all or none'
  if (given === 'summary') return `no summary of ${kind} exists; use ${choice}`
  if (typeof given !== 'string') return `must be a level; use ${choice}`
  const near = nearestName(given, levels)
  if (near !== undefined) return `unknown level ${JSON.stringify(given)}; did you mean ${JSON.stringify(near)}?`
  return `the level ${JSON.stringify(given.slice(0, 40))} is not supported yet; use ${choice}`
}
