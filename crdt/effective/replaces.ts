import type { Candidate, LanePolicy } from './candidate.ts'

/**
 * Whether what `by` names counts against `other`: under `settle: zone` the zone's own word is not ended from above, unless
 * it only takes over a decision from there.
 */
const mayReplace = (by: Candidate, other: Candidate, { settle }: LanePolicy): boolean =>
  settle === 'ancestor' || by.voice !== 'intent' || other.voice !== 'local' || other.entry.follows === true

/** For each candidate the candidates it names. */
const namedBy = (
  candidates: readonly Candidate[],
  policy: LanePolicy,
  opaqueIds: ReadonlyMap<string, string>,
): ReadonlyMap<Candidate, readonly Candidate[]> =>
  new Map(
    candidates.map((by) => {
      const named = new Set(by.entry.seen.map((id) => opaqueIds.get(id) ?? id))
      return [by, candidates.filter((other) => named.has(other.entry.decision) && mayReplace(by, other, policy))]
    }),
  )

/** Every candidate reached from one by naming, one step or more. */
const reachOf = (from: Candidate, named: ReadonlyMap<Candidate, readonly Candidate[]>): ReadonlySet<Candidate> => {
  const found = new Set<Candidate>()
  const open = [from]
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const next of named.get(at) ?? [])
      if (!found.has(next)) {
        found.add(next)
        open.push(next)
      }
  return found
}

/**
 * The candidates nobody replaces. One replaces another when it reaches it by `seen`, directly or through other
 * candidates, and is not reached by it: those that name each other in a circle replace none of the circle. Never empty
 * when there are candidates: replacing is a strict order on the circles.
 */
export const unreplaced = <One extends Candidate>(
  candidates: readonly One[],
  policy: LanePolicy,
  opaqueIds: ReadonlyMap<string, string>,
): readonly One[] => {
  const named = namedBy(candidates, policy, opaqueIds)
  const reach = new Map<Candidate, ReadonlySet<Candidate>>(candidates.map((one) => [one, reachOf(one, named)]))
  const reaches = (a: One, b: One) => reach.get(a)?.has(b) ?? false
  return candidates.filter((own) => !candidates.some((other) => reaches(other, own) && !reaches(own, other)))
}
