import type { Documents, LaneName, ReadEntry } from '../crdt/index.ts'

/** Actors whose key is remembered: an actor is of one key for good, and a busy site sees few. */
const keptActors = 4_096

/** Who signed entries. */
export interface EntryAuthors {
  /**
   * Id of the key that signed the envelope the entry came in, or the seal that the entry stands in since; undefined where
   * the entry stands no more.
   */
  of(lane: LaneName, application: string, entry: ReadEntry): Promise<string | undefined>
}

export const createEntryAuthors = (documents: Documents): EntryAuthors => {
  const known = new Map<string, string>()
  return {
    of: async (lane, application, entry) => {
      const document = documents.idOf(lane)
      if (document === undefined) return undefined
      const puts = (await documents.standing(document)).get(application) ?? []
      const actor = puts.find((put) => put.entry?.hash === entry.hash)?.id.split('@')[1]
      if (actor === undefined) return undefined
      const author = known.get(actor)
      if (author !== undefined) return author
      // Envelopes carry the key, puts only the actor.
      const found = await documents.authorOf(document, actor)
      if (known.size > keptActors) known.clear()
      if (found !== undefined) {
        known.set(actor, found)
        return found
      }
      // It is older than the epoch: who sealed that says that it stands.
      const sealers = (documents.epochOf(document)?.epoch ?? 1) > 1 ? await documents.sealersOf(document) : []
      return sealers[0] ?? ''
    },
  }
}
