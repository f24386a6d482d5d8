/**
 * Signed reports: what a host says of itself, what a zone says of all below it, and how a parent checks one leaf of that.
 * Must not decide who may see what, keep reports, or decode a snapshot's payload.
 * Read first: signed-report.ts, roll-up.ts.
 */
export { checkLeaf, type Leaf, type LeafProof, leafLimits, leavesRoot, proveLeaf } from './leaves.ts'
export {
  type OpenedRollUp,
  openRollUp,
  type RollUp,
  type RollUpBody,
  type RollUpPlace,
  rollUpLimits,
  sealRollUp,
} from './roll-up.ts'
export { addRows, ageRows, type RollUpRow } from './rows.ts'
export {
  isNewer,
  maxPayloadBytes,
  mayReplace,
  type ReportHead,
  type ReportRefusal,
  type ReportRefused,
  type ReportTurn,
} from './signed-report.ts'
export { type OpenedSnapshot, openSnapshot, type Snapshot, sealSnapshot } from './snapshot.ts'
export { openZoneView, sealZoneView, type ZoneWish, zoneViewLimits } from './zone-view.ts'
