import * as Automerge from 'automerge'
import type { LaneValue } from './lane-schema.ts'

/** What Automerge says stands under one key: values, and, where several stand, their operations. */
export type MergedValue = { readonly id: string | undefined; readonly value: LaneValue }

type Content = Record<string, unknown>

/** Reads only: it never authors, so that no random actor is drawn. */
const readerActor = '00'.repeat(16)

const scalarOf = (value: unknown): LaneValue => {
  if (Automerge.isImmutableString(value)) return value.toString()
  if (typeof value === 'number' || typeof value === 'boolean') return value
  throw new TypeError(`a lane holds strings, numbers and booleans; Automerge shows ${typeof value}`)
}

/** Among conflicts Automerge shows an immutable string as a plain one; alone, a plain one is a text. */
const rivalOf = (value: unknown): LaneValue => (typeof value === 'string' ? value : scalarOf(value))

/**
 * A live document of Automerge. Costs memory that only `free` gives back; every method may throw what WASM throws, and
 * then the document is of no more use.
 */
export const createAutomergeDocument = () => {
  let doc = Automerge.init<Content>({ actor: readerActor })
  return {
    /** Takes changes, each after what it stands on. */
    apply: (changes: readonly Uint8Array[]) => {
      doc = Automerge.applyChanges(doc, [...changes])[0]
    },
    /** Hashes of the changes nothing stands on, sorted. */
    heads: (): readonly string[] => Automerge.getHeads(doc).toSorted(),
    /** Per key what stands. */
    values: (): ReadonlyMap<string, readonly MergedValue[]> => {
      const content = Automerge.toJS(doc)
      const keys = Object.keys(content).toSorted()
      return new Map(
        keys.map((key): [string, readonly MergedValue[]] => {
          const several = Object.entries(Automerge.getConflicts(doc, key) ?? {})
          if (several.length < 2) return [key, [{ id: undefined, value: scalarOf(content[key]) }]]
          return [key, several.map(([id, value]) => ({ id, value: rivalOf(value) }))]
        }),
      )
    },
    free: () => Automerge.free(doc),
  }
}

export type AutomergeDocument = ReturnType<typeof createAutomergeDocument>
