import type { Log } from '../../base/index.ts'
import type { Store } from '../store/index.ts'
import type { EpochMaker, HeldLane } from './held-lane.ts'
import type { LaneShelf } from './lane-shelf.ts'
import { type LiveLane, type ReplayPowers, readEnvelopes, replay, tallyOnDisk } from './live-lane.ts'
import { rebuildLane, writeCache } from './read-lanes.ts'
import type { ReplicaCache } from './replica-cache.ts'
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
}

/**
 * The disk does not hold what it held: some is gone, or more is there since a write that failed. What is there is taken
 * for the lane, and whoever listens learns that it changed.
 */
const admitDamage = async (desk: Desk, before: HeldLane): Promise<LiveLane> => {
  const { documentId } = before.epoch
  const { live, lane, changes } = await rebuildLane(before.epoch, before, desk)
  await writeCache(desk, changes)
  desk.shelf.set(lane)
  desk.log.warn('a lane on disk is not what it was: what is missing comes back from a peer that has it', {
    document: documentId,
    envelopes: lane.tally.count,
    before: before.tally.count,
  })
  desk.shelf.tell({ documentId, envelopes: [], from: undefined })
  return live
}

/** Takes the replica of a lane out of the cache, or makes it from the disk. Its turn is the caller's. */
export const checkOut = async (desk: Desk, documentId: string): Promise<LiveLane> => {
  const kept = desk.cache.take(documentId)
  if (kept !== undefined) return kept
  const lane = desk.shelf.demand(documentId)
  const { envelopes, damaged } = await readEnvelopes(lane.epoch, desk)
  const live = replay(lane.epoch, envelopes, desk)
  if (damaged.length === 0 && sameTally(tallyOnDisk(live), lane.tally)) return live
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
