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
  const taken = replacingEntry(others, entry.seen, { decision, version, step, fence })
  return { ...taken, ...((voice === 'intent' || entry.follows) && { follows: true }) }
}
