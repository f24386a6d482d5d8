import type { KeyId } from '../authority/index.ts'

/** Bounds of what is held without being used, for one author over all documents, and for all authors together. */
export const parkingLimits = {
  authorCount: 256,
  authorBytes: 2 ** 20,
  totalBytes: 64 * 2 ** 20,
} as const

/**
 * Room for envelopes that a writer signed and that are of no use now: their dependencies are missing, or they are
 * excluded. One for all lanes of a node. A full author's next envelope is dropped and counted; replication brings it
 * again when it is asked for.
 */
export interface Parking {
  /** Whether there is room; takes it. An envelope that is there already needs none. */
  take(author: KeyId, envelopeHash: string, sizeBytes: number): boolean
  /** Gives the room back; harmless when it was not taken. */
  release(author: KeyId, envelopeHash: string): void
  /** Envelopes dropped so far for want of room, in all. */
  droppedTotal(): number
}

/** @param limits @default parkingLimits */
export const createParking = (
  limits: { readonly [Name in keyof typeof parkingLimits]: number } = parkingLimits,
): Parking => {
  const lots = new Map<KeyId, { sizes: Map<string, number>; bytes: number }>()
  let totalBytes = 0
  let dropped = 0
  return {
    take: (author, envelopeHash, sizeBytes) => {
      const lot = lots.get(author) ?? { sizes: new Map<string, number>(), bytes: 0 }
      if (lot.sizes.has(envelopeHash)) return true
      const fits =
        lot.sizes.size < limits.authorCount &&
        lot.bytes + sizeBytes <= limits.authorBytes &&
        totalBytes + sizeBytes <= limits.totalBytes
      if (!fits) {
        dropped += 1
        return false
      }
      lot.sizes.set(envelopeHash, sizeBytes)
      lot.bytes += sizeBytes
      totalBytes += sizeBytes
      lots.set(author, lot)
      return true
    },
    release: (author, envelopeHash) => {
      const lot = lots.get(author)
      const sizeBytes = lot?.sizes.get(envelopeHash)
      if (lot === undefined || sizeBytes === undefined) return
      lot.sizes.delete(envelopeHash)
      lot.bytes -= sizeBytes
      totalBytes -= sizeBytes
      if (lot.sizes.size === 0) lots.delete(author)
    },
    droppedTotal: () => dropped,
  }
}
