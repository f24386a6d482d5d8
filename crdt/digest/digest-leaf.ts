import { type Fence, fromHex, type Hash, signedMessage, toHex } from '../authority/index.ts'

/** What a digest covers of one document. */
export interface DigestDocument {
  /** 32 hexadecimal digits. */
  readonly documentId: string
  readonly epoch: number
  /** Hashes of the envelopes that are heads, in any order. */
  readonly heads: readonly string[]
  /** The highest accepted fence. */
  readonly fence: Fence
}

/** An unsigned number that fits JavaScript, in 8 bytes, big-endian. */
const long = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

const short = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** 64 hexadecimal digits that stand for a document as it is (docs/adr/0018-digests.md). */
export const leafOf = ({ documentId, epoch, heads, fence }: DigestDocument, hash: Hash): string => {
  const sorted = [...new Set(heads)].toSorted()
  const parts = [
    fromHex(documentId),
    short(epoch),
    short(fence.generation),
    long(fence.n),
    short(sorted.length),
    ...sorted.map(fromHex),
  ]
  return toHex(hash.sha256(signedMessage('digest-leaf', Buffer.concat(parts))))
}
