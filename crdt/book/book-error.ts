import { SkerryError } from '../../base/index.ts'

/** Thrown when a book cannot be read: `newer-format`; or was not opened: `not-open`. */
export class BookError extends SkerryError {
  static override readonly name = 'BookError'
}
