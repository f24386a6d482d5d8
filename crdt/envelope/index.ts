/**
 * Envelopes: signed changes as they are kept and relayed, and the scan of a change's bytes before Automerge sees them.
 * Must not decode a change, know lanes, or do I/O.
 * Read first: envelope.ts, scan-change.ts.
 */

export { type ChangeLimits, changeLimits } from './change-limits.ts'
export type { ChangeRefusal } from './change-refusal.ts'
export {
  actorOf,
  type Envelope,
  type EnvelopeFields,
  envelopeAuthor,
  envelopeEpoch,
  envelopeVersion,
  maxChangeBytes,
  maxEnvelopeBytes,
  sealEnvelope,
} from './envelope.ts'
export {
  type EquivocationProof,
  encodeProof,
  type OpenedProof,
  openProof,
  type ProofRefusal,
  proofGuards,
} from './equivocation-proof.ts'
export {
  type EnvelopePlace,
  type EnvelopeRefusal,
  type OpenedEnvelope,
  openEnvelope,
} from './open-envelope.ts'
export { type ChangeHeader, checkStartOp, type ScannedChange, scanChange, scanEnvelope } from './scan-change.ts'
