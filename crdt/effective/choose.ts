import { type Candidate, comparePreference, isSameChoice, type LanePolicy } from './candidate.ts'
import type { Conflict, Effective } from './effective.ts'
import type { ReadEntry } from './entry.ts'

/**
 * What runs while a conflict is open: the last accepted if it is a candidate (the same text, else the same choice at
 * another step), else the policy's lane order, then the hash. It stays as it is for as long as its choice stays a
 * candidate, however many others come.
 *
 * @param lastAccepted what the scope ran last; at an aggregator what it last handed down
 */
export const choose = (
  { candidates }: Conflict,
  lastAccepted: ReadEntry | undefined,
  policy: LanePolicy,
): Candidate | undefined => {
  const preferred = candidates.toSorted(comparePreference(policy))
  const kept =
    lastAccepted &&
    (preferred.find(({ entry }) => entry.hash === lastAccepted.hash) ??
      preferred.find(({ entry }) => isSameChoice(entry, lastAccepted)))
  return kept ?? preferred[0]
}

/**
 * What the scope runs: what the lanes agree on, what was chosen, and where they say nothing (absent, unreadable, sealed,
 * not fetched) what it ran before. So only an entry that says `retired` stops a container.
 */
export const runs = (
  lastAccepted: ReadEntry | undefined,
  found: Effective | undefined,
  policy: LanePolicy,
): ReadEntry | undefined => {
  if (found === undefined) return lastAccepted
  if (found.kind === 'entry') return found.entry
  return choose(found, lastAccepted, policy)?.entry ?? lastAccepted
}
