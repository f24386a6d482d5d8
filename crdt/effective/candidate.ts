import type { ReadEntry } from './entry.ts'

/** Whose word a lane is: the scope's own operators', or that of a scope above. */
export type LaneVoice = 'local' | 'intent'

/** One lane as `effective` reads it: per application what is not replaced inside the lane; several are concurrent. */
export interface LaneView {
  /** The lane's name in its written form. */
  readonly lane: string
  readonly voice: LaneVoice
  readonly entries: ReadonlyMap<string, readonly ReadEntry[]>
  /** Opaque ids handed to scopes above, each with the decision of this lane it stands for. @default none */
  readonly opaqueIds?: ReadonlyMap<string, string>
}

/** An entry with the lane it stands in. */
export interface Candidate {
  readonly lane: string
  readonly voice: LaneVoice
  readonly entry: ReadEntry
  /** Id of the application it is of; absent where it is the one the conflict is found under (same-names.ts). */
  readonly application?: string
}

/** What the scope decided about lanes that do not agree. */
export interface LanePolicy {
  /** Whose word runs while a conflict is open and the last accepted is no candidate. @default ['local', 'intent'] */
  readonly laneOrder: readonly LaneVoice[]
  /**
   * Who may end a conflict between the scope's own lane and one from above. With `zone`, an entry from above that names
   * a local decision does not replace it: it is a candidate beside it. With `ancestor`, it does.
   * @default 'zone'
   */
  readonly settle: 'zone' | 'ancestor'
}

export const defaultLanePolicy: LanePolicy = { laneOrder: ['local', 'intent'], settle: 'zone' }

/** By code unit, so that every machine sorts alike. */
export const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The order candidates are listed in everywhere: lane, decision, hash. Not the order of preference. */
export const compareCandidates = (a: Candidate, b: Candidate): number =>
  compareTexts(a.lane, b.lane) ||
  compareTexts(a.entry.decision, b.entry.decision) ||
  compareTexts(a.entry.hash, b.entry.hash)

/** Where a candidate's voice stands in the policy's order; a voice the policy leaves out comes last. */
export const rankOf =
  ({ laneOrder }: LanePolicy) =>
  ({ voice }: Candidate): number =>
    laneOrder.includes(voice) ? laneOrder.indexOf(voice) : laneOrder.length

/** The order of preference in a conflict: the policy's order of voices, the hash, the lane. */
export const comparePreference =
  (policy: LanePolicy) =>
  (a: Candidate, b: Candidate): number =>
    rankOf(policy)(a) - rankOf(policy)(b) || compareTexts(a.entry.hash, b.entry.hash) || compareTexts(a.lane, b.lane)

/** The same choice: what runs does not differ, whatever the step. */
export const isSameChoice = (a: Candidate['entry'], b: Candidate['entry']): boolean =>
  a.decision === b.decision && a.version === b.version && a.retired === b.retired
