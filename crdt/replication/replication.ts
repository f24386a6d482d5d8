import type { LaneName } from '../lane/index.ts'

/** What replication needs of a stream on a link: whole messages of at most 1 MiB, in order. `mesh` implements it. */
export interface Link {
  /** Resolves when the other end may take more. */
  send(message: Uint8Array): Promise<void>
  readonly messages: AsyncIterable<Uint8Array>
}

/** What one link may carry, as the node decided when it admitted the peer. */
export interface ReplicationPeer {
  /** Names the peer in answers and counts: its public key, 64 hexadecimal digits. */
  readonly key: string
  /** The scope both ends speak of: the child's. */
  readonly scope: string
  /**
   * Whether the peer may hold a lane: asked each time before a byte of it leaves. The lanes for which both ends say yes of
   * each other are what the two compare, so what a peer may bring it may as a rule also read.
   */
  readonly mayRead: (lane: LaneName) => boolean
  /** Whether the peer may bring a lane: anything else it offers is refused and counted. */
  readonly mayBring: (lane: LaneName) => boolean
  /**
   * Scope whose way down from the root the peer needs the records of: `scope` again. Undefined when it gets none (a parent);
   * records are then taken from it.
   */
  readonly recordsFor: string | undefined
}

/** What went over one link so far. */
export interface ReplicationCounts {
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly sentMessages: number
  readonly receivedMessages: number
  /** Messages, records and envelopes that were refused, by code. */
  readonly refused: ReadonlyMap<string, number>
}

export interface ReplicationSession {
  /**
   * Resolves when the link ends or the session was stopped.
   * @throws {ReplicationError} `bad-message`, `newer-format` when the peer sends what no peer of this version sends;
   *   `too-many-refused` when nearly nothing of it was of use. The caller closes the link
   */
  readonly done: Promise<void>
  /** Resolves when both ends held the same at some moment after the meeting began; never, when the link ends before. */
  readonly inSync: Promise<void>
  counts(): ReplicationCounts
  stop(): void
}

/** Keeps the lanes two ends may both hold the same: one digest at the meeting, then each change once as it comes. */
export interface Replicator {
  serve(link: Link, peer: ReplicationPeer): ReplicationSession
  /** Sends each linked peer what it may read of these lanes anew: after a policy or a membership changed. */
  refresh(): void
}
