import { createHash } from 'node:crypto'

/** Everything a world did, as one hash; as lines too, for a person who asks. */
export interface Trace {
  /** Adds a line to what is hashed. `bytes` are hashed and not shown. */
  note(atMs: number, line: string, bytes?: Uint8Array | string): void
  /** 64 hexadecimal digits over all lines so far. */
  digest(): string
}

/** Lines are hashed in lots of so many characters: many small updates are slow. */
const lotCharacters = 64 * 1024

/** @param write gets each line as it is noted; undefined keeps none */
export const createTrace = (write?: (line: string) => void): Trace => {
  const hash = createHash('sha256')
  let lot = ''
  const flush = () => {
    hash.update(lot)
    lot = ''
  }
  return {
    note: (atMs, line, bytes) => {
      lot += `${atMs}\n${line}\n`
      if (typeof bytes === 'string') lot += bytes
      if (lot.length > lotCharacters || (bytes !== undefined && typeof bytes !== 'string')) flush()
      if (bytes !== undefined && typeof bytes !== 'string') hash.update(bytes)
      write?.(`${(atMs / 1000).toFixed(3).padStart(10)}  ${line}`)
    },
    digest: () => {
      flush()
      return hash.copy().digest('hex')
    },
  }
}
