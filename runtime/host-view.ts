import { type Clock, errorText, type Log, SkerryError, type Timer } from '../base/index.ts'
import type { Containers, DriverFacts, ObservedHost } from './containers.ts'
import { applyEffect, type Effect } from './effects.ts'
import { isSameHost } from './is-same-host.ts'
import { backoffMs, type Policy } from './policy.ts'

/** The one picture of the host all workers share, kept fresh by lists; hints only bring the next list forward. */
export interface HostView {
  start(): void
  /** Ends listing; resolves when no call to the engine is under way. */
  stop(): Promise<void>
  /** Lists now; resolves when a list that began after this call was taken in, or failed. */
  refresh(): Promise<void>
  /** Lists soon. */
  hint(): void
  apply(effect: Effect): void
  /** The engine did not answer a step: nothing is known until a list succeeds. */
  lose(error: unknown): void
  /** Absent while the engine does not answer. */
  current(): ObservedHost | undefined
  /** The last list, however old. */
  last(): { readonly host: ObservedHost; readonly atMs: number } | undefined
  facts(): DriverFacts | undefined
  engine(): { readonly state: 'up' | 'unavailable'; readonly sinceMs: number; readonly error?: string }
}

/** Pauses between tries to reach a lost engine: 250 ms doubling to the pause of the periodic list. */
const engineRetryBaseMs = 250

export const createHostView = (powers: {
  readonly containers: Containers
  readonly clock: Clock
  readonly log: Log
  readonly policy: Policy
  readonly onList: () => void
}): HostView => {
  const { containers, clock, log, policy } = powers
  let host: ObservedHost | undefined
  let last: { host: ObservedHost; atMs: number } | undefined
  let facts: DriverFacts | undefined
  let engine: ReturnType<HostView['engine']> = {
    state: 'unavailable',
    sinceMs: clock.bootNowMs(),
    error: 'not reached yet',
  }
  let failures = 0
  let running: Promise<void> | undefined
  let queued: Promise<void> | undefined
  let timer: Timer | undefined
  let timerAtMs = Number.POSITIVE_INFINITY
  let listedAtMs = Number.NEGATIVE_INFINITY
  let stopped = true
  /** Effects since the list under way began: it may or may not show them. */
  let sinceListBegan: Effect[] = []
  /** When a list was last told of; whether one was asked for, or a step taken, since the last one began. */
  let toldAtMs = Number.NEGATIVE_INFINITY
  let isAwaited = true

  const lose = (error: unknown): void => {
    host = undefined
    const sinceMs = engine.state === 'unavailable' ? engine.sinceMs : clock.bootNowMs()
    if (engine.state === 'up' || failures === 0)
      log.warn('the container engine does not answer', { error: errorText(error) })
    engine = { state: 'unavailable', sinceMs, error: errorText(error) }
    failures += 1
    wakeIn(backoffMs(failures, engineRetryBaseMs, policy.relistMs))
    powers.onList()
  }

  const deadline = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const late = clock.setTimer(policy.observeTimeoutMs, () =>
        reject(new SkerryError('engine-unavailable', `the engine gave no list within ${policy.observeTimeoutMs} ms`)),
      )
      work.then(resolve, reject).finally(() => late.cancel())
    })

  /**
   * Whether a list says nothing: nobody asked for it, it came in time, and all is as it was. At rest every list is one of
   * these, and what follows from a list costs far more than to see that it is the same.
   */
  const isIdle = (seen: ObservedHost, nowMs: number): boolean =>
    !isAwaited &&
    host !== undefined &&
    last !== undefined &&
    engine.state === 'up' &&
    nowMs - toldAtMs < policy.retellMs &&
    nowMs - last.atMs < 1.5 * policy.relistMs &&
    isSameHost(seen, host)

  const list = async (): Promise<void> => {
    listedAtMs = clock.bootNowMs()
    sinceListBegan = []
    const wasAwaited = isAwaited
    isAwaited = false
    try {
      if (engine.state === 'unavailable') await deadline(containers.start())
      const seen = await deadline(containers.observe())
      if (stopped) return
      if (host !== undefined && !wasAwaited && isIdle(seen, clock.bootNowMs())) {
        last = { host, atMs: clock.bootNowMs() }
        return wakeIn(policy.relistMs)
      }
      facts = await deadline(containers.facts())
      if (stopped) return
      host = sinceListBegan.reduce(applyEffect, seen)
      last = { host, atMs: clock.bootNowMs() }
      toldAtMs = last.atMs
      if (engine.state !== 'up') {
        log.info('the container engine answers', { version: facts.version })
        engine = { state: 'up', sinceMs: clock.bootNowMs() }
      }
      failures = 0
      wakeIn(policy.relistMs)
      powers.onList()
    } catch (error) {
      if (!stopped) lose(error)
    }
  }

  const look = (): Promise<void> => {
    if (stopped) return Promise.resolve()
    if (!running) {
      running = list().finally(() => {
        running = undefined
      })
      return running
    }
    // The list under way may have read too early for the one who asks.
    queued ??= running.then(() => {
      queued = undefined
      return look()
    })
    return queued
  }

  const refresh = (): Promise<void> => {
    isAwaited = true
    return look()
  }

  const wakeIn = (delayMs: number): void => {
    timer?.cancel()
    if (stopped) return
    timerAtMs = clock.bootNowMs() + delayMs
    timer = clock.setTimer(delayMs, () => {
      timerAtMs = Number.POSITIVE_INFINITY
      void look()
    })
  }

  return {
    start: () => {
      stopped = false
      void refresh()
    },
    stop: async () => {
      stopped = true
      timer?.cancel()
      await running
    },
    refresh,
    hint: () => {
      // A lost engine has its own pace; hints do not hurry it.
      if (stopped || engine.state !== 'up') return
      isAwaited = true
      const nowMs = clock.bootNowMs()
      const atMs = Math.max(nowMs, listedAtMs + policy.hintGapMs)
      if (atMs === nowMs) void look()
      else if (atMs < timerAtMs) wakeIn(atMs - nowMs)
    },
    apply: (effect) => {
      isAwaited = true
      sinceListBegan.push(effect)
      if (host) host = applyEffect(host, effect)
      if (host && last) last = { ...last, host }
    },
    lose: (error) => {
      // Several steps may meet the same loss.
      if (engine.state === 'up') lose(error)
    },
    current: () => host,
    last: () => last,
    facts: () => facts,
    engine: () => engine,
  }
}
