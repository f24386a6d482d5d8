import type { Fence, Owner, Signer } from '../authority/index.ts'
import type { LaneView } from '../effective/index.ts'
import type { Envelope, EnvelopeRefusal } from '../envelope/index.ts'
import type {
  AuthorResult,
  Epoch,
  LaneName,
  LaneSummary,
  LaneValue,
  OpenedGenesis,
  Put,
  Received,
} from '../lane/index.ts'

/** What `open` found: how many lanes there are, and those of which stored bytes are missing or damaged. */
export interface OpenedDocuments {
  readonly lanes: number
  /** Document ids, sorted. They count as behind: digests differ, so a peer that has the rest brings it back. */
  readonly damaged: readonly string[]
}

export type TakenGenesis =
  | OpenedGenesis
  | { readonly ok: false; readonly refusal: { readonly code: 'rival'; readonly message: string } }

/** What changed in one document, told after it is on disk. */
export interface DocumentChange {
  readonly documentId: string
  /** New envelopes, in the order they were taken; empty when the document is new, or the disk lost some of it. */
  readonly envelopes: readonly Envelope[]
  /** Who brought them, as given to `take`; undefined when they were written here. */
  readonly from: string | undefined
}

/** A lane as its writer sees it while it decides what to write. */
export interface LaneDraft {
  readonly standing: ReadonlyMap<string, readonly Put[]>
  /** The highest fence of the lane. The first entry written counts on from it: `nextFence(fence, generation)`. */
  readonly fence: Fence
  readonly epoch: Epoch
}

/**
 * What became of one lane to write. `behind`: stored envelopes are gone that had used higher fences, so that counting on
 * would use them twice; taking them from a peer lifts it.
 */
export type WriteResult =
  | AuthorResult
  | { readonly ok: false; readonly refusal: { readonly code: 'behind'; readonly message: string } }

/** One lane to write, and what to put into it; no edits is no write. */
export interface LaneWrite {
  readonly documentId: string
  readonly edit: (draft: LaneDraft) => ReadonlyMap<string, LaneValue>
}

/**
 * All lanes of a node over its store. Heads, fences and digest leaves stay in memory; envelopes are on disk; replicas live in a
 * bounded cache and are freed explicitly. Work on one document happens one after the other.
 */
export interface Documents {
  open(): Promise<OpenedDocuments>
  /** Frees every replica. Does not close the store. */
  close(): Promise<void>
  /** Ids of all documents held, sorted. */
  ids(): readonly string[]
  idOf(lane: LaneName): string | undefined
  /** The open epoch of a document that is held. */
  epochOf(documentId: string): Epoch | undefined
  summaryOf(documentId: string): LaneSummary | undefined
  /** Signed record of the open epoch. */
  genesisOf(documentId: string): Promise<Uint8Array | undefined>
  /**
   * Begins a lane whose sole writer is an owner this node signs for; answers the id of the one that is there already.
   * On disk when it resolves.
   */
  create(lane: LaneName, owner: Owner, signer: Signer): Promise<string>
  /**
   * Takes the first record of a lane from a peer. A second document for a lane that is held is refused as `rival`.
   * @param owner the generation the genesis names, as this node believes it
   */
  takeGenesis(bytes: Uint8Array, owner: Owner, from: string): Promise<TakenGenesis>
  /** What stands under each key. @throws {RangeError} when the document is not held */
  standing(documentId: string): Promise<ReadonlyMap<string, readonly Put[]>>
  /** What `effective` reads; undefined for lanes without entries and for documents that are not held. */
  view(documentId: string): Promise<LaneView | undefined>
  /**
   * Signs one change per lane; all of a call are on disk, in one synced batch, before it resolves and before a listener hears
   * of them. A lane whose edit changes nothing answers `no-change`.
   * @throws {StoreError} when the disk refuses: nothing was written, and the lanes go on as a new incarnation
   */
  write(writes: readonly LaneWrite[], writer: Signer): Promise<readonly WriteResult[]>
  /** Takes envelopes of one document from a peer; those that are good are on disk when it resolves. */
  take(
    documentId: string,
    envelopes: readonly Uint8Array[],
    from: string,
  ): Promise<readonly (Received | { readonly kind: 'refused'; readonly refusal: EnvelopeRefusal })[]>
  /** Hashes of all envelopes held of the open epoch, valid or not, sorted. */
  hashes(documentId: string): Promise<readonly string[]>
  /** Bytes of those envelopes that are held, valid ones after what they stand on. */
  envelopes(documentId: string, hashes: ReadonlySet<string>): Promise<readonly Uint8Array[]>
  /** @returns how to stop listening */
  onChange(listener: (change: DocumentChange) => void): () => void
}
