/**
 * All lanes of a node on its disk: what is signed here or taken from a peer is kept, and what each lane comes to.
 * Must not open a link, decide who may read or bring a lane, or lead a lane on whose envelopes the disk lost.
 * Read first: documents.ts, create-documents.ts.
 */
export { createDocuments, type DocumentsOptions } from './create-documents.ts'
export type {
  DocumentChange,
  Documents,
  LaneDraft,
  LaneWrite,
  OpenedDocuments,
  QuarantinedKey,
  Seal,
  SealResult,
  Taken,
  TakenGenesis,
  WriteResult,
} from './documents.ts'
export type { LateChange, LateReason } from './late-changes.ts'
export { type SealGuards, sealGuards } from './seal-guards.ts'
