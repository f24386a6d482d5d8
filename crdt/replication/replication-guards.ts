import type { LaneName } from '../lane/index.ts'
import type { ReplicationPeer } from './replication.ts'
import type { ReplicationLimits } from './replication-limits.ts'
import type { TokenBucket } from './token-bucket.ts'

/** What stands between a peer and this node, each on its own: tests and proofs take one out to see what then succeeds. */
export const replicationGuards = {
  /** No byte of a lane leaves to a peer that may not hold it. */
  mayRead: (peer: ReplicationPeer, lane: LaneName): boolean => peer.mayRead(lane),
  /** No lane is taken from a peer that may not bring it. */
  mayBring: (peer: ReplicationPeer, lane: LaneName): boolean => peer.mayBring(lane),
  /** Records come down from a parent, never up. */
  mayGive: (peer: ReplicationPeer): boolean => peer.recordsFor === undefined,
  /** A key that is blocked seals no lane. */
  maySeal: (key: string, blocked: ReadonlySet<string>): boolean => !blocked.has(key),
  /** A peer makes this end hash and read only so often. */
  mayAsk: (bucket: TokenBucket): boolean => bucket.take(),
  /** What waits for a slow peer has a bound. */
  fits: (queuedBytes: number, limits: ReplicationLimits): boolean => queuedBytes <= limits.outboxBytes,
  /** A peer of which too much is refused is none of ours. */
  mayErr: (bucket: TokenBucket): boolean => bucket.take(),
  /** Two ends compare what they hold as soon as they are linked: what changed while they were apart is brought then. */
  meets: (): boolean => true,
  /** What came and could not be kept is asked for again. */
  asksAgain: (): boolean => true,
} as const
export type ReplicationGuards = { readonly [Name in keyof typeof replicationGuards]: (typeof replicationGuards)[Name] }
