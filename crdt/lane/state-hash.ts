import { canonicalJson } from '../../base/index.ts'
import { type Fence, type Hash, signedMessage, toHex } from '../authority/index.ts'
import { formatLaneName, type LaneName } from './lane-name.ts'
import type { LaneValue } from './lane-schema.ts'

/** What a lane says: per key one value, or several that do not know each other; and the highest fence it accepted. */
export interface LaneState {
  readonly lane: LaneName
  /** Values of a key in the order of their canonical text, each once. */
  readonly values: ReadonlyMap<string, readonly LaneValue[]>
  readonly fence: Fence
}

/** Each value once, in the order of its canonical text. */
export const sortValues = (values: Iterable<LaneValue>): readonly LaneValue[] => {
  const texts = new Map([...values].map((value) => [canonicalJson(value), value]))
  return [...texts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
}

/** The text a state hash covers; entries carry their fence and what they saw (docs/adr/0016-lanes.md). */
export const canonicalState = ({ lane, values, fence }: LaneState): string =>
  canonicalJson({
    _v: 1,
    fence: [fence.generation, fence.n],
    lane: formatLaneName(lane),
    values: Object.fromEntries(values),
  })

/**
 * 64 hexadecimal digits: what a seal says the lane was. Over canonical JSON, never over Automerge's bytes, which differ
 * between equal replicas.
 */
export const stateHash = (state: LaneState, hash: Hash): string =>
  toHex(hash.sha256(signedMessage('lane-state', Buffer.from(canonicalState(state)))))
