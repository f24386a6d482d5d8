import { createManualClock, silentLog } from '../base/index.ts'
import type { DesiredImage } from './desired.ts'
import { createReconciler, type Histories } from './reconciler.ts'
import { createSimulatedHost } from './simulated/index.ts'

/** What a scene needs of the test it is in. */
interface Stage {
  teardown(work: () => Promise<void>): void
  pass(): unknown
  fail(why: string): unknown
}

/** Lets settled promises have their say; the simulated machine needs nothing else. */
const turn = async () => {
  for (let n = 0; n < 50; n++) await Promise.resolve()
}

/** For tests: a simulated machine, its clock, a parent with images, and a reconciler. */
export const createScene = (t: Stage, part: { histories?: Histories } = {}) => {
  const clock = createManualClock()
  const host = createSimulatedHost({ clock })
  const fetches: string[] = []
  const parent: { fetch: (image: DesiredImage, signal: AbortSignal) => Promise<string> } = {
    fetch: async ({ archive }) => archive,
  }
  for (const name of ['web:1', 'web:2', 'big:1'])
    host.addArchive(`tar-${name}`, [{ name, digest: `sha256:${name}`, sizeBytes: 1, runsAsProcess: true }])
  const probes = { up: true, asked: 0 }
  const answer = async () => {
    probes.asked += 1
    return { ok: probes.up, detail: probes.up ? 'status 200' : 'status 503' }
  }
  const build = (histories?: Histories) =>
    createReconciler({
      containers: host.connect(),
      images: {
        fetch: (image, { signal }) => {
          fetches.push(image.name)
          return parent.fetch(image, signal)
        },
      },
      probes: { http: answer, tcp: answer },
      clock,
      log: silentLog,
      portRange: [20_000, 20_009],
      ...(histories && { histories }),
    })
  const reconciler = build(part.histories)
  t.teardown(async () => {
    let isStopped = false
    void reconciler.stop().then(() => {
      isStopped = true
    })
    // Calls under way end with time.
    for (let n = 0; n < 100 && !isStopped; n++) {
      clock.advance(10)
      await turn()
    }
    if (!isStopped) throw new Error('the reconciler did not stop within a second')
  })
  /** Runs timers in order until `holds`, at most `withinMs` of simulated time. */
  const until = async (what: string, holds: () => boolean, withinMs = 60_000) => {
    const endMs = clock.monotonicMs() + withinMs
    for (;;) {
      for (let n = 0; n < 5; n++) await turn()
      if (holds()) return t.pass()
      const nextMs = clock.nextTimerMs()
      if (nextMs === undefined || clock.monotonicMs() + nextMs > endMs) return t.fail(`never: ${what}`)
      clock.advance(nextMs)
    }
  }
  const run = async (ms: number) => {
    const endMs = clock.monotonicMs() + ms
    await until(
      'time passes',
      () => clock.monotonicMs() >= endMs || (clock.nextTimerMs() ?? ms) + clock.monotonicMs() > endMs,
      ms,
    )
    clock.advance(Math.max(0, endMs - clock.monotonicMs()))
    for (let n = 0; n < 5; n++) await turn()
  }
  const running = () => host.containers().filter(({ state }) => state === 'running')
  const waiting = () =>
    reconciler.status().applications.flatMap((app) => app.waiting.map(({ reason }) => `${app.application} ${reason}`))
  return { clock, host, parent, fetches, reconciler, build, until, run, running, waiting, probes }
}
