import { SkerryError } from '../../base/index.ts'

export type ReplicationErrorCode = 'bad-message' | 'newer-format' | 'too-many-refused'

/** Why a session ended that the link did not end: the peer says what no peer of this version says. */
export class ReplicationError extends SkerryError {
  static override readonly name = 'ReplicationError'
  declare readonly code: ReplicationErrorCode

  constructor(code: ReplicationErrorCode, message: string) {
    super(code, message)
  }
}
