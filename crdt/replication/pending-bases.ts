import type { Message } from './message.ts'

type Base = Extract<Message, { kind: 'base' }>

/** A genesis whose epoch can be begun here only with its base. */
export interface PendingGenesis {
  readonly documentId: string
  /** Its id. */
  readonly genesis: string
  readonly bytes: Uint8Array
}

/** Lanes that wait at once for what their epoch begins with. */
const mostPending = 4_096

/**
 * What waits on one link for its base, and the base that is coming. Nothing is gathered but for a genesis that was found
 * good, and never more than one base at a time.
 * @param limitBytes the largest base
 */
export const createPendingBases = (limitBytes: number) => {
  const waiting = new Map<string, PendingGenesis>()
  const asked = new Set<string>()
  let coming:
    | { readonly genesis: string; readonly total: number; readonly parts: Uint8Array[]; size: number }
    | undefined

  return {
    /** What comes later of the same document takes its place. */
    put: (pending: PendingGenesis) => {
      if (waiting.size < mostPending || waiting.has(pending.documentId)) waiting.set(pending.documentId, pending)
    },
    /**
     * Documents whose base did not come by itself: each genesis once.
     * @param isHeld whether the lane went on without it
     */
    toAsk: (isHeld: (pending: PendingGenesis) => boolean): readonly string[] => {
      for (const pending of waiting.values()) if (isHeld(pending)) waiting.delete(pending.documentId)
      const due = [...waiting.values()].filter(({ genesis }) => !asked.has(genesis))
      for (const { genesis } of due) asked.add(genesis)
      return due.map(({ documentId }) => documentId).toSorted()
    },
    /** Adds a piece. @returns the genesis and its base when this was the last; `unasked` when nothing waits for it */
    add: ({ documentId, genesis, total, at, bytes }: Base) => {
      const pending = waiting.get(documentId)
      if (pending?.genesis !== genesis || total > limitBytes) return 'unasked' as const
      if (at === 0) coming = { genesis, total, parts: [], size: 0 }
      if (coming?.genesis !== genesis || coming.total !== total || coming.size !== at) return 'unasked' as const
      coming.parts.push(bytes.slice())
      coming.size += bytes.length
      if (coming.size < total) return undefined
      const base = Uint8Array.from(Buffer.concat(coming.parts))
      coming = undefined
      waiting.delete(documentId)
      return { ...pending, base }
    },
  }
}
