/** One measured thing. */
export interface BenchRow {
  readonly what: string
  /** Null when it could not be measured; `why` says the reason. */
  readonly ours: number | null
  /** Null where there is no peer, or it could not run. */
  readonly peer: number | null
  readonly unit: string
  /** Ours divided by the peer's: below 1 is better than the peer. */
  readonly ratio: number | null
  /** Upper bound of the ratio, or of ours where there is no peer; null for a row that is only stated. */
  readonly bar: number | null
  readonly holds: boolean
  readonly why?: string
  /** What the figure stands on: what would have to be different for another one. */
  readonly limit?: string
}

export interface BenchOptions {
  /** Each figure is the median of so many runs. */
  readonly runs: number
  /** A line about what is done now, for a person who waits. */
  readonly say: (line: string) => void
  /** Ends the benchmark early, with everything removed. */
  readonly signal: AbortSignal
  /** Sites of a benchmark that has them. @default its own */
  readonly sites?: number
  /** How long it looks at a tree that has nothing to do, in seconds. @default its own */
  readonly idleSeconds?: number
  /** A file with the last line of an earlier run, to compare with. @default none */
  readonly against?: string
  /** Files with the last lines of two smaller runs, and of one to judge by: nothing is run. @default none */
  readonly predictFrom?: readonly string[]
  /** Where profiles of the processor are written. @default none are made */
  readonly profileDir?: string
}

/** Rows, and what they were worked out from where a later run may need it. */
export interface BenchResult {
  readonly rows: readonly BenchRow[]
  readonly figures?: unknown
}

export interface Bench {
  readonly name: string
  readonly summary: string
  run(options: BenchOptions): Promise<readonly BenchRow[] | BenchResult>
}

/** The middle value; of an even number of values the mean of the two in the middle. @throws {RangeError} of none. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  if (upper === undefined || lower === undefined) throw new RangeError('there is no median of nothing')
  return (upper + lower) / 2
}

const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits

/** Medians of both sides; the bar is on their ratio. */
export const againstPeer = (
  what: string,
  unit: string,
  bar: number,
  runs: { readonly ours: readonly number[]; readonly peer: readonly number[] },
): BenchRow => {
  const [ours, peer] = [median(runs.ours), median(runs.peer)]
  const ratio = ours / peer
  return {
    what,
    ours: rounded(ours, 1),
    peer: rounded(peer, 1),
    unit,
    ratio: rounded(ratio, 3),
    bar,
    holds: ratio <= bar,
  }
}

/** Both sides stated, without a bar. */
export const besidePeer = (
  what: string,
  unit: string,
  runs: { readonly ours: readonly number[]; readonly peer: readonly number[] },
): BenchRow => ({ ...againstPeer(what, unit, Infinity, runs), bar: null })

/** A peer that should be there and is not: the bar is not met, whatever ours is. */
export const withoutPeer = (
  what: string,
  unit: string,
  bar: number | null,
  ours: readonly number[],
  why: string,
): BenchRow => ({
  what,
  ours: ours.length === 0 ? null : rounded(median(ours), 1),
  peer: null,
  unit,
  ratio: null,
  bar,
  holds: false,
  why,
})

/** No peer: the bar is on ours. */
export const alone = (what: string, unit: string, bar: number, ours: readonly number[]): BenchRow => {
  const value = median(ours)
  return { what, ours: rounded(value, 1), peer: null, unit, ratio: null, bar, holds: value <= bar }
}

/** What could not be measured here: its bar is not met. */
export const unmeasured = (what: string, unit: string, bar: number, why: string): BenchRow =>
  withoutPeer(what, unit, bar, [], why)

/** A figure without a bar. */
export const stated = (what: string, unit: string, ours: readonly number[]): BenchRow => ({
  what,
  ours: rounded(median(ours), 1),
  peer: null,
  unit,
  ratio: null,
  bar: null,
  holds: true,
})

/** One figure that was measured once, with what it stands on. @param bar null for one that is only stated */
export const measured = (what: string, unit: string, bar: number | null, ours: number, limit: string): BenchRow => ({
  what,
  ours: rounded(ours, 3),
  peer: null,
  unit,
  ratio: null,
  bar: bar === null ? null : rounded(bar, 3),
  holds: bar === null || ours <= bar,
  limit,
})
