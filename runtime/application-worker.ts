import { type Clock, errorText, type Log, SkerryError, type Timer } from '../base/index.ts'
import type { Containers, NetworkSpec, ObservedHost } from './containers.ts'
import type { DesiredApplication } from './desired.ts'
import type { Effect } from './effects.ts'
import { execute, type ImageSource } from './executors.ts'
import type { Gate, Turns } from './gate.ts'
import {
  alignHistory,
  emptyHistory,
  eventsOf,
  type History,
  type HistoryEvent,
  recordEvent,
  recordWaiting,
} from './history.ts'
import { applicationStatus } from './host-status.ts'
import type { HostView } from './host-view.ts'
import { readLastLine } from './last-line.ts'
import { lintPlan } from './lint-plan.ts'
import { ownPart, type Plan, type PlanInput, plan } from './plan.ts'
import type { PlanGuard } from './plan-guards.ts'
import type { Policy } from './policy.ts'
import { portKey } from './ports.ts'
import { createProber, type ProbeRunner } from './prober.ts'
import type { ProbeStates } from './probes.ts'
import type { ApplicationStatus } from './status.ts'
import { describe, failureKeyOf, overlaps, type Step, targetOf } from './step.ts'

/** What all workers of a host share. */
export interface WorkerPowers {
  readonly view: HostView
  readonly containers: Containers
  readonly images: ImageSource
  readonly probes: ProbeRunner
  readonly clock: Clock
  readonly log: Log
  readonly policy: Policy
  readonly gate: Gate
  readonly fetchTurns: Turns
  /** Networks anyone is attaching now. */
  readonly attaching: Set<NetworkSpec>
  readonly guards: ReadonlySet<PlanGuard> | undefined
  /** Something a person or a test may look at changed. */
  readonly onChange: () => void
}

/** Brings one application to what is wanted of it, and nothing else. */
export interface ApplicationWorker {
  desired(): DesiredApplication
  /** The newest wins; what is under way for an older one is given up only where that is safe (fetches). */
  setDesired(desired: DesiredApplication): void
  /** Plans anew and begins what may begin. */
  pump(): void
  /** True when nothing is to be done now and nothing is under way. */
  isIdle(): boolean
  /** Tries failed fetches now, as after a link came back. */
  retryFetches(): void
  status(): ApplicationStatus
  history(): History
  /** Begins nothing more, gives fetches up; resolves when nothing is under way. */
  stop(): Promise<void>
}

interface UnderWay {
  readonly step: Step
  readonly abort: AbortController
  done: Promise<void>
}

const codeOf = (error: unknown): string => (error instanceof SkerryError ? error.code : 'unexpected')

/** The ports that turned out to be taken: the one the driver names, else all that were asked for. */
const badPortsOf = (step: Step, error: unknown): readonly string[] => {
  if (step.kind !== 'attach-network' || codeOf(error) !== 'port-taken') return []
  const named = error instanceof SkerryError ? error.details.hostPort : undefined
  const suspects = step.network.ports.filter(({ hostPort }) => typeof named !== 'number' || hostPort === named)
  return suspects.map(({ protocol, hostPort }) => portKey(protocol, hostPort))
}

/** What the history learns from a step that succeeded. */
const eventOfEffect = (step: Step, effect: Effect | undefined, nowMs: number): HistoryEvent | undefined => {
  if (step.kind !== 'start-container' && step.kind !== 'remove-container') return undefined
  const at = `${step.owner.instance}/${step.owner.container}`
  if (effect?.kind === 'container') return { kind: 'started', at, id: effect.container.id, nowMs }
  if (effect?.kind === 'no-container') return { kind: 'removed', at, id: effect.id }
  return undefined
}

export const createApplicationWorker = (
  powers: WorkerPowers,
  first: DesiredApplication,
  remembered: History = emptyHistory,
): ApplicationWorker => {
  const { view, clock, policy, log } = powers
  let desired = first
  let history = alignHistory(remembered, first)
  let next: Plan = { steps: [], waiting: [] }
  let timer: Timer | undefined
  let stopped = false
  const underWay = new Set<UnderWay>()

  const prober = createProber({
    containers: powers.containers,
    runner: powers.probes,
    clock,
    onChange: (id, unhealthy) => {
      const owner = view.current()?.containers.find((one) => one.id === id)?.owner
      if (unhealthy !== undefined && owner) {
        const at = `${owner.instance}/${owner.container}`
        record({ kind: 'unhealthy', at, id, detail: unhealthy, nowMs: clock.bootNowMs() })
      }
      pump()
    },
  })

  const record = (event: HistoryEvent): void => {
    history = recordEvent(history, event, policy)
    if (event.kind === 'ended' || event.kind === 'unhealthy') void lookAtLog(event.at, event.id)
  }

  const lookAtLog = async (at: string, id: string): Promise<void> => {
    const [instance = '', container = ''] = at.split('/')
    const text = await readLastLine(
      powers.containers,
      { tenant: desired.tenant, instance, container },
      policy.lastLineBytes,
    )
    if (text === '' || stopped) return
    record({ kind: 'last-line', at, id, text })
    pump()
  }

  const leavingNow = (): ReadonlySet<string> =>
    new Set([...underWay].flatMap(({ step }) => (step.kind === 'remove-container' ? [step.id] : [])))

  const takeIn = (observed: ObservedHost, nowMs: number): void => {
    // A container we are ending is not one that crashed.
    const leaving = leavingNow()
    for (const event of eventsOf(history, observed, desired, nowMs, policy))
      if (event.kind !== 'ended' || !leaving.has(event.id)) record(event)
    const wanted = desired.phase === 'run' ? desired.instances : []
    prober.follow(
      ownPart(observed, desired).containers.flatMap(({ id, owner, state }) => {
        const container = wanted
          .find((one) => one.id === owner.instance)
          ?.containers.find(({ name, specHash }) => name === owner.container && specHash === owner.specHash)
        if (state !== 'running' || !container || Object.keys(container.probes).length === 0) return []
        return [{ id, tenant: owner.tenant, instance: owner.instance, probes: container.probes }]
      }),
    )
  }

  const inputAt = (nowMs: number): PlanInput => ({
    desired,
    observed: view.current(),
    history,
    nowMs,
    policy,
    attaching: [...powers.attaching],
    ...(powers.guards && { guards: powers.guards }),
  })

  const decide = (nowMs: number): readonly Step[] => {
    const observed = view.current()
    if (observed) takeIn(observed, nowMs)
    const input = inputAt(nowMs)
    next = plan(input)
    history = recordWaiting(history, next.waiting, nowMs)
    const broken = lintPlan(next, input)
    if (broken.length === 0) return next.steps
    log.error('the plan breaks an invariant and is not run; please report this', { broken: broken.join('; ') })
    next = { ...next, steps: [] }
    return []
  }

  const pump = (): void => {
    if (stopped) return
    timer?.cancel()
    const nowMs = clock.bootNowMs()
    const steps = decide(nowMs)
    giveUpFetches()
    for (const step of steps)
      if (![...underWay].some((one) => overlaps(targetOf(one.step), targetOf(step)))) begin(step)
    if (next.nextWakeMs !== undefined) timer = clock.setTimer(Math.max(0, next.nextWakeMs - nowMs), pump)
    powers.onChange()
  }

  const giveUpFetches = (): void => {
    for (const { step, abort } of underWay) {
      if (step.kind !== 'fetch-image') continue
      const isNamed = desired.images.some(
        ({ name, digest }) => name === step.image.name && digest === step.image.digest,
      )
      if (!isNamed || desired.phase === 'retired') abort.abort()
    }
  }

  /** A step that waited its turn is done as the newest plan has it, and not at all when that has it no more. */
  const asPlannedNow = (step: Step): Step | undefined =>
    stopped ? undefined : next.steps.find((one) => failureKeyOf(one) === failureKeyOf(step))

  /** Starts share a bounded number of places. Two applications that want one image fetch it once, one after the other. */
  const inTurn = (step: Step, work: () => Promise<void>): Promise<void> => {
    if (step.kind === 'fetch-image') return powers.fetchTurns.take(step.image.name, work)
    return step.kind === 'start-container' || step.kind === 'attach-network' ? powers.gate.pass(work) : work()
  }

  const begin = (step: Step): void => {
    const one: UnderWay = { step, abort: new AbortController(), done: Promise.resolve() }
    underWay.add(one)
    if (step.kind === 'attach-network') powers.attaching.add(step.network)
    const work = async () => {
      const newest = asPlannedNow(step)
      if (newest) await run(newest, one.abort.signal)
    }
    one.done = inTurn(step, work).finally(() => {
      underWay.delete(one)
      if (step.kind === 'attach-network') powers.attaching.delete(step.network)
      pump()
      if (stopped) powers.onChange()
    })
  }

  const run = async (step: Step, signal: AbortSignal): Promise<void> => {
    log.info(describe(step))
    try {
      const { containers, images } = powers
      const effect = await execute(step, { containers, images, observed: view.current, signal })
      record({ kind: 'step-done', key: failureKeyOf(step) })
      const event = eventOfEffect(step, effect, clock.bootNowMs())
      if (event) record(event)
      if (effect) view.apply(effect)
      else view.hint()
    } catch (error) {
      if (!signal.aborted) fail(step, error)
    }
  }

  const fail = (step: Step, error: unknown): void => {
    const code = codeOf(error)
    log.warn(`${describe(step)} failed`, { code, error: errorText(error) })
    if (code === 'engine-unavailable') {
      view.lose(error)
      return
    }
    record({
      kind: 'step-failed',
      key: failureKeyOf(step),
      code,
      detail: errorText(error),
      badPorts: badPortsOf(step, error),
      ...(step.kind === 'fetch-image' && { capMs: policy.fetchRetryCapMs }),
      nowMs: clock.bootNowMs(),
    })
    view.hint()
  }

  return {
    desired: () => desired,
    setDesired: (wanted) => {
      desired = wanted
      history = alignHistory(history, wanted)
      pump()
    },
    pump,
    isIdle: () => underWay.size === 0 && next.steps.length === 0,
    retryFetches: () => {
      for (const key of Object.keys(history.failures)) if (key.startsWith('fetch ')) record({ kind: 'step-done', key })
      pump()
    },
    status: () =>
      applicationStatus({
        desired,
        observed: view.last()?.host,
        history,
        waiting: plan(inputAt(clock.bootNowMs())).waiting,
        leaving: leavingNow(),
        nowMs: clock.bootNowMs(),
        probesOf: (id: string): ProbeStates | undefined => prober.statesOf(id),
      }),
    history: () => history,
    stop: async () => {
      stopped = true
      timer?.cancel()
      prober.stop()
      for (const { step, abort } of underWay) if (step.kind === 'fetch-image') abort.abort()
      await Promise.all([...underWay].map(({ done }) => done))
    },
  }
}
