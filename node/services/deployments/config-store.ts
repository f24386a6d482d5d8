import { type ErrorDetails, SkerryError } from '../../../base/index.ts'
import type { DesiredImage } from '../../../runtime/index.ts'
import type { DeploymentSpec } from './deployment-specification.ts'
import type { ApplicationSpec } from './specification.ts'

/** One immutable specification of an application with its images pinned. */
export interface ApplicationRevision {
  readonly spec: ApplicationSpec
  /** Empty where the application has none. */
  readonly version: string
  readonly revision: string
  readonly images: readonly DesiredImage[]
  /** Wall milliseconds of the change; shown only. */
  readonly changedAtMs: number
}

export interface StoredApplication {
  readonly name: string
  /** Oldest first; the last one is what `*` deploys. */
  readonly revisions: readonly ApplicationRevision[]
  /** Rises with every change of any object in this store. */
  readonly order: number
}

export interface StoredDeployment {
  readonly spec: DeploymentSpec
  readonly order: number
  /** Wall milliseconds of the change; shown only. */
  readonly changedAtMs: number
  /** Application versions it rolled out, oldest first, none twice in a row. */
  readonly history: readonly string[]
}

/** What one site was told about one application. */
export interface IntentEntry {
  readonly site: string
  readonly application: string
  readonly deployment: string
  readonly version: string
  readonly revision: string
  readonly phase: 'run' | 'retired'
}

export type ConfigErrorCode =
  | 'not-found'
  | 'version-exists'
  | 'version-required'
  | 'version-unknown'
  | 'no-previous-version'
  | 'already-deployed'
  | 'still-deployed'
  | 'precondition-failed'
  | 'image-not-held'

/** Thrown when a change is refused; nothing was changed. */
export class ConfigError extends SkerryError {
  static override readonly name = 'ConfigError'
  declare readonly code: ConfigErrorCode

  constructor(code: ConfigErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, { details })
  }
}

/** `ifOrder` refuses the change unless the object is still at this order number; 0 means that none exists. */
export interface PutOptions {
  readonly ifOrder?: number | undefined
}

export interface PutOutcome<Stored> {
  readonly outcome: 'created' | 'changed' | 'unchanged'
  readonly stored: Stored
}

/**
 * The lane that holds applications, deployments and what each site was told. Every change is judged by the rules of
 * admit.ts against the state it changes, in one step that nothing can come between.
 */
export interface ConfigStore {
  listApplications(): Promise<readonly StoredApplication[]>
  getApplication(name: string): Promise<StoredApplication | undefined>
  /**
   * Adds a revision. The same specification again changes nothing.
   * @throws {ConfigError} `version-exists`, `version-required`, `precondition-failed`.
   */
  putApplication(revision: ApplicationRevision, options?: PutOptions): Promise<PutOutcome<StoredApplication>>
  /** @throws {ConfigError} `not-found`, `still-deployed`, `precondition-failed`. */
  removeApplication(name: string, options?: PutOptions): Promise<void>

  listDeployments(): Promise<readonly StoredDeployment[]>
  getDeployment(name: string): Promise<StoredDeployment | undefined>
  /** @throws {ConfigError} `not-found` (the application), `version-unknown`, `already-deployed`, `precondition-failed`. */
  putDeployment(spec: DeploymentSpec, changedAtMs: number, options?: PutOptions): Promise<PutOutcome<StoredDeployment>>
  /** @throws {ConfigError} `not-found`, `precondition-failed`. */
  removeDeployment(name: string, options?: PutOptions): Promise<void>

  listIntents(): Promise<readonly IntentEntry[]>
  /** The order number of the last change to what `site` was told; 0 before the first. */
  intentOrder(site: string): Promise<number>
  /** Writes entries, replacing those of the same site and application, all or none. */
  putIntents(entries: readonly IntentEntry[]): Promise<void>
  /** Forgets a retired entry whose site has nothing left of it; no other entry is forgotten. */
  forgetIntent(site: string, application: string): Promise<void>
}
