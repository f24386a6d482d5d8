import { compareFences, type Fence, type Hash, keysOf } from '../authority/index.ts'
import {
  type Epoch,
  formatLaneName,
  type Genesis,
  type LaneName,
  type LaneReplica,
  parseLaneName,
} from '../lane/index.ts'
import type { Tally } from './tally.ts'

/** What a damaged disk took: known from a summary that was saved before. */
export interface Loss {
  /** Heads that were valid and are not here, or stand on something that is not. */
  readonly heads: readonly string[]
  /** The highest fence there was. */
  readonly fence: Fence
}

/** An epoch that was sealed and is kept still: all of its cut is on disk. */
export interface PastEpoch {
  readonly epoch: number
  /** The id of its genesis. */
  readonly id: string
}

/** Of what a lane leaves behind, what stays in memory; nearly always nothing. */
export interface LaneTail {
  /** By number. */
  readonly past: readonly PastEpoch[]
  /** Changes outside a cut, by epoch and hash. */
  readonly late: readonly LateName[]
  /** Proofs of two changes signed with one number, by epoch and author. */
  readonly proofs: readonly ProofName[]
}

export interface LateName {
  readonly epoch: number
  readonly hash: string
}
export interface ProofName {
  readonly epoch: number
  readonly author: string
}

export const noTail: LaneTail = { past: [], late: [], proofs: [] }

/** What a saved summary says. */
export interface SavedLane {
  readonly epoch: Epoch
  /** Hashes of envelopes, sorted. */
  readonly heads: readonly string[]
  readonly fence: Fence
  /** Of the envelopes on disk. */
  readonly tally: Tally
  /** Undefined for a lane of which nothing is known to be missing. */
  readonly loss: Loss | undefined
}

/** What stays in memory of a lane whose replica is not. */
export interface HeldLane extends SavedLane {
  /** Of the envelopes on disk of the open epoch. */
  readonly sizeBytes: number
  readonly tail: LaneTail
}

/** Whether fences were used that the envelopes do not show: who writes the lane must not count on from here. */
export const isBehind = ({ loss, fence }: SavedLane): boolean =>
  loss !== undefined && compareFences(loss.fence, fence) > 0

const remaining = (loss: Loss | undefined, { graph, epoch }: LaneReplica): Loss | undefined => {
  if (loss === undefined) return undefined
  const waiting = new Set(
    graph.unused().flatMap(({ envelope, status }) => (status.kind === 'parked' ? [envelope.hash] : [])),
  )
  const heads = loss.heads.filter((hash) => hash !== epoch.id && (!graph.has(hash) || waiting.has(hash)))
  return heads.length === 0 ? undefined : { heads, fence: loss.fence }
}

/** @param loss what was missing before; what of it is back is taken off */
export const describeLane = (
  replica: LaneReplica,
  { tally, sizeBytes, loss, tail }: Pick<HeldLane, 'tally' | 'sizeBytes' | 'loss' | 'tail'>,
): HeldLane => {
  const { heads, fence } = replica.summary()
  return { epoch: replica.epoch, heads, fence, tally, sizeBytes, loss: remaining(loss, replica), tail }
}

/** What is owed once envelopes of a lane that was `before` are found to be gone. */
export const lossOf = (before: Pick<SavedLane, 'heads' | 'fence' | 'loss'>): Loss => ({
  heads: [...new Set([...before.heads, ...(before.loss?.heads ?? [])])].toSorted(),
  fence:
    before.loss !== undefined && compareFences(before.loss.fence, before.fence) > 0 ? before.loss.fence : before.fence,
})

/** What an epoch is made from: the body of its genesis, or a saved summary. */
export interface EpochFields extends Pick<Genesis, 'epoch' | 'generation' | 'base' | 'writers' | 'lane'> {
  readonly id: string
  readonly documentId: string
}

/** Makes epochs that share what many lanes have in common: writers, tenants, scopes, the network. */
export const createEpochMaker = (networkId: () => string, hash: Hash) => {
  const writersOf = new Map<string, Epoch['place']['writers']>()
  const texts = new Map<string, string>()

  const share = (text: string): string => {
    const known = texts.get(text)
    if (known === undefined) texts.set(text, text)
    return known ?? text
  }

  const shareName = (lane: LaneName): LaneName =>
    Object.fromEntries(Object.entries(lane).map(([key, text]) => [key, share(text)])) as unknown as LaneName

  /** @throws {SkerryError} when the name is not one of a lane */
  return ({ id, documentId, lane, epoch, generation, base, writers }: EpochFields): Epoch => {
    const list = writers.join()
    const known = writersOf.get(list) ?? keysOf(writers, hash)
    writersOf.set(list, known)
    const network = share(networkId())
    const place = { networkId: network, documentId, epoch, writers: known }
    return { id, networkId: network, documentId, lane: shareName(parseLaneName(lane)), epoch, generation, base, place }
  }
}

export type EpochMaker = ReturnType<typeof createEpochMaker>

export const nameOf = ({ epoch }: Pick<HeldLane, 'epoch'>): string => formatLaneName(epoch.lane)
