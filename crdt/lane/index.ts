/**
 * Lanes: the records an epoch begins and ends with, which of its envelopes count, and the document they make.
 * Must not decide what runs where lanes disagree, do I/O, draw chance, or let Automerge see what was not scanned.
 * Read first: valid-set.ts, lane-replica.ts.
 */
export type { AuthorResult, LaneWriter } from './author.ts'
export { type Put, readLaneChange } from './automerge-codec.ts'
export { type LaneGuard, laneGuards, maxFenceStep } from './causal-state.ts'
export { type Closing, closingKind, type OpenedClosing, openClosing } from './closing.ts'
export { epochLimits } from './epoch-record.ts'
export type { Exclusion } from './exclusion.ts'
export {
  documentIdOf,
  type Epoch,
  type EpochBase,
  type Genesis,
  type GenesisContext,
  type GenesisFields,
  genesisKind,
  type OpenedGenesis,
  openGenesis,
  sealGenesis,
} from './genesis.ts'
export { createLaneBase } from './lane-base.ts'
export type { EnvelopeStatus, Equivocation, Received } from './lane-graph.ts'
export { formatLaneName, type LaneKind, type LaneName, parseLaneName } from './lane-name.ts'
export {
  createLaneReplica,
  type LaneReplica,
  type LaneSummary,
  laneViewOf,
  type Quarantine,
  type ReplicaOptions,
  type StateResult,
} from './lane-replica.ts'
export type { LaneValue } from './lane-schema.ts'
export { createParking, type Parking, parkingLimits } from './parking.ts'
export {
  baseOf,
  type EpochLoad,
  type EpochRank,
  isAhead,
  type SealedState,
  sealLimits,
  stateAtCut,
  whySeal,
} from './seal.ts'
export { canonicalState, type LaneState, type ParsedState, parseState, stateHash } from './state-hash.ts'
export { type ValidSet, type ValidSetOptions, validSet } from './valid-set.ts'
