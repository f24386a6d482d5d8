import { canonicalJson } from '../../base/index.ts'
import { type Fence, toHex } from '../authority/index.ts'
import { type EpochBase, formatLaneName } from '../lane/index.ts'
import type { EpochFields, Loss, SavedLane } from './held-lane.ts'
import type { Tally } from './tally.ts'

/** The version of the cache: another one, older or newer, is made anew from the envelopes. */
export const summaryVersion = 1

/** A saved summary as read: what a start needs of a lane without replaying it. */
export interface SavedSummary extends EpochFields {
  readonly heads: readonly string[]
  readonly fence: Fence
  readonly tally: Tally
  readonly loss: Loss | undefined
}

const unsigned = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')
const pairOf = ({ generation, n }: Fence): readonly number[] => [generation, n]

export const encodeSummary = ({ epoch, heads, fence, tally, loss }: SavedLane): Uint8Array =>
  new TextEncoder().encode(
    canonicalJson({
      _v: summaryVersion,
      base: epoch.base,
      count: tally.count,
      epoch: epoch.epoch,
      fence: pairOf(fence),
      generation: epoch.generation,
      genesis: epoch.id,
      heads,
      lane: formatLaneName(epoch.lane),
      loss: loss === undefined ? null : { fence: pairOf(loss.fence), heads: loss.heads },
      sum: `${unsigned(tally.high)}${unsigned(tally.low)}`,
      writers: [...epoch.place.writers.values()].map(toHex).toSorted(),
    }),
  )

type Raw = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const isHashes = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isHash)

const readFence = (value: unknown): Fence | undefined => {
  if (!Array.isArray(value) || value.length !== 2) return undefined
  const [generation, n] = value as readonly unknown[]
  return isCount(generation) && isCount(n) ? { generation, n } : undefined
}

const readBase = (value: unknown): EpochBase | null | undefined => {
  if (value === null) return null
  if (!isObject(value)) return undefined
  const { genesis, heads, state } = value
  return isHash(genesis) && isHashes(heads) && isHash(state) ? { genesis, heads, state } : undefined
}

const readLoss = (value: unknown): Loss | null | undefined => {
  if (value === null) return null
  if (!isObject(value)) return undefined
  const fence = readFence(value.fence)
  return fence !== undefined && isHashes(value.heads) ? { heads: value.heads, fence } : undefined
}

const parse = (bytes: Uint8Array): Raw | undefined => {
  try {
    const raw: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return isObject(raw) ? raw : undefined
  } catch {
    return undefined
  }
}

/** Undefined when it is of another version or is none. */
export const decodeSummary = (documentId: string, bytes: Uint8Array): SavedSummary | undefined => {
  const raw = parse(bytes)
  if (raw?._v !== summaryVersion) return undefined
  const { count, epoch, generation, genesis: id, heads, lane, sum, writers } = raw
  const fence = readFence(raw.fence)
  const base = readBase(raw.base)
  const loss = readLoss(raw.loss)
  const isSum = typeof sum === 'string' && /^[0-9a-f]{16}$/.test(sum)
  if (fence === undefined || base === undefined || loss === undefined || !isSum) return undefined
  if (!isHash(id) || !isHashes(heads) || !isHashes(writers) || writers.length === 0) return undefined
  if (!isCount(count) || !isCount(epoch) || !isCount(generation) || typeof lane !== 'string') return undefined
  const tally = { count, high: Number.parseInt(sum.slice(0, 8), 16) | 0, low: Number.parseInt(sum.slice(8), 16) | 0 }
  return { id, documentId, lane, epoch, generation, base, writers, heads, fence, tally, loss: loss ?? undefined }
}
