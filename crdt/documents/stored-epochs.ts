import type { Envelope } from '../envelope/index.ts'
import type { Epoch, LaneState } from '../lane/index.ts'
import { genesisKey } from './document-keys.ts'
import type { HeldLane, PastEpoch } from './held-lane.ts'
import type { Desk } from './lane-desk.ts'
import { readBase, readEnvelopes } from './live-lane.ts'
import { readGenesis } from './read-lanes.ts'

/** One epoch that is on disk; what is held of it is read when it is asked for, once. */
export interface StoredEpoch {
  readonly epoch: Epoch
  readonly envelopes: () => Promise<readonly Envelope[]>
  /** What it began with: undefined in the first, or when it is gone. */
  readonly base: () => Promise<LaneState | undefined>
}

const once = <Value>(read: () => Promise<Value>): (() => Promise<Value>) => {
  let reading: Promise<Value> | undefined
  return () => {
    reading ??= read()
    return reading
  }
}

const storedOf = (desk: Desk, epoch: Epoch): StoredEpoch => ({
  epoch,
  envelopes: once(async () => (await readEnvelopes(epoch, desk)).envelopes),
  base: once(() => readBase(epoch, desk)),
})

/** A sealed epoch that is kept; undefined when its genesis is damaged. */
export const readPast = async (desk: Desk, documentId: string, { epoch }: PastEpoch): Promise<Epoch | undefined> =>
  readGenesis(await desk.readWhole(genesisKey(documentId, epoch)), desk)

/** All epochs held of a lane, the open one last. */
export const storedEpochs = async (desk: Desk, { epoch, tail }: HeldLane): Promise<readonly StoredEpoch[]> => {
  const past = await Promise.all(tail.past.map((one) => readPast(desk, epoch.documentId, one)))
  return [...past.filter((one) => one !== undefined), epoch].map((one) => storedOf(desk, one))
}
