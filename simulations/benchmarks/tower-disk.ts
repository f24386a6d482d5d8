import { join } from 'node:path'
import { SkerryError, silentLog } from '../../base/index.ts'
import { createBook, createDocuments, createNodeSignatures, formatLaneName, nodeHash } from '../../crdt/index.ts'
import { createLevelStore } from '../../crdt/store/level/index.ts'
import { systemRandom } from '../../node/powers/index.ts'

/** One site's intent as it is on disk. */
export interface KeptIntent {
  /** The lane and the application. */
  readonly key: string
  /** The signed version it names; null when the application is retired there. */
  readonly version: string | null
  /** Of the envelope that was signed last in its lane. */
  readonly sizeBytes: number
}

/** Reads every site's intent from the disk of a tower that does not run. @param dataDir its data folder */
export const readIntents = async (dataDir: string): Promise<readonly KeptIntent[]> => {
  const store = createLevelStore(join(dataDir, 'store'), { log: silentLog })
  await store.open()
  try {
    const powers = { signatures: createNodeSignatures(), hash: nodeHash }
    const book = createBook({ store, powers, log: silentLog })
    await book.open()
    const networkId = () => book.networkId() ?? ''
    const documents = createDocuments({ store, networkId, powers, random: systemRandom, log: silentLog })
    const { damaged } = await documents.open()
    if (damaged.length > 0) throw new SkerryError('damaged-store', `${damaged.length} lanes of the tower are damaged`)
    const found: KeptIntent[] = []
    for (const id of documents.ids()) {
      const lane = documents.epochOf(id)?.lane
      if (lane?.kind !== 'intent') continue
      const [envelope] = await documents.envelopes(id, new Set(documents.summaryOf(id)?.heads))
      for (const [application, [entry]] of (await documents.view(id))?.entries ?? [])
        found.push({
          key: `${formatLaneName(lane)}/${application}`,
          version: entry?.version ?? null,
          sizeBytes: envelope?.byteLength ?? 0,
        })
    }
    await documents.close()
    return found
  } finally {
    await store.close()
  }
}
