import { errorText, type Log } from '../../base/index.ts'
import { formatLaneName, type LaneName } from '../lane/index.ts'
import type { DocumentChange } from './documents.ts'
import { type HeldLane, nameOf } from './held-lane.ts'

/** The lanes held, by document and by name, and who listens to their changes. */
export const createLaneShelf = (log: Log) => {
  const lanes = new Map<string, HeldLane>()
  const byName = new Map<string, string>()
  const listeners = new Set<(change: DocumentChange) => void>()
  let ids: readonly string[] | undefined

  return {
    get: (documentId: string): HeldLane | undefined => lanes.get(documentId),
    /** @throws {RangeError} when the document is not held */
    demand: (documentId: string): HeldLane => {
      const lane = lanes.get(documentId)
      if (lane === undefined) throw new RangeError(`the document ${documentId} is not held`)
      return lane
    },
    set: (lane: HeldLane) => {
      const { documentId } = lane.epoch
      if (!lanes.has(documentId)) {
        ids = undefined
        byName.set(nameOf(lane), documentId)
      }
      lanes.set(documentId, lane)
    },
    /** Of a lane that can no longer be read. */
    remove: (documentId: string) => {
      const lane = lanes.get(documentId)
      if (lane !== undefined) byName.delete(nameOf(lane))
      lanes.delete(documentId)
      ids = undefined
    },
    idOf: (lane: LaneName): string | undefined => byName.get(formatLaneName(lane)),
    ids: (): readonly string[] => {
      ids ??= [...lanes.keys()].toSorted()
      return ids
    },
    clear: () => {
      lanes.clear()
      byName.clear()
      ids = undefined
    },
    listen: (listener: (change: DocumentChange) => void) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    /** Call it when the change is on disk. A listener that throws costs nobody else the change. */
    tell: (change: DocumentChange) => {
      for (const listener of listeners) {
        try {
          listener(change)
        } catch (error) {
          log.error('a listener to documents failed', { document: change.documentId, reason: errorText(error) })
        }
      }
    },
  }
}

export type LaneShelf = ReturnType<typeof createLaneShelf>
