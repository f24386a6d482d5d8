import { inflateRawSync } from 'node:zlib'

/**
 * Inflates raw DEFLATE (RFC 1951) into at most `maxBytes`; undefined when there is more, when the bytes are none, or when
 * something follows them. Synchronous: no thread pool between two simulated events.
 */
export const inflateBounded = (bytes: Uint8Array, maxBytes: number): Uint8Array | undefined => {
  try {
    // `info` is not in the declared types of the result; it tells how many bytes were used.
    const { buffer, engine } = inflateRawSync(bytes, { maxOutputLength: maxBytes, info: true }) as unknown as {
      buffer: Uint8Array
      engine: { bytesWritten: number }
    }
    return engine.bytesWritten === bytes.length ? buffer : undefined
  } catch {
    return undefined
  }
}
