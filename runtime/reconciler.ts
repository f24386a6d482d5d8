import { type Clock, errorText, type Log, type Timer } from '../base/index.ts'
import { type ApplicationWorker, createApplicationWorker, type WorkerPowers } from './application-worker.ts'
import type { Containers, NetworkSpec } from './containers.ts'
import type { DesiredApplication } from './desired.ts'
import type { ImageSource } from './executors.ts'
import { createGate, createTurns } from './gate.ts'
import { type History, reviveHistory } from './history.ts'
import { createHostView } from './host-view.ts'
import { ownPart } from './plan.ts'
import type { PlanGuard } from './plan-guards.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import type { ProbeRunner } from './prober.ts'
import type { HostStatus } from './status.ts'

/** What is remembered per application, under `<tenant>/<application>`: plain JSON, to be kept over restarts. */
export type Histories = Readonly<Record<string, History>>

/** Keeps one host at what is wanted of it. */
export interface Reconciler {
  /**
   * The newest wanted state. An application that is not named is left as it was last wanted: absent never means
   * stop, only the phase `retired` does.
   */
  setDesired(applications: readonly DesiredApplication[]): void
  status(): HostStatus
  /** Begins to list and to act. The containers port is started here, and again after every loss. */
  start(): void
  /** Ends acting; resolves when no step is under way. Containers run on; the containers port is the caller's to stop. */
  stop(): Promise<void>
  /** Resolves when the engine answers and nothing is to be done now; what waits for time or a parent does not count. */
  settled(): Promise<void>
  /** Whether it is so now. */
  isSettled(): boolean
  /** Calls `listener` after each change of what `status` would say, and now and then without one. Returns how to end that. */
  onChange(listener: () => void): () => void
  /** Lists the host now; resolves when the list is taken in. */
  refresh(): Promise<void>
  /** Tries failed fetches now, as after a link came back. */
  retryFetches(): void
  /** What to keep and hand to the next `createReconciler`, so that restarts stay counted. */
  histories(): Histories
}

export interface ReconcilerOptions {
  readonly containers: Containers
  readonly images: ImageSource
  readonly probes: ProbeRunner
  readonly clock: Clock
  readonly log: Log
  /** Host ports this node may give out, both ends included. */
  readonly portRange: readonly [number, number]
  /** @default defaultPolicy */
  readonly policy?: Partial<Omit<Policy, 'portRange'>>
  /** What an earlier reconciler of this host remembered. @default nothing */
  readonly histories?: Histories
  /** What the planner asks. @default all; a proof takes one out */
  readonly guards?: ReadonlySet<PlanGuard>
}

const keyOf = ({ tenant, application }: DesiredApplication): string => `${tenant}/${application}`

export const createReconciler = (options: ReconcilerOptions): Reconciler => {
  const { containers, clock } = options
  const log = options.log.child('reconciler')
  const policy: Policy = { ...defaultPolicy, ...options.policy, portRange: options.portRange }
  const workers = new Map<string, ApplicationWorker>()
  const listeners = new Set<() => void>()
  const waiters = new Set<() => void>()
  let unwatch: (() => void) | undefined
  let trimTimer: Timer | undefined
  let running = false

  const sorted = () => [...workers].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, worker]) => worker)
  const isSettled = () => view.current() !== undefined && [...workers.values()].every((worker) => worker.isIdle())

  let isTold = false
  const changed = (): void => {
    if (isTold) return
    isTold = true
    // Once per turn, after all workers had their say.
    void Promise.resolve().then(() => {
      isTold = false
      for (const listener of [...listeners]) listener()
      if (!isSettled()) return
      for (const resolve of waiters) resolve()
      waiters.clear()
    })
  }

  const view = createHostView({
    containers,
    clock,
    log,
    policy,
    onList: () => {
      for (const worker of sorted()) worker.pump()
      forgetRetired()
      changed()
    },
  })

  const powers: WorkerPowers = {
    view,
    containers,
    images: options.images,
    probes: options.probes,
    clock,
    log,
    policy,
    gate: createGate(policy.stepsAtOnce),
    fetchTurns: createTurns(),
    attaching: new Set<NetworkSpec>(),
    guards: options.guards,
    onChange: changed,
  }

  let named = new Set<string>()
  /** A worker nobody names any more ends when its application is retired and nothing of it is left. */
  const forgetRetired = (): void => {
    const observed = view.current()
    if (!observed) return
    for (const [key, worker] of workers) {
      const own = ownPart(observed, worker.desired())
      const isGone = worker.desired().phase === 'retired' && own.containers.length + own.networks.length === 0
      if (!isGone || named.has(key) || !worker.isIdle()) continue
      workers.delete(key)
      void worker.stop()
    }
  }

  const trim = async (): Promise<void> => {
    try {
      if (view.current()) await containers.trimLogs()
    } catch (error) {
      log.warn('cutting logs failed', { error: errorText(error) })
    }
    if (running) trimTimer = clock.setTimer(policy.trimLogsMs, () => void trim())
  }

  return {
    setDesired: (applications) => {
      named = new Set(applications.map(keyOf))
      for (const desired of applications.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) {
        const key = keyOf(desired)
        const worker = workers.get(key)
        if (worker) {
          worker.setDesired(desired)
          continue
        }
        const remembered = options.histories?.[key]
        const revived = remembered && reviveHistory(remembered, clock.bootNowMs(), policy)
        const made = createApplicationWorker(powers, desired, revived)
        workers.set(key, made)
        if (running) made.pump()
      }
      forgetRetired()
      changed()
    },
    status: () => {
      const nowMs = clock.bootNowMs()
      const { state, sinceMs, error } = view.engine()
      const last = view.last()
      const facts = view.facts()
      return {
        engine: { state, forMs: nowMs - sinceMs, ...(state === 'unavailable' && error !== undefined && { error }) },
        ...(facts && { facts }),
        portRange: policy.portRange,
        ...(last && { observedAgeMs: nowMs - last.atMs }),
        applications: sorted().map((worker) => worker.status()),
      }
    },
    start: () => {
      if (running) return
      running = true
      unwatch = containers.watch(view.hint)
      view.start()
      trimTimer = clock.setTimer(policy.trimLogsMs, () => void trim())
    },
    stop: async () => {
      running = false
      unwatch?.()
      trimTimer?.cancel()
      await Promise.all([view.stop(), ...[...workers.values()].map((worker) => worker.stop())])
    },
    isSettled,
    settled: () =>
      new Promise((resolve) => {
        waiters.add(resolve)
        changed()
      }),
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    refresh: view.refresh,
    retryFetches: () => {
      for (const worker of sorted()) worker.retryFetches()
    },
    histories: () => Object.fromEntries([...workers].map(([key, worker]) => [key, worker.history()])),
  }
}
