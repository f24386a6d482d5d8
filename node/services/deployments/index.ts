/**
 * Applications and deployments as configuration: what people may write, which site and host gets what, versions and
 * rollback, status rolled up from reports, and `explain`. Must not do I/O, start anything, or know how intents travel;
 * what it decides is plain data. Read first: deployments.ts, explain.ts.
 */
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
} from './explain.ts'
export { deployedRevision, type IntendedApplication, type SiteIntent } from './intent.ts'
export { type ConfigState, createMemoryConfigStore, type MemoryConfigStoreOptions } from './memory-config-store.ts'
export { type ConfigDocument, parseApplication, parseDeployment, parseDocuments } from './parse-documents.ts'
export { type Placement, placementMatches, type SitePlace } from './placement.ts'
export { type HostReport, staleAfterMs } from './report.ts'
export type { Hash } from './revision.ts'
export { type ApplicationSpec, applicationSchema } from './specification.ts'
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
export { unsureOf } from './unsure.ts'
