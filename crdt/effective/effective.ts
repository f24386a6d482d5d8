import { compareFences } from '../authority/index.ts'
import {
  type Candidate,
  compareCandidates,
  compareTexts,
  isSameChoice,
  type LanePolicy,
  type LaneView,
  rankOf,
} from './candidate.ts'
import type { ReadEntry } from './entry.ts'
import { unreplaced } from './replaces.ts'
import { foldSameNames, type NameOf } from './same-names.ts'

/** Candidates that do not know each other: an operator reads and settles it. At least two, in stable order. */
export interface Conflict {
  readonly kind: 'conflict'
  readonly application: string
  readonly candidates: readonly Candidate[]
}

/** What the lanes say of one application. An application no lane names is absent from the result. */
export type Effective =
  | {
      readonly kind: 'entry'
      readonly application: string
      readonly lane: string
      readonly voice: Candidate['voice']
      readonly entry: ReadEntry
    }
  | Conflict

const keyOf = ({ lane, entry }: Candidate) => `${lane}\n${entry.hash}`

/** What stands for the application, each once: a lane given twice, or an entry written twice alike, counts once. */
const candidatesOf = (lanes: readonly LaneView[], application: string): readonly Candidate[] => {
  const found = new Map<string, Candidate>()
  for (const { lane, voice, entries } of lanes)
    for (const entry of entries.get(application) ?? []) {
      const candidate = { lane, voice, entry }
      found.set(keyOf(candidate), candidate)
    }
  return [...found.values()].toSorted(compareCandidates)
}

/** Two entries of one lane that ask for exactly the same. */
const isSameAsk = (a: ReadEntry, b: ReadEntry) => isSameChoice(a, b) && a.step === b.step

/**
 * The one candidate when all that is left is one choice: lanes that carry the same decision at different steps do not
 * disagree, and the first lane's step counts (by the policy's order of voices, then the name). Inside that lane,
 * concurrent steps are a conflict, and of entries that ask for the same the one with the highest fence stands.
 */
const agreed = (left: readonly Candidate[], policy: LanePolicy): Candidate | undefined => {
  const rank = rankOf(policy)
  // Who follows a decision of another lane follows its steps too.
  const isFollowing = ({ entry }: Candidate) => Number(entry.follows === true)
  const first = left.toSorted(
    (a, b) => isFollowing(a) - isFollowing(b) || rank(a) - rank(b) || compareCandidates(a, b),
  )[0]
  if (first === undefined || !left.every(({ entry }) => isSameChoice(entry, first.entry))) return undefined
  const own = left.filter(({ lane }) => lane === first.lane)
  if (!own.every(({ entry }) => isSameAsk(entry, first.entry))) return undefined
  return own.toSorted((a, b) => compareFences(b.entry.fence, a.entry.fence) || compareCandidates(a, b))[0]
}

const judge = (
  application: string,
  candidates: readonly Candidate[],
  policy: LanePolicy,
  opaqueIds: ReadonlyMap<string, string>,
): Effective => {
  // Most applications have one: nothing can replace it, and nobody has to agree.
  const left = candidates.length === 1 ? candidates : unreplaced(candidates, policy, opaqueIds)
  const one = left.length === 1 ? left[0] : agreed(left, policy)
  if (one === undefined) return { kind: 'conflict', application, candidates: left }
  return { kind: 'entry', application, lane: one.lane, voice: one.voice, entry: one.entry }
}

/**
 * What a scope's lanes come to (DESIGN.md section 3, rule 4): per application an entry, a conflict, or, where no lane
 * holds one, nothing. Pure and total; the order of lanes and entries does not matter. Applications are sorted.
 *
 * @param nameOf makes two applications of one name a conflict as well
 */
export const effective = (
  lanes: readonly LaneView[],
  policy: LanePolicy,
  nameOf?: NameOf,
): ReadonlyMap<string, Effective> => {
  const opaqueIds = new Map(lanes.flatMap((lane) => [...(lane.opaqueIds ?? [])]))
  const applications = [...new Set(lanes.flatMap(({ entries }) => [...entries.keys()]))].toSorted(compareTexts)
  const found = new Map(
    applications.flatMap((application) => {
      const candidates = candidatesOf(lanes, application)
      return candidates.length === 0 ? [] : [[application, judge(application, candidates, policy, opaqueIds)] as const]
    }),
  )
  return nameOf === undefined
    ? found
    : foldSameNames(found, (application) => candidatesOf(lanes, application), nameOf, policy, opaqueIds)
}
