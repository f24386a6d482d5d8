import type { Log } from '../../base/index.ts'
import type { Store } from '../store/index.ts'
import type { EpochMaker, HeldLane } from './held-lane.ts'
import type { LaneShelf } from './lane-shelf.ts'
import { diskOf, type LiveLane, type ReplayPowers, readBase, readEnvelopes, replay } from './live-lane.ts'
import { rebuildLane, writeCache } from './read-lanes.ts'
import type { ReplicaCache } from './replica-cache.ts'
import type { SealGuards } from './seal-guards.ts'
import { sameTally } from './tally.ts'
import type { Turns } from './turns.ts'

/** What all work on documents shares. */
export interface Desk extends ReplayPowers {
  readonly store: Store
  readonly log: Log
  readonly shelf: LaneShelf
  readonly turns: Turns
  readonly cache: ReplicaCache
  readonly makeEpoch: EpochMaker
  /** What is kept under a key; undefined when it is damaged too. */
  readonly readWhole: (key: string) => Promise<Uint8Array | undefined>
  readonly guards: SealGuards
  /** Sealed epochs kept of a lane. */
  readonly keepEpochs: number
  /** Draws another incarnation: what was signed before is not counted on from. */
  readonly beginIncarnation: () => void
}

/**
 * The disk does not hold what it held: some is gone, or more is there since a write that failed. What is there is taken
 * for the lane, and whoever listens learns that it changed.
 */
const admitDamage = async (desk: Desk, before: HeldLane): Promise<LiveLane> => {
  const { documentId } = before.epoch
  const rebuilt = await rebuildLane(before.epoch, before, before.tail, desk)
  if (rebuilt === undefined) {
    desk.shelf.remove(documentId)
    desk.log.warn('what an epoch began with is gone: a peer that has it brings the lane back', { document: documentId })
    throw new RangeError(`the document ${documentId} is not held: the disk lost what its epoch began with`)
  }
  const { live, lane, changes } = rebuilt
  await writeCache(desk, changes)
  desk.shelf.set(lane)
  desk.log.warn('a lane on disk is not what it was: what is missing comes back from a peer that has it', {
    document: documentId,
    envelopes: lane.tally.count,
    before: before.tally.count,
  })
  desk.shelf.tell({ documentId, isNew: true, isSeal: false, envelopes: [], late: [], from: undefined })
  return live
}

/** Takes the replica of a lane out of the cache, or makes it from the disk. Its turn is the caller's. */
export const checkOut = async (desk: Desk, documentId: string): Promise<LiveLane> => {
  const kept = desk.cache.take(documentId)
  if (kept !== undefined) return kept
  const lane = desk.shelf.demand(documentId)
  const base = await readBase(lane.epoch, desk)
  if (base === undefined && lane.epoch.base !== null) return admitDamage(desk, lane)
  const { envelopes, damaged } = await readEnvelopes(lane.epoch, desk)
  const live = replay({ epoch: lane.epoch, base }, envelopes, desk)
  if (damaged.length === 0 && sameTally(diskOf(live).tally, lane.tally)) return live
  live.replica.close()
  return admitDamage(desk, lane)
}

/** Gives a replica back after use. One that does not hold all there is, is made anew when it is needed again. */
export const checkIn = (desk: Desk, live: LiveLane): void => {
  if (live.isPartial) live.replica.close()
  else desk.cache.put(live.replica.epoch.documentId, live)
}

/** Does something with the replica of a lane, in its turn; keeps the replica unless that throws. */
export const withReplica = <Result>(
  desk: Desk,
  documentId: string,
  work: (live: LiveLane) => Result | Promise<Result>,
): Promise<Result> =>
  desk.turns.run([documentId], async () => {
    const live = await checkOut(desk, documentId)
    try {
      const result = await work(live)
      checkIn(desk, live)
      return result
    } catch (error) {
      live.replica.close()
      throw error
    }
  })
