import type { Hash } from 'node:crypto'
import { SkerryError } from '../../base/index.ts'

/** What is written, hashed and sent at a time. */
export const blobChunkBytes = 256 * 1024
/** Larger than any image a small site can hold; a bound so that a peer cannot fill the disk with one stream. */
export const maxBlobBytes = 16 * 2 ** 30

type Bytes = AsyncIterable<Uint8Array>

/**
 * Chunks of 256 KiB, the last one shorter, from bytes that come in any pieces. What came before the source failed is
 * passed on before its error is: a broken transfer loses nothing that arrived.
 */
export const chunked = async function* (source: Bytes): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = []
  let held = 0
  const take = () => {
    const chunk = Buffer.concat(parts)
    parts = []
    held = 0
    return chunk
  }
  try {
    for await (const piece of source)
      for (let at = 0; at < piece.length; ) {
        const part = piece.subarray(at, at + blobChunkBytes - held)
        parts.push(part)
        held += part.length
        at += part.length
        if (held === blobChunkBytes) yield take()
      }
  } catch (error) {
    if (held > 0) yield take()
    throw error
  }
  if (held > 0) yield take()
}

/** Passes bytes on, each into the hash first. */
export const hashedInto = (hash: Hash) =>
  async function* (source: Bytes): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk)
      yield chunk
    }
  }

/** Passes at most so many bytes on. @throws {SkerryError} `too-large` before it passes more */
export const atMost = (limitBytes: number) =>
  async function* (source: Bytes): AsyncGenerator<Uint8Array> {
    let leftBytes = limitBytes
    for await (const chunk of source) {
      leftBytes -= chunk.length
      if (leftBytes < 0) throw new SkerryError('too-large', 'refused an archive of more than 16 GiB')
      yield chunk
    }
  }
