import { createLog, createSeededRandom, type LogLine } from '../../base/index.ts'
import { type Fence, nextFence, type Signer } from '../authority/index.ts'
import type { Envelope } from '../envelope/index.ts'
import { createParking, type Parking } from '../lane/index.ts'
import { edit, entryText, hexOf, type LaneScene, networkId } from '../lane/scene/index.ts'
import type { Store } from '../store/index.ts'
import {
  createDocuments,
  type DocumentChange,
  type Documents,
  type LaneWrite,
  type OpenedDocuments,
  type SealGuards,
} from './index.ts'

export interface OpenedScene {
  readonly documents: Documents
  readonly store: Store
  readonly opened: OpenedDocuments
  /** What listeners heard, in order. */
  readonly heard: DocumentChange[]
  readonly lines: LogLine[]
  close(): Promise<void>
}

/** Documents over a disk as a node starts them; every start draws other chance. */
export const openDocuments = async (
  disk: { store(): Store },
  { powers }: Pick<LaneScene, 'powers'>,
  options: {
    readonly seed?: number
    readonly cacheReplicas?: number
    readonly parking?: Parking
    readonly keepEpochs?: number
    readonly sealing?: SealGuards
  } = {},
): Promise<OpenedScene> => {
  const { seed = 1, cacheReplicas = 64, parking = createParking(), keepEpochs, sealing } = options
  const store = disk.store()
  await store.open()
  const lines: LogLine[] = []
  const log = createLog((line) => lines.push(line))
  const random = createSeededRandom(seed)
  const documents = createDocuments({
    store,
    networkId: () => networkId,
    powers,
    random,
    log,
    parking,
    cacheReplicas,
    ...(keepEpochs === undefined ? {} : { keepEpochs }),
    ...(sealing === undefined ? {} : { sealing }),
  })
  const heard: DocumentChange[] = []
  documents.onChange((change) => heard.push(change))
  const opened = await documents.open()
  const close = async () => {
    await documents.close()
    await store.close()
  }
  return { documents, store, opened, heard, lines, close }
}

/** One entry more in a lane, with the next fence. */
export const nextEntry = (documentId: string, word: string, application?: string): LaneWrite => ({
  documentId,
  edit: ({ fence, epoch }) =>
    edit(entryText({ n: countOn(fence, epoch.generation), decision: hexOf(word, 16) }), application),
})

const countOn = (fence: Fence, generation: number): number => nextFence(fence, generation)?.n ?? 0

/** Writes one entry; the envelopes that were signed. */
export const writeOne = async (
  { documents }: Pick<OpenedScene, 'documents'>,
  write: LaneWrite,
  signer: Signer,
): Promise<readonly Envelope[]> => {
  const [result] = await documents.write([write], signer)
  if (!result?.ok) throw new Error(`not written: ${result?.refusal.message}`)
  return result.envelopes
}

/** All bytes of a document, as a peer sends them. */
export const allBytes = async (documents: Documents, documentId: string): Promise<readonly Uint8Array[]> =>
  documents.envelopes(documentId, new Set(await documents.hashes(documentId)))
