/**
 * Authority: keys, signed records, the root and what chains from it, and the pure questions who may do, write, read and
 * start what.
 * Must not do I/O, read a clock, know how a lane is stored or decode what is in it.
 * Read first: record.ts, key-list.ts.
 */
export { type AcceptedBeacon, acceptBeacon, type Beacon, type BeaconState, beaconKind, staleForMs } from './beacon.ts'
export {
  type Blocked,
  type BlockList,
  blockListKind,
  type HeldBlocks,
  nothingBlocked,
  takeBlockList,
} from './block-list.ts'
export {
  type Capability,
  type Certificate,
  capabilities,
  certificateKind,
  type May,
  mayDo,
  mayRenew,
  type Standing,
} from './certificate.ts'
export {
  type Anchors,
  blockedAt,
  isBlockListSigned,
  type JudgedCertificate,
  judgeCertificate,
  type Trust,
  takeKeyLists,
} from './chain.ts'
export { type Delegation, delegationKind } from './delegation.ts'
export { type DeploymentVersion, deploymentVersionKind } from './deployment-version.ts'
export { type Deposit, depositKind } from './deposit.ts'
export { compareFences, type Fence, nextFence } from './fence.ts'
export {
  type AcceptedOwner,
  acceptKeyList,
  type KeyList,
  type KeyListContext,
  keyListKind,
  type Owner,
  type OwnerId,
  ownerOf,
} from './key-list.ts'
export { createKeyedSignatures } from './keyed-signatures.ts'
export { type Lane, type LaneOwner, laneOwner } from './lane.ts'
export { mayRead, type ReadableDocument, reaches } from './may-read.ts'
export {
  type AcceptedVersions,
  acceptedKey,
  type EntryChain,
  mayStart,
  type StartContext,
  type StartGuard,
  startGuards,
  type VersionChain,
} from './may-start.ts'
export { isWithoutKeys, mayWrite, type WriteContext } from './may-write.ts'
export { nodeSealing } from './node-sealing.ts'
export { createNodeSignatures, nodeHash } from './node-signatures.ts'
export {
  countersign,
  isSignedBy,
  type Keys,
  keysOf,
  type Quorum,
  type ReadRecord,
  type RecordKind,
  type RecordSignature,
  readRecord,
  recordLimits,
  type SignedRecord,
  sealRecord,
  signersOf,
} from './record.ts'
export type { Refusal, Refused } from './refusal.ts'
export { type AcceptedRoot, acceptFirstRoot, acceptNextRoot, type Root, type RootState, rootKind } from './root.ts'
export { type Opened, type Sealing, type SealingContext, type SealingReader, sealingLimits } from './sealing.ts'
export {
  type AuthorityPowers,
  fromHex,
  type Hash,
  type KeyId,
  keyIdOf,
  publicKeyBytes,
  type Signatures,
  type Signer,
  seedBytes,
  signatureBytes,
  signedMessage,
  toHex,
} from './signatures.ts'
export { standingOf, type Verdict, verdictKind } from './verdict.ts'
