import type { LiveLane } from './live-lane.ts'

/**
 * Replicas that were used last, by document id. Whoever works on one takes it out and puts it back, so that none is
 * freed while it is in use.
 */
export interface ReplicaCache {
  take(documentId: string): LiveLane | undefined
  /** The one put back the longest ago is freed where there are too many. */
  put(documentId: string, live: LiveLane): void
  clear(): void
  size(): number
  /** How many are kept. */
  readonly most: number
}

/** @param most how many are kept */
export const createReplicaCache = (most: number): ReplicaCache => {
  const kept = new Map<string, LiveLane>()
  const take = (documentId: string) => {
    const live = kept.get(documentId)
    kept.delete(documentId)
    return live
  }
  return {
    take,
    put: (documentId, live) => {
      kept.set(documentId, live)
      for (const oldest of kept.keys()) {
        if (kept.size <= most) break
        take(oldest)?.replica.close()
      }
    },
    clear: () => {
      for (const { replica } of kept.values()) replica.close()
      kept.clear()
    },
    size: () => kept.size,
    most,
  }
}
