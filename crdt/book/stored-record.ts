import type { BookKind } from './book.ts'

/** Bookkeeping around a record as it is stored; the record's own bytes follow (docs/adr/0024-the-book.md). */
export interface StoredRecord {
  /** As which record of the book it was taken, from 1. */
  readonly taken: number
  readonly bytes: Uint8Array
}

export const storedFormat = 1
const headBytes = 7
export const bookPrefix = 'r/'

export const storedKey = (kind: BookKind, id: string): string => `${bookPrefix}${kind}/${id}`

/** Version (1), number (6, big-endian), record. */
export const encodeStored = ({ taken, bytes }: StoredRecord): Uint8Array => {
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(storedFormat)
  head.writeUIntBE(taken, 1, 6)
  return Uint8Array.from(Buffer.concat([head, bytes]))
}

export const decodeStored = (value: Uint8Array): StoredRecord | 'newer-format' | 'damaged' => {
  const [version = 0] = value
  if (version > storedFormat) return 'newer-format'
  if (version < storedFormat || value.length <= headBytes) return 'damaged'
  const taken = Buffer.from(value.buffer, value.byteOffset, value.byteLength).readUIntBE(1, 6)
  return { taken, bytes: value.subarray(headBytes) }
}
