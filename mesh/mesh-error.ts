import { type ErrorDetails, SkerryError } from '../base/index.ts'

export type MeshErrorCode =
  | 'unreachable'
  | 'address-in-use'
  | 'bad-address'
  | 'stream-closed'
  | 'stream-aborted'
  | 'link-lost'
  | 'message-too-large'

/** Thrown by a mesh, a link or a stream when a call could not be done; `code` says which of the few reasons it was. */
export class MeshError extends SkerryError {
  static override readonly name = 'MeshError'
  declare readonly code: MeshErrorCode

  constructor(code: MeshErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(code, message, options)
  }
}
