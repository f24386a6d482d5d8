import { type ErrorDetails, SkerryError } from '../../base/index.ts'

export type StoreErrorCode =
  | 'newer-format'
  | 'already-open'
  | 'not-open'
  | 'open-failed'
  | 'damaged-store'
  | 'damaged-value'
  | 'read-failed'
  | 'disk-full'
  | 'write-failed'

/** Thrown by a store when a call could not be done; `code` says which of the few reasons it was. */
export class StoreError extends SkerryError {
  static override readonly name = 'StoreError'
  declare readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(code, message, options)
  }
}
