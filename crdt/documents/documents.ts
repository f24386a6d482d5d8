import type { Fence, KeyId, Owner, Signer } from '../authority/index.ts'
import type { LaneView } from '../effective/index.ts'
import type { Envelope, EnvelopeRefusal, EquivocationProof, ProofRefusal } from '../envelope/index.ts'
import type {
  AuthorResult,
  Epoch,
  EpochLoad,
  LaneName,
  LaneSummary,
  LaneValue,
  OpenedGenesis,
  Put,
  Received,
} from '../lane/index.ts'
import type { PastEpoch } from './held-lane.ts'
import type { TurnRefusal } from './judge-seal.ts'
import type { LateChange } from './late-changes.ts'

/** What `open` found: how many lanes there are, and those of which stored bytes are missing or damaged. */
export interface OpenedDocuments {
  readonly lanes: number
  /** Document ids, sorted. They count as behind: digests differ, so a peer that has the rest brings it back. */
  readonly damaged: readonly string[]
}

export type TakenGenesis =
  | Extract<OpenedGenesis, { ok: true }>
  | {
      readonly ok: false
      readonly refusal:
        | Extract<OpenedGenesis, { ok: false }>['refusal']
        | { readonly code: 'rival'; readonly message: string }
        | TurnRefusal
    }

/** What became of an envelope that was brought; `late` when it belongs to an epoch that was sealed without it. */
export type Taken =
  | Received
  | { readonly kind: 'late' }
  | { readonly kind: 'refused'; readonly refusal: EnvelopeRefusal }

/** What changed in one document, told after it is on disk. */
export interface DocumentChange {
  readonly documentId: string
  /** The document or its epoch is new, or the disk lost some of it: there is more to it than what stands below. */
  readonly isNew: boolean
  /** What its first epoch begins with, where that was put now. */
  readonly genesis?: Uint8Array | undefined
  /** This node sealed an epoch and began the next: the same stands as before. */
  readonly isSeal: boolean
  /** New envelopes, in the order they were taken. */
  readonly envelopes: readonly Envelope[]
  /** Changes that are late since now. */
  readonly late: readonly Envelope[]
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

/** What to seal a lane with. */
export interface Seal {
  /** The owner in the generation that is to hold from now on. */
  readonly owner: Owner
  /** A key of the owner. */
  readonly signer: Signer
  /** Public keys of the owner that are to write. @default all of them */
  readonly writers?: readonly Uint8Array[]
  /** Begins an epoch also when nothing was written and the writers stay: who joins then learns nothing of before. @default false */
  readonly isForced?: boolean
}

export type SealResult =
  | { readonly ok: true; readonly epoch: Epoch; readonly late: number }
  | {
      readonly ok: false
      readonly refusal: {
        readonly code: TurnRefusal['code'] | 'no-change' | 'behind' | 'quarantined' | 'too-large' | 'not-entitled'
        readonly message: string
      }
    }

/** A key of which two changes of one number are known in one lane and epoch. */
export interface QuarantinedKey {
  readonly documentId: string
  readonly lane: LaneName
  readonly epoch: number
  readonly author: KeyId
  /** Whether that epoch is open still: then both changes, and what stands on them, do not count. */
  readonly isOpen: boolean
}

/** One lane to write, and what to put into it; no edits is no write. */
export interface LaneWrite {
  readonly documentId: string
  readonly edit: (draft: LaneDraft) => ReadonlyMap<string, LaneValue>
}

/** What may come with a genesis. */
export interface GenesisExtras {
  /** What its epoch begins with, where the epoch before is not here. */
  readonly base?: Uint8Array
  /** Keys of which one has to have signed. @default all of the owner */
  readonly sealers?: ReadonlyMap<KeyId, Uint8Array>
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
  /** Whether it is held and nothing of it is known to be lost by the disk: its fence then falls only by a proof or a seal. */
  isWhole(documentId: string): boolean
  /** How much the open epoch holds: what `whySeal` asks. */
  loadOf(documentId: string): EpochLoad | undefined
  /** Epochs that were sealed and are kept, all of their cut, by number. */
  pastOf(documentId: string): readonly PastEpoch[]
  /** Signed record of the open epoch, or of one that is kept. */
  genesisOf(documentId: string, epoch?: number): Promise<Uint8Array | undefined>
  /** What the open epoch began with: canonical JSON, as its state hash covers it. Undefined in the first. */
  baseOf(documentId: string): Promise<Uint8Array | undefined>
  /**
   * Begins a lane whose sole writer is an owner this node signs for; answers the id of the one that is there already.
   * On disk when it resolves.
   */
  create(lane: LaneName, owner: Owner, signer: Signer): Promise<string>
  /**
   * Takes the first record of a lane from a peer. A second document for a lane that is held is refused as `rival`.
   * @param owner the generation the genesis names, as this node believes it
   */
  takeGenesis(bytes: Uint8Array, owner: Owner, from: string, more?: GenesisExtras): Promise<TakenGenesis>
  /**
   * Begins the next epoch of a lane at what stands now; what does not count is late from then on. On disk when it
   * resolves, and told. The caller is the owner and signs for it; holders work out the same.
   */
  seal(documentId: string, seal: Seal): Promise<SealResult>
  /** Changes outside of what the lane came to, by epoch and hash. */
  late(documentId: string): Promise<readonly LateChange[]>
  /** Names of late changes, without reading them: epoch and hash of the envelope. */
  lateNames(documentId: string): readonly { readonly epoch: number; readonly hash: string }[]
  /** Bytes of late changes that are held. */
  lateEnvelopes(documentId: string, hashes: ReadonlySet<string>): Promise<readonly Uint8Array[]>
  /** Takes changes that are late elsewhere; those of writers of an epoch held are kept, bounded for each author. */
  takeLate(documentId: string, envelopes: readonly Uint8Array[], from: string): Promise<readonly Taken[]>
  /** Hashes of envelopes of the open epoch that do not count, whatever else comes; sorted. Of a document that is not held none. */
  excluded(documentId: string): Promise<readonly string[]>
  /** Keys that signed two changes of one number, by document, epoch and key. @param documentId @default all documents */
  quarantined(documentId?: string): readonly QuarantinedKey[]
  /** Writers of the open epoch that signed its genesis: after the first they vouch for all it began with. */
  sealersOf(documentId: string): Promise<readonly KeyId[]>
  /** The proof against one of them: whoever reads it needs nothing else. */
  proofOf(key: Pick<QuarantinedKey, 'documentId' | 'epoch' | 'author'>): Promise<Uint8Array | undefined>
  /** Takes a proof about a document that is held. In the open epoch both changes cease to count; a sealed one stays as it is. */
  takeProof(
    bytes: Uint8Array,
    from: string,
  ): Promise<
    | { readonly ok: true; readonly proof: EquivocationProof }
    | { readonly ok: false; readonly refusal: ProofRefusal | EnvelopeRefusal }
  >
  /** What a key wrote in an epoch that is held, inside its cut and late: hashes of the envelopes, sorted. */
  writtenBy(documentId: string, epoch: number, author: KeyId): Promise<readonly string[]>
  /** What stands under each key. @throws {RangeError} when the document is not held */
  standing(documentId: string): Promise<ReadonlyMap<string, readonly Put[]>>
  /** Id of the key that signs as an actor of the open epoch; undefined when nothing of it is held. @throws {RangeError} when the document is not held */
  authorOf(documentId: string, actor: string): Promise<KeyId | undefined>
  /** What `effective` reads; undefined for lanes without entries and for documents that are not held. */
  view(documentId: string): Promise<LaneView | undefined>
  /**
   * Signs one change per lane; all of a call are on disk, in one synced batch, before it resolves and before a listener hears
   * of them. A lane whose edit changes nothing answers `no-change`.
   * @throws {StoreError} when the disk refuses: nothing was written, and the lanes go on as a new incarnation
   */
  write(writes: readonly LaneWrite[], writer: Signer): Promise<readonly WriteResult[]>
  /** Takes envelopes of one document from a peer; those that are good are on disk when it resolves. */
  take(documentId: string, envelopes: readonly Uint8Array[], from: string): Promise<readonly Taken[]>
  /** Hashes of all envelopes held of the open epoch, valid or not, or of one that is kept; sorted. */
  hashes(documentId: string, epoch?: number): Promise<readonly string[]>
  /** Bytes of those envelopes that are held, valid ones after what they stand on. */
  envelopes(documentId: string, hashes: ReadonlySet<string>, epoch?: number): Promise<readonly Uint8Array[]>
  /** @returns how to stop listening */
  onChange(listener: (change: DocumentChange) => void): () => void
}
