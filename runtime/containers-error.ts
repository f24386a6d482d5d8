import { type ErrorDetails, SkerryError } from '../base/index.ts'
import type { ContainersErrorCode } from './containers.ts'

/** Thrown by a driver when a call could not be done; `code` says which of the few reasons it was. */
export class ContainersError extends SkerryError {
  static override readonly name = 'ContainersError'
  declare readonly code: ContainersErrorCode

  constructor(code: ContainersErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(code, message, options)
  }
}
