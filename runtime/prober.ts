import { type Clock, canonicalJson, errorText, SkerryError, type Timer } from '../base/index.ts'
import type { Containers } from './containers.ts'
import type { ProbeKind, ProbeSpec } from './desired.ts'
import {
  beginProbes,
  isAsked,
  type ProbeAnswer,
  type ProbeStates,
  probeKinds,
  recordProbe,
  unhealthyDetail,
} from './probes.ts'

/** The port to the network for probes. An answer that does not come within `timeoutMs` is a failed one. */
export interface ProbeRunner {
  http(ask: { host: string; port: number; path: string; timeoutMs: number }): Promise<ProbeAnswer>
  tcp(ask: { host: string; port: number; timeoutMs: number }): Promise<ProbeAnswer>
}

/** A running container to ask. */
export interface ProbeSubject {
  readonly id: string
  readonly tenant: string
  readonly instance: string
  readonly probes: Readonly<Partial<Record<ProbeKind, ProbeSpec>>>
}

/** Asks the containers of one application as often as their probes say. */
export interface Prober {
  /** These run now; those not named are not asked any more. */
  follow(subjects: readonly ProbeSubject[]): void
  statesOf(id: string): ProbeStates | undefined
  stop(): void
}

interface Followed {
  readonly subject: ProbeSubject
  readonly print: string
  states: ProbeStates
  readonly timers: Map<ProbeKind, Timer>
  live: boolean
}

const maxProbeOutputBytes = 4_096

const runExec = async (
  containers: Containers,
  id: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<ProbeAnswer | undefined> => {
  try {
    const { exitCode } = await containers.exec(id, { args, timeoutMs, maxOutputBytes: maxProbeOutputBytes })
    return { ok: exitCode === 0, detail: `exit ${exitCode}` }
  } catch (error) {
    const code = error instanceof SkerryError ? error.code : ''
    // Says nothing about the container: it is gone already, or nobody can be asked.
    if (code === 'not-running' || code === 'engine-unavailable') return undefined
    return { ok: false, detail: errorText(error) }
  }
}

/** One check; undefined when it says nothing about the container's health. */
const runCheck = async (
  powers: { readonly containers: Containers; readonly runner: ProbeRunner },
  { id, tenant, instance }: ProbeSubject,
  { check, timeoutMs }: ProbeSpec,
): Promise<ProbeAnswer | undefined> => {
  if (check.kind === 'exec') return runExec(powers.containers, id, check.args, timeoutMs)
  try {
    const address = await powers.containers.addressOf(instance, tenant, check.port)
    if (!address) return undefined
    return check.kind === 'tcp'
      ? await powers.runner.tcp({ ...address, timeoutMs })
      : await powers.runner.http({ ...address, path: check.path, timeoutMs })
  } catch {
    return undefined
  }
}

/** @param onChange a status changed; `unhealthy` is why the container must be made anew, where it must */
export const createProber = (powers: {
  readonly containers: Containers
  readonly runner: ProbeRunner
  readonly clock: Clock
  readonly onChange: (id: string, unhealthy: string | undefined) => void
}): Prober => {
  const { clock } = powers
  const followed = new Map<string, Followed>()

  const ask = async (one: Followed, kind: ProbeKind): Promise<void> => {
    const before = one.states[kind]
    if (!before || !one.live) return
    const answer = await runCheck(powers, one.subject, before.spec)
    if (!one.live) return
    if (answer) {
      one.states = recordProbe(one.states, kind, answer, clock.bootNowMs())
      if (one.states[kind]?.status !== before.status) powers.onChange(one.subject.id, unhealthyDetail(one.states))
    } else one.states = { ...one.states, [kind]: { ...before, dueAtMs: clock.bootNowMs() + before.spec.periodMs } }
    one.timers.delete(kind)
    schedule(one)
  }

  const schedule = (one: Followed): void => {
    for (const kind of probeKinds) {
      const state = one.states[kind]
      if (!state || !isAsked(one.states, kind) || one.timers.has(kind)) continue
      const delayMs = Math.max(0, state.dueAtMs - clock.bootNowMs())
      one.timers.set(
        kind,
        clock.setTimer(delayMs, () => void ask(one, kind)),
      )
    }
  }

  const drop = (one: Followed): void => {
    one.live = false
    for (const timer of one.timers.values()) timer.cancel()
    followed.delete(one.subject.id)
  }

  return {
    follow: (subjects) => {
      const ids = new Set(subjects.map(({ id }) => id))
      for (const one of [...followed.values()]) if (!ids.has(one.subject.id)) drop(one)
      for (const subject of subjects) {
        const print = canonicalJson(subject.probes)
        const before = followed.get(subject.id)
        if (before?.print === print) continue
        if (before) drop(before)
        const states = beginProbes(subject.probes, clock.bootNowMs())
        const one: Followed = { subject, print, states, timers: new Map(), live: true }
        followed.set(subject.id, one)
        schedule(one)
      }
    },
    statesOf: (id) => followed.get(id)?.states,
    stop: () => {
      for (const one of [...followed.values()]) drop(one)
    },
  }
}
