import { maxChangeBytes } from './envelope.ts'

/** What one change may hold (DESIGN.md section 3, rule 3). */
export interface ChangeLimits {
  /** Of the change, inflated, in bytes. */
  readonly bytes: number
  readonly operations: number
  readonly dependencies: number
  /** Other actors whose operations it replaces. */
  readonly actors: number
  /** Operations it replaces, all together. */
  readonly predecessors: number
  /** The largest number of its first operation: 16 times what an epoch of 1,000 changes can reach. */
  readonly startOp: number
  readonly keyBytes: number
  /** An entry is one text of at most 16 KiB. */
  readonly valueBytes: number
}

export const changeLimits: ChangeLimits = {
  bytes: maxChangeBytes,
  operations: 1_000,
  dependencies: 16,
  actors: 256,
  predecessors: 4_096,
  startOp: 16_000_000,
  keyBytes: 256,
  valueBytes: 16 * 1024,
}
