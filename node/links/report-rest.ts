/** A report is sent when something changed, and at least this often, so that its age stays small. */
export const reportEveryMs = 10_000
/**
 * A host says at least so often that nothing changed. Its parent need not wait for it: signs of life on the link say as much,
 * and what changes is told at once. Half of what a host at rest costs were reports that said nothing.
 */
export const hostReportEveryMs = 5 * 60_000
/** Changes closer together than this travel in one report. */
const reportGatherMs = 100
/** A busy node gathers more: it rests so many times as long as a report took. */
const restTimes = 4
/**
 * While more is about to change a report waits for it, up to this. Each is signed, and verified at every node above, and what
 * starts a container changes half a dozen things one after the other.
 */
export const reportWaitsMs = 5_000

/** How long changes are gathered before the next report, in milliseconds. @param tookMs to put the last one together and send it */
export const reportRestMs = (tookMs: number): number =>
  Math.min(reportEveryMs, Math.max(reportGatherMs, restTimes * tookMs))
