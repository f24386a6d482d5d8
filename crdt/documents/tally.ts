/**
 * How many envelopes there are, and an order-free checksum of their hashes: finds what a disk lost. It is no proof
 * against somebody who picks what is summed; digests are (docs/adr/0018-digests.md).
 */
export interface Tally {
  readonly count: number
  /** XOR of the first four bytes of each hash, and of the next four. */
  readonly high: number
  readonly low: number
}

export const emptyTally: Tally = { count: 0, high: 0, low: 0 }

/** @param hash 64 hexadecimal digits, not counted yet */
export const addToTally = ({ count, high, low }: Tally, hash: string): Tally => ({
  count: count + 1,
  high: high ^ Number.parseInt(hash.slice(0, 8), 16),
  low: low ^ Number.parseInt(hash.slice(8, 16), 16),
})

export const tallyOf = (hashes: Iterable<string>): Tally => {
  let tally = emptyTally
  for (const hash of hashes) tally = addToTally(tally, hash)
  return tally
}

export const sameTally = (a: Tally, b: Tally): boolean => a.count === b.count && a.high === b.high && a.low === b.low
