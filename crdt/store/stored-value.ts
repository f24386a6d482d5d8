import { crc32 } from 'node:zlib'

/** The format of a store as a whole: key layout and values (docs/adr/0020-store-format.md). */
export const storeFormat = 1
/** Holds the format as a decimal number, kept like any value. No other may be written under it. */
export const formatKey = 'format'

const valueVersion = 1
const headBytes = 5

const checksumOf = (key: string, payload: Uint8Array): number => crc32(payload, crc32(key))

/** A value as it is kept: version, CRC-32 over key and payload, payload. */
export const encodeValue = (key: string, payload: Uint8Array): Uint8Array => {
  const stored = new Uint8Array(headBytes + payload.length)
  stored[0] = valueVersion
  new DataView(stored.buffer).setUint32(1, checksumOf(key, payload))
  stored.set(payload, headBytes)
  return stored
}

/** The payload, a view into `stored`; undefined when it is damaged or was kept under another key. */
export const decodeValue = (key: string, stored: Uint8Array): Uint8Array | undefined => {
  if (stored.length < headBytes || stored[0] !== valueVersion) return undefined
  const payload = stored.subarray(headBytes)
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
  return view.getUint32(1) === checksumOf(key, payload) ? payload : undefined
}

export const encodeFormat = (format: number): Uint8Array =>
  encodeValue(formatKey, new TextEncoder().encode(`${format}`))

/** Undefined when it is damaged. */
export const decodeFormat = (stored: Uint8Array): number | undefined => {
  const text = new TextDecoder().decode(decodeValue(formatKey, stored))
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined
}
