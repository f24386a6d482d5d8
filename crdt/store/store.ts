/** One change of a batch. Keys are ASCII and order by code unit. */
export type StoreChange =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string }

/** What a scan is bounded by: keys that begin with `prefix`, after `after` where it is given, at most `limit`. */
export interface ScanRange {
  readonly prefix: string
  readonly after?: string
  /** @default no bound */
  readonly limit?: number
}

/**
 * A node's key-value store. One process has it open. Every value is kept with a checksum: one that was torn or flipped is
 * never handed out, it is `damaged`.
 */
export interface Store {
  /**
   * Repairs what it can.
   * @throws {StoreError} `newer-format`, `already-open`, `damaged-store` when it cannot even be repaired, `disk-full`,
   * `open-failed`
   */
  open(): Promise<void>
  close(): Promise<void>
  /** Undefined when there is none. @throws {StoreError} `damaged-value`, `read-failed` */
  get(key: string): Promise<Uint8Array | undefined>
  /**
   * Entries in the order of their keys; a damaged one comes without a value. What is written while it is on its way may
   * be in it or not.
   * @throws {StoreError} `read-failed`
   */
  scan(range: ScanRange): AsyncIterable<StoreEntry>
  /**
   * All or nothing, in the order of the calls. With `sync` it resolves when the batch, and every one before it, survives a
   * power cut; without, a crash keeps any prefix of whole batches.
   * @throws {StoreError} `disk-full`, `write-failed`; nothing of the batch is there
   */
  write(batch: readonly StoreChange[], options: { readonly sync: boolean }): Promise<void>
}

export interface StoreEntry {
  readonly key: string
  readonly value: Uint8Array | undefined
}
