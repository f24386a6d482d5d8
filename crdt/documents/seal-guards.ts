import { type EpochRank, isAhead } from '../lane/index.ts'

/** What stands between a false seal and a lane, each on its own: seal-hostile.test.ts takes one out to see its attack succeed. */
export const sealGuards = {
  /** The state a seal names is the one that every holder of the epoch before works out, or that of the text that came with it. */
  isState: (named: string, found: string): boolean => named === found,
  /** Only an epoch that goes before the held one takes its place. */
  isAhead: (next: EpochRank, held: EpochRank): boolean => isAhead(next, held),
  /** Late changes and proofs that others bring have a bound for each author of a lane. */
  fits: (count: number, most: number): boolean => count < most,
} as const
export type SealGuards = { readonly [Name in keyof typeof sealGuards]: (typeof sealGuards)[Name] }
