import { type Hash, signedMessage, toHex } from '../authority/index.ts'
import { type Candidate, compareTexts, type LaneView } from './candidate.ts'
import type { Effective } from './effective.ts'

/** What became of one decision from above: what a roll-up carries upward, without saying what the zone wrote. */
export interface Outcome {
  readonly application: string
  /** The decision of the lane from above. */
  readonly decision: string
  readonly outcome: 'accepted' | 'overridden' | 'conflict'
  /** Opaque ids of the local decisions it was overridden by or is in conflict with, sorted. */
  readonly by: readonly string[]
}

/**
 * 32 hexadecimal digits that stand for a local decision towards scopes above. Only who knows the salt can tell which.
 * @param salt 32 secret bytes of the zone, kept as long as the lane lives: another salt would orphan what was handed out
 */
export const opaqueId = (decision: string, salt: Uint8Array, hash: Hash): string =>
  toHex(hash.sha256(Buffer.concat([signedMessage('opaque-decision', salt), Buffer.from(decision)])).subarray(0, 16))

const standing = (found: Effective): readonly Pick<Candidate, 'voice' | 'entry'>[] =>
  found.kind === 'entry' ? [found] : found.candidates

const outcomeOf = (decision: string, found: Effective): Outcome['outcome'] => {
  if (!standing(found).some(({ entry }) => entry.decision === decision)) return 'overridden'
  return found.kind === 'entry' ? 'accepted' : 'conflict'
}

/**
 * An outcome for every decision in the lanes from above, sorted by application and decision.
 *
 * @param found what `effective` made of these very lanes
 * @param opaque the opaque id of a local decision
 */
export const outcomes = (
  lanes: readonly LaneView[],
  found: ReadonlyMap<string, Effective>,
  opaque: (decision: string) => string,
): readonly Outcome[] => {
  const above = lanes.filter(({ voice }) => voice === 'intent')
  return [...found.values()].flatMap((state) => {
    const decisions = above
      .flatMap(({ entries }) => entries.get(state.application) ?? [])
      .map((entry) => entry.decision)
    const local = standing(state).filter(({ voice }) => voice === 'local')
    const by = [...new Set(local.map(({ entry }) => opaque(entry.decision)))].toSorted(compareTexts)
    return [...new Set(decisions)].toSorted(compareTexts).map((decision): Outcome => {
      const outcome = outcomeOf(decision, state)
      return { application: state.application, decision, outcome, by: outcome === 'accepted' ? [] : by }
    })
  })
}

/** One line for a person at a scope above: `shop: conflict; one candidate is withheld by /de/bavaria`. */
export const describeOutcome = ({ application, outcome, by }: Outcome, scope: string): string => {
  const what = outcome === 'conflict' ? 'candidate is' : 'decision is'
  const many = outcome === 'conflict' ? 'candidates are' : 'decisions are'
  const withheld = by.length === 0 ? '' : by.length === 1 ? `one ${what}` : `${by.length} ${many}`
  return `${application}: ${outcome}${withheld === '' ? '' : `; ${withheld} withheld by ${scope}`}`
}
