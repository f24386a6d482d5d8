/**
 * Applications and deployments as configuration: what people may write, which site and host gets what, versions and
 * rollback, status rolled up from reports, and `explain`. Must not do I/O, start anything, or know how intents travel;
 * what it decides is plain data. Read first: deployments.ts, explain.ts.
 */

export { configIds } from './config-ids.ts'
export type {
  ApplicationRevision,
  ConfigErrorCode,
  ConfigStore,
  IntentEntry,
  PutOptions,
  StoredApplication,
  StoredDeployment,
} from './config-store.ts'
export { type DeploymentSpec, deploymentSchema } from './deployment-specification.ts'
export {
  type ApplyOutcome,
  createDeployments,
  type Deployments,
  type DeploymentsOptions,
  type ImageCatalogue,
  type RollbackOutcome,
} from './deployments.ts'
export { desiredForHost } from './desired.ts'
export {
  type ExplainLink,
  type ExplainQuestion,
  type ExplainStep,
  type Explanation,
  explain,
  reachedLinks,
  type SignedChange,
} from './explain.ts'
export { deployedRevision, type IntendedApplication, type IntentOrigin, type SiteIntent } from './intent.ts'
export { type JudgedStarts, judgeStarts, type StartCandidate } from './judge-starts.ts'
export {
  type ConfigLane,
  createLaneConfigStore,
  type LaneConfigStore,
  type LaneConfigStoreOptions,
  type SpecificationBlobs,
  type ToldCache,
} from './lane-config-store.ts'
export { placeOfMember, type StandingValues } from './member-place.ts'
export { type ConfigState, createMemoryConfigStore, type MemoryConfigStoreOptions } from './memory-config-store.ts'
export { type ConfigDocument, parseApplication, parseDeployment, parseDocuments } from './parse-documents.ts'
export { type Placement, placementMatches, type SitePlace } from './placement.ts'
export {
  type Child,
  type ChildGuard,
  type ChildPlan,
  type ChildrenQuestion,
  type ChildWaiting,
  type ChildWrite,
  childGuards,
  describeChildWrite,
  planChildren,
} from './plan-children.ts'
export { type HostReport, type ReportsNow, type StartRefusal, staleAfterMs, statusAgeMs } from './report.ts'
export type { Hash } from './revision.ts'
export {
  allSites,
  describeVersionStep,
  planVersions,
  type SigningOptions,
  signVersions,
  type VersionStep,
  viewOfDecisions,
} from './sign-versions.ts'
export {
  intentOrderOf,
  type MissingPiece,
  type SiteGuard,
  type SiteIntentAnswer,
  type SiteIntentQuestion,
  siteGuards,
  siteIntentOf,
} from './site-intent.ts'
export { type ApplicationSpec, applicationSchema } from './specification.ts'
export {
  type ReadSpecification,
  readSpecification,
  type Specification,
  type SpecificationRefusal,
} from './specification-blob.ts'
export {
  type ApplicationRow,
  type Count,
  type Counts,
  type LastKnown,
  rollUpStatus,
  type SiteRow,
  type StatusQuestion,
  type VersionRow,
} from './status.ts'
export { type SummaryQuestion, summarise } from './summarise.ts'
export { namesOfConfig, namesOfIntents, type RowNames, type ZoneSummary } from './summary-rows.ts'
export {
  applicationEdit,
  type Decision,
  deploymentEdit,
  pickConfigValues,
  readTenantConfig,
  type TenantConfig,
} from './tenant-config.ts'
export { unsureOf } from './unsure.ts'
export { type IntentDraft, writeEntries } from './write-entries.ts'
export {
  mergeZoneConfig,
  noZoneConfig,
  type Standing,
  type StandingWord,
  seenBy,
  tenantConfigOf,
  withDecided,
  withFreshOrders,
  withOwnChange,
  withoutApplication,
  withoutChanges,
  type ZoneConfig,
} from './zone-config.ts'
