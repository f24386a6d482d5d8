import { type Candidate, compareCandidates, type LanePolicy } from './candidate.ts'
import type { Effective } from './effective.ts'
import type { ReadEntry } from './entry.ts'
import { unreplaced } from './replaces.ts'

/**
 * What people call an application, from the signed version an entry of it names; undefined while that is not known here.
 * @param application its id
 */
export type NameOf = (application: string, version: string) => string | undefined

type Owned = Candidate & { readonly application: string }

const standingOf = (state: Effective | undefined): readonly Owned[] => {
  if (state === undefined) return []
  const { application } = state
  const all = state.kind === 'entry' ? [{ lane: state.lane, voice: state.voice, entry: state.entry }] : state.candidates
  return all.map((one) => ({ ...one, application }))
}

/** Ids that belong together: of one name, or where the word that stops one names a decision of the other. */
const groupsOf = (
  all: readonly Owned[],
  nameOf: NameOf,
  opaqueIds: ReadonlyMap<string, string>,
): readonly (readonly string[])[] => {
  const groups = new Map<string, ReadonlySet<string>>()
  const join = (one: string, other: string) => {
    const both = new Set([...(groups.get(one) ?? [one]), ...(groups.get(other) ?? [other])])
    for (const id of both) groups.set(id, both)
  }
  const first = new Map<string, string>()
  const decided = new Map(all.map(({ application, entry }) => [entry.decision, application]))
  for (const { application, entry } of all)
    if (entry.version === null) {
      for (const id of entry.seen) {
        const other = decided.get(opaqueIds.get(id) ?? id)
        if (other !== undefined && other !== application) join(application, other)
      }
    } else {
      const name = nameOf(application, entry.version)
      const other = name === undefined ? undefined : first.get(name)
      if (other !== undefined && other !== application) join(application, other)
      else if (name !== undefined) first.set(name, application)
    }
  return [...new Set(groups.values())].map((ids) => [...ids])
}

/** An application that gave way to another of its name: stopped, by the decision that named it. */
const givenWay = (application: string, own: readonly Owned[], { lane, voice, entry }: Owned): Effective => {
  const seen = [...new Set(own.map((one) => one.entry.decision))].filter((id) => id !== entry.decision).toSorted()
  const stop: ReadEntry = { ...entry, version: null, retired: true, seen }
  return { kind: 'entry', application, lane, voice, entry: stop }
}

interface Group {
  /** What stands of each id. */
  readonly standing: readonly Owned[]
  /** All that the lanes hold of them: what one names also counts where another of its id says the same. */
  readonly held: readonly Owned[]
}

const ofGroup = (
  { standing, held }: Group,
  nameOf: NameOf,
  policy: LanePolicy,
  opaqueIds: ReadonlyMap<string, string>,
) => {
  const keyOf = ({ application, entry }: Owned) => `${application} ${entry.decision}`
  const unnamed = unreplaced(held, policy, opaqueIds)
  const [left, choices] = [new Set(unnamed.map(({ application }) => application)), new Set(unnamed.map(keyOf))]
  const words = standing.filter((one) => choices.has(keyOf(one)))
  const running = words.filter(({ entry }) => entry.version !== null)
  const by = running[0] ?? words[0]
  const byName = Map.groupBy(running, ({ application, entry }) => nameOf(application, entry.version ?? ''))
  const names = [...byName].flatMap(([name, some]) => (name === undefined ? [] : [some]))
  const sharing = names.map((some) => new Set(some.map((one) => one.application)))
  return (application: string): Effective | undefined => {
    const mine = standing.filter((one) => one.application === application)
    if (by !== undefined && !left.has(application)) return givenWay(application, mine, by)
    const open = sharing.find((ids) => ids.size > 1 && ids.has(application))
    const own = words.filter((one) => one.application === application).map(({ application: _, ...one }) => one)
    const others = words.filter((one) => one.application !== application && open?.has(one.application))
    if (others.length === 0 && own.length === mine.length) return undefined
    const candidates = [...own, ...others].toSorted(compareCandidates)
    const [only, ...more] = candidates
    return only !== undefined && more.length === 0
      ? { kind: 'entry', application, ...only }
      : { kind: 'conflict', application, candidates }
  }
}

/**
 * Two applications of one name, made where nobody could know of the other, are one conflict: a site has room for one of
 * a name. Each of them gets a conflict with the candidates of all; one whose decision is named by another is stopped.
 * Only where the scope's own word is among them: of what comes from above, names are kept apart there. Pure.
 *
 * @param heldOf all that the lanes hold of an application, in stable order
 */
export const foldSameNames = (
  found: ReadonlyMap<string, Effective>,
  heldOf: (application: string) => readonly Candidate[],
  nameOf: NameOf,
  policy: LanePolicy,
  opaqueIds: ReadonlyMap<string, string>,
): ReadonlyMap<string, Effective> => {
  const heldBy = (application: string) => heldOf(application).map((one): Owned => ({ ...one, application }))
  const folded = new Map(found)
  for (const ids of groupsOf([...found.keys()].flatMap(heldBy), nameOf, opaqueIds)) {
    const held = ids.flatMap(heldBy)
    if (!held.some(({ voice }) => voice === 'local')) continue
    const standing = ids.flatMap((id) => standingOf(found.get(id))).toSorted(compareCandidates)
    const fold = ofGroup({ standing, held }, nameOf, policy, opaqueIds)
    for (const id of ids) {
      const state = fold(id)
      if (state !== undefined) folded.set(id, state)
    }
  }
  return folded
}
