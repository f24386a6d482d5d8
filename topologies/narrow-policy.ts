import {
  kindRules,
  levelsOf,
  type PolicyKind,
  type PolicyLevel,
  policyKinds,
  resolvePolicy,
  tighterLevel,
  type ZonePolicy,
} from './policy.ts'
import type { Topology, Zone } from './topology.ts'

/** What comes of a zone's own policy and what the zone above would have it be. */
export interface NarrowedPolicy {
  readonly policy: ZonePolicy
  /** Kinds for which more was to be let out than the zone lets out: they stay as the zone has them. */
  readonly refused: readonly PolicyKind[]
}

/**
 * A zone's own policy, tightened by what the zone above says; never widened. A kind that needs another follows it down. A
 * level that does not exist for its kind lets nothing out.
 */
export const narrowPolicy = (
  own: ZonePolicy,
  narrowing: Readonly<Partial<Record<PolicyKind, string>>>,
): NarrowedPolicy => {
  const wanted = (kind: PolicyKind): PolicyLevel | undefined => {
    const given = narrowing[kind]
    return given === undefined ? undefined : (levelsOf(kind).find((level) => level === given) ?? 'none')
  }
  const refused = policyKinds.filter((kind) => {
    const level = wanted(kind)
    return level !== undefined && tighterLevel(level, own[kind]) !== level
  })
  const levels = policyKinds.map((kind) => [kind, tighterLevel(own[kind], wanted(kind) ?? 'all')] as const)
  // Kinds in this order: each comes after the one it needs.
  const settled = new Map<PolicyKind, PolicyLevel>()
  for (const [kind, level] of levels) {
    const { needs, summary } = kindRules[kind]
    const lacks = level === 'all' && needs !== undefined && settled.get(needs) !== 'all'
    settled.set(kind, lacks ? (summary ? 'summary' : 'none') : level)
  }
  return { policy: resolvePolicy(Object.fromEntries(settled), false).policy, refused }
}

const replaced = (zone: Zone, policies: ReadonlyMap<string, ZonePolicy>): Zone => ({
  ...zone,
  policy: policies.get(zone.path) ?? zone.policy,
  zones: zone.zones.map((inner) => replaced(inner, policies)),
})

/** The same tree with the policies that hold now in place of those of the file. */
export const withPolicies = (topology: Topology, policies: ReadonlyMap<string, ZonePolicy>): Topology => ({
  ...topology,
  root: replaced(topology.root, policies),
})
