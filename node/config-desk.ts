import type { ConfigServices, RollbackView } from './api/index.ts'

/** Where configuration is changed: at a tower for all below, at a zone for itself. */
export interface ConfigDesk {
  readonly config: ConfigServices
  /** @throws {SkerryError} `not-found`, `no-previous-version`, `version-unknown` */
  rollback(deployment: string, toVersion?: string): Promise<RollbackView>
}
