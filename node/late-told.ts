import { type Documents, type Hash, parseEntry } from '../crdt/index.ts'

/** What children were told to run by changes that their lanes were sealed without. */
export interface LateTold {
  /** Ids of the applications, of one lane. */
  of(documentId: string): Promise<ReadonlySet<string>>
}

const none: ReadonlySet<string> = new Set()

/** Late changes lie on disk, are few and bounded, and are read when others are late than were. */
export const createLateTold = (documents: Pick<Documents, 'late' | 'lateNames'>, hash: Hash): LateTold => {
  type Names = ReturnType<Documents['lateNames']>
  const known = new Map<string, { readonly names: Names; readonly told: ReadonlySet<string> }>()
  return {
    of: async (documentId) => {
      const names = documents.lateNames(documentId)
      if (names.length === 0) {
        known.delete(documentId)
        return none
      }
      const kept = known.get(documentId)
      if (kept?.names === names) return kept.told
      const told = new Set<string>()
      for (const { puts } of await documents.late(documentId))
        for (const { key, value } of puts) {
          const read = parseEntry(String(value), hash)
          if (read.ok && read.entry.version !== null) told.add(key)
        }
      known.set(documentId, { names, told })
      return told
    },
  }
}
