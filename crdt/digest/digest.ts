import { fromHex, type Hash, signedMessage, toHex } from '../authority/index.ts'
import { type DigestDocument, leafOf } from './digest-leaf.ts'

/** A digest splits its documents by the first byte of their ids, which are random. */
export const rangeCount = 256

/** Which documents a digest is of: exactly those both ends may hold. Both ends put in the same. */
export interface DigestContext {
  readonly networkId: string
  /** The scope both ends speak of, like `/de/bavaria`. */
  readonly scope: string
  /** Who may hold them besides its owner: names the two ends' audience the same way on both. */
  readonly audience: string
}

/** One document in an opened range. */
export interface RangeEntry {
  /** 32 hexadecimal digits. */
  readonly documentId: string
  /** 64 hexadecimal digits. */
  readonly leaf: string
}

/**
 * The state of many documents in 32 bytes. Putting and removing costs one hash; reading costs one over each range that
 * changed since. The order of putting leaves no trace.
 */
export interface Digest {
  /** Puts a document, or puts it anew as it is now. */
  put(document: DigestDocument): void
  /** Harmless when the document is not there. */
  remove(documentId: string): void
  readonly context: DigestContext
  size(): number
  /** 64 hexadecimal digits over all. */
  root(): string
  /** 64 hexadecimal digits for each range that holds documents, ascending. */
  ranges(): ReadonlyMap<number, string>
  /** The documents of a range, sorted by id. */
  open(range: number): readonly RangeEntry[]
}

const rangeOf = (documentId: string): number => Number.parseInt(documentId.slice(0, 2), 16)

const text = (value: string): Uint8Array => {
  const bytes = Buffer.from(value)
  const size = Buffer.alloc(2)
  size.writeUInt16BE(bytes.length)
  return Buffer.concat([size, bytes])
}

export const createDigest = (context: DigestContext, hash: Hash): Digest => {
  // Sparse: a hub has a digest per site, each of a handful of documents.
  const leaves = new Map<number, Map<string, string>>()
  const hashes = new Map<number, string>()
  let rootHash: string | undefined
  let size = 0
  const head = Buffer.concat([fromHex(context.networkId), text(context.scope), text(context.audience)])

  const open = (range: number): readonly RangeEntry[] =>
    [...(leaves.get(range) ?? [])]
      .map(([documentId, leaf]) => ({ documentId, leaf }))
      .toSorted((a, b) => (a.documentId < b.documentId ? -1 : 1))

  const hashOf = (range: number): string => {
    const known = hashes.get(range)
    if (known !== undefined) return known
    const entries = open(range).flatMap(({ documentId, leaf }) => [fromHex(documentId), fromHex(leaf)])
    const bytes = Buffer.concat([head, Uint8Array.of(range), ...entries])
    const found = toHex(hash.sha256(signedMessage('digest-range', bytes)))
    hashes.set(range, found)
    return found
  }

  const ranges = (): ReadonlyMap<number, string> =>
    new Map([...leaves.keys()].toSorted((a, b) => a - b).map((range) => [range, hashOf(range)]))

  const hashRoot = (): string => {
    const parts = [...ranges()].flatMap(([range, found]) => [Uint8Array.of(range), fromHex(found)])
    return toHex(hash.sha256(signedMessage('digest-root', Buffer.concat([head, ...parts]))))
  }

  const touch = (range: number) => {
    hashes.delete(range)
    rootHash = undefined
  }

  return {
    context,
    put: (document) => {
      const leaf = leafOf(document, hash)
      const at = rangeOf(document.documentId)
      const range = leaves.get(at) ?? new Map<string, string>()
      if (range.get(document.documentId) === leaf) return
      if (!range.has(document.documentId)) size += 1
      leaves.set(at, range.set(document.documentId, leaf))
      touch(at)
    },
    remove: (documentId) => {
      const at = rangeOf(documentId)
      const range = leaves.get(at)
      if (range === undefined || !range.delete(documentId)) return
      if (range.size === 0) leaves.delete(at)
      size -= 1
      touch(at)
    },
    size: () => size,
    root: () => {
      rootHash ??= hashRoot()
      return rootHash
    },
    ranges,
    open,
  }
}
