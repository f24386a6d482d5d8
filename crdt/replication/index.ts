/**
 * Replication: keeps the lanes two ends may both hold the same, and hands records down, over one link.
 * Must not decide who may read or bring a lane, open a connection, or believe what a peer says.
 * Read first: replication.ts, meeting.ts.
 */
export { createReplicator, type ReplicatorOptions } from './create-replicator.ts'
export { encodeMessage } from './message.ts'
export type {
  Link,
  ReplicationCounts,
  ReplicationPeer,
  ReplicationSession,
  Replicator,
} from './replication.ts'
export { ReplicationError, type ReplicationErrorCode } from './replication-error.ts'
export { type ReplicationGuards, replicationGuards } from './replication-guards.ts'
export { type ReplicationLimits, replicationLimits } from './replication-limits.ts'
export { type BundleLane, takeBundle } from './take-bundle.ts'
