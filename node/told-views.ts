import type { Documents, LaneView, ReadEntry, Store } from '../crdt/index.ts'
import { formatLaneName } from '../crdt/index.ts'

const prefix = 'told/'
const format = 1

interface KeptView {
  readonly _v: number
  /** Hashes of the envelopes it was read from; it counts while they are the heads of the lane. */
  readonly heads: readonly string[]
  readonly entries: Readonly<Record<string, readonly ReadEntry[]>>
}

/**
 * What stands in the lanes of children, kept beside the lanes so that a hub of ten thousand need not read each lane again
 * at its start. A cache: what is lost, damaged, of another format or of other heads is read from the lane.
 */
export interface ToldViews {
  /** By document, those that are still what their lane says. */
  load(): Promise<ReadonlyMap<string, LaneView>>
  /** Not synced: a crash costs some lanes to be read again. */
  save(views: ReadonlyMap<string, LaneView>): Promise<void>
}

const read = (bytes: Uint8Array): KeptView | undefined => {
  try {
    // The store's checksum says that it is what was written here.
    const kept = JSON.parse(Buffer.from(bytes).toString()) as KeptView | null
    return kept?._v === format ? kept : undefined
  } catch {
    return undefined
  }
}

export const createToldViews = (
  store: Pick<Store, 'scan' | 'write'>,
  documents: Pick<Documents, 'summaryOf' | 'epochOf'>,
): ToldViews => ({
  load: async () => {
    const views = new Map<string, LaneView>()
    for await (const { key, value } of store.scan({ prefix })) {
      const document = key.slice(prefix.length)
      const lane = documents.epochOf(document)?.lane
      const kept = value && read(value)
      if (lane?.kind !== 'intent' || kept?.heads.join() !== documents.summaryOf(document)?.heads.join()) continue
      const entries = new Map(Object.entries(kept?.entries ?? {}))
      views.set(document, { lane: formatLaneName(lane), voice: 'intent', entries })
    }
    return views
  },
  save: async (views) => {
    const batch = [...views].flatMap(([document, { entries }]) => {
      const heads = documents.summaryOf(document)?.heads
      if (heads === undefined) return []
      const kept: KeptView = { _v: format, heads, entries: Object.fromEntries(entries) }
      return [{ kind: 'put', key: `${prefix}${document}`, value: Buffer.from(JSON.stringify(kept)) } as const]
    })
    if (batch.length > 0) await store.write(batch, { sync: false })
  },
})
