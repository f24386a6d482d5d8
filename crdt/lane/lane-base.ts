import { decodeChange } from 'automerge'
import { type Fence, type Hash, signedMessage, toHex } from '../authority/index.ts'
import { type LaneChange, type Put, writeLaneChange } from './automerge-codec.ts'
import { checkValue, type LaneValue } from './lane-schema.ts'
import type { LaneState } from './state-hash.ts'

/** The end of the epoch before as changes: every holder makes the same, so they are neither signed, kept nor sent. */
export interface LaneBase {
  /** The id of the genesis. */
  readonly id: string
  /** Bytes for Automerge, each after what it stands on. */
  readonly changes: readonly Uint8Array[]
  /** The same, read; the last stands on all others. */
  readonly nodes: readonly LaneChange[]
  /** Hash of the last: what the first changes of the epoch stand on. It hangs on the genesis, so a rival's changes stand elsewhere. */
  readonly root: string
  readonly fence: Fence
}

interface Ranked {
  readonly key: string
  readonly value: LaneValue
}

/** The values of one rank of each key: of rank 0 every key has one, of the others those in conflict. */
const ranked = ({ values }: LaneState, rank: number): readonly Ranked[] =>
  [...values]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, found]) => {
      const value = found[rank]
      return value === undefined ? [] : [{ key, value }]
    })

/**
 * Turns what a lane was at a cut into changes. Values in conflict stay so: one change each, that do not know each other.
 * @param id of the genesis that begins here
 * @throws {RangeError} when the state holds what no lane of its kind holds
 */
export const createLaneBase = (id: string, state: LaneState, hash: Hash): LaneBase => {
  const width = Math.max(1, ...[...state.values.values()].map((values) => values.length))
  const changes: Uint8Array[] = []
  const nodes: LaneChange[] = []
  for (let rank = width - 1; rank >= 0; rank--) {
    const actor = toHex(hash.sha256(signedMessage('base-actor', Buffer.from(`${id}/${rank}`))).subarray(0, 16))
    const below = rank === 0 ? nodes : []
    const startOp = 1 + below.reduce((highest, { header }) => Math.max(highest, header.maxOp), 0)
    const deps = below.map(({ header }) => header.hash)
    const puts = ranked(state, rank).map(({ key, value }, at): Put => {
      const checked = checkValue(state.lane.kind, key, value, hash)
      if (!checked.ok) throw new RangeError(`the base holds ${key}: ${checked.refusal.message}`)
      return { id: `${startOp + at}@${actor}`, key, value, entry: checked.entry, replaces: [] }
    })
    const bytes = writeLaneChange({ actor, seq: 1, startOp, deps, puts })
    const decoded = decodeChange(bytes)
    // What Automerge reads is what counts: of a float with seventeen digits it may write the last one otherwise.
    const read = puts.map((put, op) => ({ ...put, value: decoded.ops[op]?.value as LaneValue }))
    const opCount = puts.length
    const header = {
      actor,
      seq: 1,
      startOp,
      maxOp: startOp + opCount - 1,
      deps,
      opCount,
      hash: decoded.hash,
    }
    changes.push(bytes)
    nodes.push({ header, puts: read })
  }
  return { id, changes, nodes, root: nodes.at(-1)?.header.hash ?? '', fence: state.fence }
}
