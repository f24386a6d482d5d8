import type {
  Anchors,
  BeaconState,
  Certificate,
  Delegation,
  DeploymentVersion,
  KeyId,
  KeyList,
  Owner,
  OwnerId,
  Refusal,
  SignedRecord,
  Trust,
} from '../authority/index.ts'

/** Kinds of records a book keeps. */
export type BookKind =
  | 'root'
  | 'key-list'
  | 'block-list'
  | 'delegation'
  | 'verdict'
  | 'beacon'
  | 'certificate'
  | 'deployment-version'

export interface BookRecord {
  readonly kind: BookKind
  /** 64 hexadecimal digits. */
  readonly id: string
  readonly bytes: Uint8Array
}

/** Why a record is not kept: what authority says of it, or what only a book says. */
export type BookRefusal =
  | Refusal
  | {
      /** `unknown-kind`: no record a book keeps. `full`: a named limit of the book is reached. */
      readonly code: 'unknown-kind' | 'full'
      readonly message: string
    }

export type BookResult =
  | { readonly kind: 'new' | 'known'; readonly record: BookRecord }
  | { readonly kind: 'refused'; readonly refusal: BookRefusal }

/**
 * The signed records a node believes, over its store. Takes records in any order and keeps what chains from the root; what is
 * refused changes nothing. On disk, synced, before `take` resolves.
 */
export interface Book {
  /** Reads what is stored and folds it again. */
  open(): Promise<void>
  /** Undefined until the first root document is there. */
  trust(): Trust | undefined
  /** The network id, 64 hexadecimal digits; undefined before the first root. */
  networkId(): string | undefined
  /** Zones that renew themselves and that this node lies in, by scope: there it believes these owners alone. */
  anchors(): Anchors
  /**
   * Pins such zones for good, and judges all that is held again under it. On disk before it resolves; one that is pinned
   * stays as it is.
   */
  anchor(more: Anchors): Promise<void>
  /** A whole lot at once: records that need one another may come in any order. Answers in the order given. */
  take(records: readonly Uint8Array[]): Promise<readonly BookResult[]>
  /** The owner of a zone or site as believed now; of an anchored zone that owner or none. */
  ownerAt(scope: string, role: Owner['role']): Owner | undefined
  owner(id: OwnerId): Owner | undefined
  tenants(): readonly Owner[]
  /** The newest certificate of a key. */
  certificateOf(key: KeyId): SignedRecord<Certificate> | undefined
  highestNumbers(): ReadonlyMap<KeyId, number>
  delegationsOf(tenant: OwnerId): readonly SignedRecord<Delegation>[]
  /** The key lists held of an owner, the oldest first: of one that is granted perhaps the newest alone. */
  listsOf(owner: OwnerId): readonly SignedRecord<KeyList>[]
  version(id: string): SignedRecord<DeploymentVersion> | undefined
  beacon(): BeaconState | undefined
  /** Records a member of this scope needs to judge what reaches it: those of the way from the root down to it. Versions are not among them. */
  recordsFor(scope: string): readonly BookRecord[]
  /** Told after new records are on disk. @returns how to stop listening */
  onChange(listener: (records: readonly BookRecord[]) => void): () => void
}
