import { canonicalJson } from '../../base/index.ts'
import { type Fence, type Hash, signedMessage, toHex } from '../authority/index.ts'
import { formatLaneName, type LaneName } from './lane-name.ts'
import { checkValue, type LaneValue } from './lane-schema.ts'

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

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isValue = (value: unknown): value is LaneValue =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Why a text is not the state of a lane; `newer-format` may be one for a newer program. */
export type ParsedState =
  | { readonly ok: true; readonly state: LaneState }
  | { readonly ok: false; readonly refusal: { readonly code: 'bad-state' | 'newer-format'; readonly message: string } }

const refuse = (code: 'bad-state' | 'newer-format', message: string): ParsedState => ({
  ok: false,
  refusal: { code, message },
})

/** Reads what `canonicalState` wrote, in that one form; never an error. That it is true the state hash in a genesis says. */
export const parseState = (text: string, lane: LaneName, hash: Hash): ParsedState => {
  const raw = parseJson(text)
  if (!isObject(raw)) return refuse('bad-state', 'the state of a lane is no JSON object')
  if (isCount(raw._v) && raw._v > 1)
    return refuse('newer-format', 'the state of a lane has a newer format than 1: update this node to read it')
  const [generation, n] = Array.isArray(raw.fence) ? (raw.fence as readonly unknown[]) : []
  if (raw._v !== 1 || !isCount(generation) || !isCount(n) || !isObject(raw.values))
    return refuse('bad-state', 'the state of a lane lacks a field')
  const values = new Map<string, readonly LaneValue[]>()
  for (const [key, found] of Object.entries(raw.values)) {
    if (!Array.isArray(found) || found.length === 0 || !found.every(isValue))
      return refuse('bad-state', 'the state of a lane holds what is no value')
    for (const value of found) {
      const checked = checkValue(lane.kind, key, value, hash)
      if (!checked.ok)
        return refuse(checked.refusal.code === 'newer-format' ? 'newer-format' : 'bad-state', checked.refusal.message)
    }
    values.set(key, sortValues(found))
  }
  const state: LaneState = { lane, values, fence: { generation, n } }
  return canonicalState(state) === text ? { ok: true, state } : refuse('bad-state', 'the state is not in its one form')
}
