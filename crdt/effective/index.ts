/**
 * Where lanes meet: entries, what the lanes of a scope come to, what runs while they disagree, and how that is settled.
 * Must not merge documents, know how lanes are stored or signed, or ask who may write.
 * Read first: effective.ts, entry.ts.
 */
export {
  type Candidate,
  compareCandidates,
  defaultLanePolicy,
  type LanePolicy,
  type LaneView,
  type LaneVoice,
} from './candidate.ts'
export { choose, runs } from './choose.ts'
export { type Conflict, type Effective, effective } from './effective.ts'
export {
  type Entry,
  type EntryRefusal,
  type EntryResult,
  entryLimits,
  formatEntry,
  isDecision,
  parseEntry,
  type ReadEntry,
} from './entry.ts'
export { highestFence } from './fence.ts'
export { describeOutcome, type Outcome, opaqueId, outcomes } from './outcomes.ts'
export type { NameOf } from './same-names.ts'
export { type Choice, givenUp, maySettle, replacingEntry, settlingEntry, takingEntries } from './settle.ts'
