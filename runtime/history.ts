import type { ExitReason, ObservedHost } from './containers.ts'
import type { DesiredApplication } from './desired.ts'
import { backoffMs, defaultPolicy, type Policy } from './policy.ts'
import type { Waiting } from './status.ts'

/** What is remembered of one wanted container. Times in milliseconds on the boot clock. */
export interface ContainerHistory {
  readonly specHash: string
  /** The one last known to run, and since when. */
  readonly running?: { readonly id: string; readonly sinceMs: number }
  /** The one whose end was counted last. */
  readonly endedId?: string
  /** The one that failed its startup or liveness probe, and what the probe said. */
  readonly unhealthy?: { readonly id: string; readonly detail: string }
  /** True from an end to the next start. */
  readonly restartDue: boolean
  readonly currentRestarts: number
  readonly totalRestarts: number
  /** Ends since it was last stable; the pause grows with them. */
  readonly ends: number
  readonly retryAtMs: number
  readonly lastExit?: { readonly code: number; readonly reason: ExitReason }
  readonly lastLine?: string
}

/** A step that failed, under the key of `failureKeyOf`. */
export interface Failure {
  readonly code: string
  readonly detail: string
  readonly failures: number
  readonly sinceMs: number
  readonly retryAtMs: number
  /** Host ports that turned out to be taken, as keys of `portKey`. */
  readonly badPorts: readonly string[]
}

/** What one application's worker remembers: plain data, bounded by what is desired. */
export interface History {
  readonly containers: Readonly<Record<string, ContainerHistory>>
  readonly failures: Readonly<Record<string, Failure>>
  /** Since when each reason to wait holds. */
  readonly waitingSince: Readonly<Record<string, number>>
}

export const emptyHistory: History = { containers: {}, failures: {}, waitingSince: {} }

/** Failures and bad ports kept at most; older ones are forgotten, which only means an earlier retry. */
const maxFailures = 256
const maxBadPorts = 64

/** `at` names the container as `<instance>/<container>`; times are boot-clock milliseconds. */
export type HistoryEvent =
  | { readonly kind: 'running'; readonly at: string; readonly id: string; readonly nowMs: number }
  | { readonly kind: 'started'; readonly at: string; readonly id: string; readonly nowMs: number }
  | {
      readonly kind: 'ended'
      readonly at: string
      readonly id: string
      readonly exit?: { readonly code: number; readonly reason: ExitReason }
      readonly nowMs: number
    }
  | {
      readonly kind: 'unhealthy'
      readonly at: string
      readonly id: string
      readonly detail: string
      readonly nowMs: number
    }
  | { readonly kind: 'stable'; readonly at: string }
  | { readonly kind: 'removed'; readonly at: string; readonly id: string }
  | { readonly kind: 'last-line'; readonly at: string; readonly id: string; readonly text: string }
  | {
      readonly kind: 'step-failed'
      readonly key: string
      readonly code: string
      readonly detail: string
      readonly badPorts?: readonly string[]
      readonly capMs?: number
      readonly nowMs: number
    }
  | { readonly kind: 'step-done'; readonly key: string }

const without = <T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> => {
  const copy = { ...value }
  for (const key of keys) delete copy[key]
  return copy
}

const settleIfStable = (one: ContainerHistory, nowMs: number, policy: Policy): ContainerHistory =>
  one.running && nowMs - one.running.sinceMs >= policy.stableMs ? { ...one, currentRestarts: 0, ends: 0 } : one

const ended = (one: ContainerHistory, id: string, nowMs: number, policy: Policy): ContainerHistory => {
  const before = settleIfStable(one, nowMs, policy)
  const ends = before.ends + 1
  // The first end is answered at once; only what follows waits.
  const pauseMs = backoffMs(ends - 1, policy.retryBaseMs, policy.retryCapMs)
  return { ...without(before, 'running', 'lastLine'), endedId: id, ends, restartDue: true, retryAtMs: nowMs + pauseMs }
}

const foldContainer = (
  one: ContainerHistory,
  event: Extract<HistoryEvent, { readonly at: string }>,
  policy: Policy,
): ContainerHistory => {
  switch (event.kind) {
    case 'running':
      return { ...one, running: { id: event.id, sinceMs: event.nowMs } }
    case 'started': {
      const more = one.restartDue ? 1 : 0
      return {
        ...without(one, 'unhealthy'),
        running: { id: event.id, sinceMs: event.nowMs },
        restartDue: false,
        currentRestarts: one.currentRestarts + more,
        totalRestarts: one.totalRestarts + more,
      }
    }
    case 'ended':
      if (one.endedId === event.id) return one
      return { ...ended(one, event.id, event.nowMs, policy), ...(event.exit && { lastExit: event.exit }) }
    case 'unhealthy':
      if (one.endedId === event.id) return one
      return {
        ...ended(one, event.id, event.nowMs, policy),
        unhealthy: { id: event.id, detail: event.detail },
      }
    case 'stable':
      return { ...one, currentRestarts: 0, ends: 0, retryAtMs: 0 }
    case 'removed':
      return one.running?.id === event.id ? without(one, 'running') : one
    case 'last-line':
      return one.endedId === event.id ? { ...one, lastLine: event.text } : one
  }
}

const foldFailure = (
  history: History,
  event: Extract<HistoryEvent, { readonly kind: 'step-failed' }>,
  policy: Policy,
): History => {
  const before = history.failures[event.key]
  const failures = (before?.failures ?? 0) + 1
  const failure: Failure = {
    code: event.code,
    detail: event.detail,
    failures,
    sinceMs: before?.sinceMs ?? event.nowMs,
    retryAtMs: event.nowMs + backoffMs(failures, policy.retryBaseMs, event.capMs ?? policy.retryCapMs),
    badPorts: [...new Set([...(before?.badPorts ?? []), ...(event.badPorts ?? [])])].slice(-maxBadPorts),
  }
  const all = [...Object.entries(history.failures).filter(([key]) => key !== event.key), [event.key, failure] as const]
  return { ...history, failures: Object.fromEntries(all.slice(-maxFailures)) }
}

/** The history after one event. Events about containers that are not wanted change nothing. */
export const recordEvent = (history: History, event: HistoryEvent, policy: Policy = defaultPolicy): History => {
  if (event.kind === 'step-failed') return foldFailure(history, event, policy)
  if (event.kind === 'step-done')
    return event.key in history.failures
      ? { ...history, failures: without(history.failures, event.key) as History['failures'] }
      : history
  const one = history.containers[event.at]
  if (!one) return history
  const next = foldContainer(one, event, policy)
  return next === one ? history : { ...history, containers: { ...history.containers, [event.at]: next } }
}

/**
 * Fits the history to what is wanted now: a changed specification starts with a clean record (its total of restarts
 * stays), what is no longer wanted is forgotten.
 */
export const alignHistory = (history: History, desired: DesiredApplication): History => {
  const wanted = desired.phase === 'retired' ? [] : desired.instances
  const containers: Record<string, ContainerHistory> = {}
  for (const instance of wanted)
    for (const { name, specHash } of instance.containers) {
      const at = `${instance.id}/${name}`
      const before = history.containers[at]
      containers[at] =
        before?.specHash === specHash
          ? before
          : {
              specHash,
              restartDue: false,
              currentRestarts: 0,
              totalRestarts: before?.totalRestarts ?? 0,
              ends: 0,
              retryAtMs: 0,
            }
    }
  return { ...history, containers }
}

/** What a list of the host tells the history: who runs, who ended, who has been stable. In order of names. */
export const eventsOf = (
  history: History,
  observed: ObservedHost,
  desired: DesiredApplication,
  nowMs: number,
  policy: Policy = defaultPolicy,
): readonly HistoryEvent[] => {
  const events: HistoryEvent[] = []
  for (const [at, one] of Object.entries(history.containers).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const held = observed.containers.filter(
      ({ owner }) =>
        owner.tenant === desired.tenant &&
        owner.application === desired.application &&
        `${owner.instance}/${owner.container}` === at &&
        owner.specHash === one.specHash,
    )
    const running = held.find(({ state, id }) => state === 'running' && id !== one.endedId)
    const over = held.find(({ state, id }) => state === 'exited' && id !== one.endedId)
    if (running && running.id !== one.running?.id) events.push({ kind: 'running', at, id: running.id, nowMs })
    else if (running && one.running && nowMs - one.running.sinceMs >= policy.stableMs) {
      if (one.ends > 0 || one.currentRestarts > 0) events.push({ kind: 'stable', at })
    }
    if (!running && over) {
      const { exitCode: code, exitReason: reason = 'exited', id } = over
      events.push({ kind: 'ended', at, id, ...(code !== undefined && { exit: { code, reason } }), nowMs })
    } else if (!running && one.running && !held.some(({ id }) => id === one.running?.id)) {
      // Gone without us: someone removed it, or the engine lost it.
      events.push({ kind: 'ended', at, id: one.running.id, nowMs })
    }
  }
  return events
}

/** The key under which the age of a reason to wait is kept. */
export const waitingKey = ({ reason, instance, container }: Pick<Waiting, 'reason' | 'instance' | 'container'>) =>
  `${reason} ${instance ?? ''}/${container ?? ''}`

/** Remembers since when each reason holds, and forgets those that do not hold any more. */
export const recordWaiting = (history: History, waiting: readonly Waiting[], nowMs: number): History => ({
  ...history,
  waitingSince: Object.fromEntries(
    waiting.map((one) => [waitingKey(one), history.waitingSince[waitingKey(one)] ?? nowMs]),
  ),
})

/**
 * A history kept over a restart of the node. Where the machine itself started anew the boot clock did too: no time in
 * it may lie ahead, no pause be longer than the cap. Failed steps are tried again at once.
 */
export const reviveHistory = (history: History, nowMs: number, policy: Policy = defaultPolicy): History => ({
  failures: {},
  waitingSince: Object.fromEntries(
    Object.entries(history.waitingSince).map(([key, sinceMs]) => [key, Math.min(sinceMs, nowMs)]),
  ),
  containers: Object.fromEntries(
    Object.entries(history.containers).map(([at, one]) => [
      at,
      {
        ...one,
        retryAtMs: Math.min(one.retryAtMs, nowMs + policy.retryCapMs),
        ...(one.running && { running: { ...one.running, sinceMs: Math.min(one.running.sinceMs, nowMs) } }),
      },
    ]),
  ),
})
