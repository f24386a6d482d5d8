/** The numbers by which one host decides. All times in milliseconds. */
export interface Policy {
  /** First pause after the immediate restart, and after a failed start, attach or fetch; doubles each time. @default 1 s */
  readonly retryBaseMs: number
  /** Longest pause between two tries; there is no last try. @default 5 min, the cap of common orchestrators */
  readonly retryCapMs: number
  /** Longest pause between two fetches, so that a parent that is back is found soon. @default 30 s */
  readonly fetchRetryCapMs: number
  /** Running this long clears the count of restarts. @default 10 min */
  readonly stableMs: number
  /** From so many restarts without a stable stretch on it is called a crash loop. @default 5 */
  readonly crashLoopRestarts: number
  /** Polite time for containers whose specification is no longer known. @default 10 s */
  readonly shutdownTimeoutMs: number
  /** Host ports this node may give out, both ends included. */
  readonly portRange: readonly [number, number]
  /** Pause between two lists when no hint comes. @default 10 s */
  readonly relistMs: number
  /** A list that says what the last one said is told of so often. @default 1 min */
  readonly retellMs: number
  /** Least pause between two lists asked for by hints. @default 100 ms */
  readonly hintGapMs: number
  /** A list that takes longer counts as no answer. @default 30 s */
  readonly observeTimeoutMs: number
  /** Pause between two rounds of log cutting. @default 30 s */
  readonly trimLogsMs: number
  /** Starts and attachments of networks that run at once on this host. @default 4 */
  readonly stepsAtOnce: number
  /** Bytes of a crashed container's last line shown in status; 0 shows none. @default 200 */
  readonly lastLineBytes: number
}

/** What holds where nothing else is said. Port range: below the ephemeral ports of Linux (32768 and up). */
export const defaultPolicy: Policy = {
  retryBaseMs: 1_000,
  retryCapMs: 300_000,
  fetchRetryCapMs: 30_000,
  stableMs: 600_000,
  crashLoopRestarts: 5,
  shutdownTimeoutMs: 10_000,
  portRange: [20_000, 20_999],
  relistMs: 10_000,
  retellMs: 60_000,
  hintGapMs: 100,
  observeTimeoutMs: 30_000,
  trimLogsMs: 30_000,
  stepsAtOnce: 4,
  lastLineBytes: 200,
}

/** Pause before try `failures + 1`, in milliseconds: base, twice base, … up to the cap; 0 for no failure. */
export const backoffMs = (failures: number, baseMs: number, capMs: number): number =>
  failures <= 0 ? 0 : Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30))
