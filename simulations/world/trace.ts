import { createHash } from 'node:crypto'

/** Everything a world did, as one hash; as lines too, for a person who asks. */
export interface Trace {
  /** Adds a line to what is hashed. `bytes` are hashed and not shown. */
  note(atMs: number, line: string, bytes?: Uint8Array | string): void
  /** 64 hexadecimal digits over all lines so far. */
  digest(): string
}

/** Lines and bytes are hashed in lots of so many: many small updates are slow. */
const lotCharacters = 64 * 1024
const lotBytes = 64 * 1024

/** @param write gets each line as it is noted; undefined keeps none */
export const createTrace = (write?: (line: string) => void): Trace => {
  // A line says how many bytes belong to it, so that two hashes tell as much as one over all.
  const [lines, payloads] = [createHash('sha256'), createHash('sha256')]
  const pool = Buffer.alloc(lotBytes)
  let pooled = 0
  let lot = ''
  const flushLines = () => {
    lines.update(lot)
    lot = ''
  }
  const flushBytes = () => {
    payloads.update(pool.subarray(0, pooled))
    pooled = 0
  }
  const addBytes = (bytes: Uint8Array) => {
    if (pooled + bytes.length > lotBytes) flushBytes()
    if (bytes.length > lotBytes) {
      payloads.update(bytes)
      return
    }
    pool.set(bytes, pooled)
    pooled += bytes.length
  }
  return {
    note: (atMs, line, bytes) => {
      lot += `${atMs}\n${line}\n`
      if (typeof bytes === 'string') lot += bytes
      else if (bytes !== undefined) addBytes(bytes)
      if (lot.length > lotCharacters) flushLines()
      write?.(`${(atMs / 1000).toFixed(3).padStart(10)}  ${line}`)
    },
    digest: () => {
      flushLines()
      flushBytes()
      return createHash('sha256').update(lines.copy().digest()).update(payloads.copy().digest()).digest('hex')
    },
  }
}
