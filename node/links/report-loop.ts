import { type Clock, sleep } from '../../base/index.ts'
import type { MeshLink } from '../../mesh/index.ts'
import { sendDocument } from './link-messages.ts'
import { reportEveryMs, reportRestMs, reportWaitsMs } from './report-rest.ts'

export interface ReportLoopOptions {
  readonly clock: Clock
  /** What is said, now. */
  readonly report: () => Promise<unknown>
  /** A report leaves at least so often, in milliseconds. @default 10 s */
  readonly everyMs?: number | undefined
  /** Whether more is about to change, so that a report waits for it. @default no */
  readonly isChanging?: (() => boolean) | undefined
}

/** What one end of a link tells the other, on change and at rest. */
export interface ReportLoop {
  /** Says that `report` would answer something new. */
  changed(): void
  /** Tells on a stream of its own until the link is lost. @throws what the link does, where the other end listens no more */
  run(to: MeshLink, lost: AbortSignal): Promise<void>
}

export const createReportLoop = (options: ReportLoopOptions): ReportLoop => {
  const { clock } = options
  let changed = () => {}
  const change = (withinMs: number) => {
    const wake = new AbortController()
    // With a reason of its own: without one each of the many changes makes an error with a stack.
    changed = () => wake.abort('changed')
    return () => sleep(clock, withinMs, wake.signal)
  }
  return {
    changed: () => changed(),
    run: async (to, lost) => {
      const stream = await to.openStream('reports', { priority: 'events' })
      // Not AbortSignal.any: Node keeps one that somebody listens to, and all that waits for it, until it is aborted.
      lost.addEventListener('abort', () => changed())
      while (!lost.aborted) {
        const orLate = change(options.everyMs ?? reportEveryMs)
        const beganMs = clock.monotonicMs()
        await sendDocument(stream, await options.report())
        const tookMs = clock.monotonicMs() - beganMs
        await orLate()
        const endMs = clock.monotonicMs() + reportWaitsMs
        await sleep(clock, reportRestMs(tookMs), lost)
        while (!lost.aborted && options.isChanging?.() && clock.monotonicMs() < endMs)
          await change(endMs - clock.monotonicMs())()
      }
    },
  }
}
