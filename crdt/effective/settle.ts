import type { Fence } from '../authority/index.ts'
import { type Candidate, compareTexts, type LanePolicy, type LaneVoice } from './candidate.ts'
import type { Conflict } from './effective.ts'
import { type Entry, entryLimits } from './entry.ts'

/** What a person picks: a version and its step, or that the application is retired. */
export interface Choice {
  /** 32 hexadecimal digits, fresh for every choice. */
  readonly decision: string
  readonly version: string | null
  readonly step: number
  readonly fence: Fence
}

/** Whether an entry in a lane of this voice ends the conflict. An ancestor needs the zone's leave where the zone spoke. */
export const maySettle = ({ candidates }: Conflict, voice: LaneVoice, { settle }: LanePolicy): boolean =>
  voice === 'local' || settle === 'ancestor' || candidates.every((candidate) => candidate.voice !== 'local')

const ids = (decisions: readonly string[]) => [...new Set(decisions)].toSorted(compareTexts)

/** The entry that ends a conflict everywhere it is known: it names every candidate. Decided twice alike, it is equal. */
export const settlingEntry = ({ candidates }: Conflict, choice: Choice): Entry => ({
  ...choice,
  share: null,
  seen: ids(candidates.map(({ entry }) => entry.decision)).filter((id) => id !== choice.decision),
  retired: choice.version === null,
})

/**
 * The entry of a new choice that replaces what its author knows of.
 *
 * @param standing decisions that stand now, in this lane and others; all are named
 * @param before what the lane's last entry named; named again as far as there is room, as a lane that is not here
 *   may still hold one of them
 */
export const replacingEntry = (standing: readonly string[], before: readonly string[], choice: Choice): Entry => {
  const live = ids(standing).filter((id) => id !== choice.decision)
  const rest = ids(before).filter((id) => id !== choice.decision && !live.includes(id))
  return {
    ...choice,
    share: null,
    seen: ids([...live, ...rest.slice(0, Math.max(0, entryLimits.seen - live.length))]),
    retired: choice.version === null,
  }
}

/**
 * The entry of a scope's own lane that ends a conflict by taking one of its candidates as it is: under the decision it has,
 * so that no child has to be told anew. One from above is followed from then on (`follows`).
 */
export const takingEntry = ({ candidates }: Conflict, { voice, entry }: Candidate, fence: Fence): Entry => {
  const { decision, version, step } = entry
  const others = candidates.map((one) => one.entry.decision)
  // What the others had replaced must not come back with them gone.
  const before = [...entry.seen, ...candidates.flatMap((one) => one.entry.seen)]
  const taken = replacingEntry(others, before, { decision, version, step, fence })
  return { ...taken, ...((voice === 'intent' || entry.follows) && { follows: true }) }
}

/** Ids of applications that the scope's own word is for and that give way when another of their name is taken. */
export const givenUp = ({ application, candidates }: Conflict, taken: Candidate): readonly string[] => {
  const own = candidates.filter(({ voice }) => voice === 'local').map((one) => one.application ?? application)
  return ids(own).filter((id) => id !== (taken.application ?? application))
}

/**
 * All that a scope's own lane says when one candidate is taken: that one, and for each other application of the name that
 * its operators made, that it stops. A later word from above for the one taken says nothing of those.
 *
 * It stops by the same decision, so that who is told of both can keep the one until the other is there.
 *
 * @param fence the next of the lane; more are counted on from it
 */
export const takingEntries = (conflict: Conflict, taken: Candidate, fence: Fence): ReadonlyMap<string, Entry> => {
  const entries = new Map([[taken.application ?? conflict.application, takingEntry(conflict, taken, fence)]])
  for (const [at, id] of givenUp(conflict, taken).entries()) {
    const own = conflict.candidates.filter((one) => (one.application ?? conflict.application) === id)
    const stop = { decision: taken.entry.decision, version: null, step: 0, fence: { ...fence, n: fence.n + 1 + at } }
    const standing = own.map(({ entry }) => entry.decision)
    const before = own.flatMap(({ entry }) => entry.seen)
    entries.set(id, replacingEntry(standing, before, stop))
  }
  return entries
}
