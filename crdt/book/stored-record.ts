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

/** Where the owner of an anchored zone is kept. */
export const anchorPrefix = 'anchor'
export const anchorKey = (scope: string): string => `${anchorPrefix}${scope}`

/** Version (1), id of the owner as text. */
export const encodeAnchor = (owner: string): Uint8Array =>
  Uint8Array.from(Buffer.concat([Uint8Array.of(storedFormat), Buffer.from(owner)]))

/** Undefined for bytes that are not what was written. */
export const decodeAnchor = (value: Uint8Array): string | 'newer-format' | undefined => {
  if ((value[0] ?? 0) > storedFormat) return 'newer-format'
  const text = Buffer.from(value.subarray(1)).toString('latin1')
  return value[0] === storedFormat && /^[0-9a-f]{48}$/.test(text) ? text : undefined
}

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
