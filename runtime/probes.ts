import type { ProbeKind, ProbeSpec } from './desired.ts'
import type { ProbeStatus } from './status.ts'

/** What one check answered, in words a person can act on. */
export interface ProbeAnswer {
  readonly ok: boolean
  readonly detail: string
}

/** One probe of one container. Times in milliseconds on the boot clock. */
export interface ProbeState {
  readonly spec: ProbeSpec
  readonly status: ProbeStatus
  /** Answers of the same kind in a row. */
  readonly successes: number
  readonly failures: number
  /** When it is to be asked next. */
  readonly dueAtMs: number
  readonly detail: string
}

export type ProbeStates = Readonly<Partial<Record<ProbeKind, ProbeState>>>

export const probeKinds: readonly ProbeKind[] = ['startup', 'readiness', 'liveness']

/** The probes of a container first seen running at `nowMs`. */
export const beginProbes = (specs: Readonly<Partial<Record<ProbeKind, ProbeSpec>>>, nowMs: number): ProbeStates => {
  const states: Partial<Record<ProbeKind, ProbeState>> = {}
  for (const kind of probeKinds) {
    const spec = specs[kind]
    if (!spec) continue
    const dueAtMs = nowMs + spec.initialDelayMs
    states[kind] = { spec, status: 'pending', successes: 0, failures: 0, dueAtMs, detail: '' }
  }
  return states
}

/** Until the startup probe succeeded the others are not asked; from then on it is not asked any more. */
export const isAsked = (states: ProbeStates, kind: ProbeKind): boolean => {
  const isStarted = states.startup === undefined || states.startup.status === 'success'
  return states[kind] !== undefined && (kind === 'startup' ? !isStarted : isStarted)
}

/**
 * The states after one answer. Thresholds count answers in a row; a startup that ends lets the others begin now.
 */
export const recordProbe = (states: ProbeStates, kind: ProbeKind, answer: ProbeAnswer, nowMs: number): ProbeStates => {
  const before = states[kind]
  if (!before) return states
  const successes = answer.ok ? before.successes + 1 : 0
  const failures = answer.ok ? 0 : before.failures + 1
  const status: ProbeStatus =
    successes >= before.spec.successThreshold
      ? 'success'
      : failures >= before.spec.failureThreshold
        ? 'failure'
        : before.status
  const dueAtMs = nowMs + before.spec.periodMs
  const next = { ...states, [kind]: { ...before, status, successes, failures, dueAtMs, detail: answer.detail } }
  if (kind !== 'startup' || status !== 'success') return next
  const open = (state: ProbeState | undefined) => state && { ...state, dueAtMs: Math.max(state.dueAtMs, nowMs) }
  return {
    ...next,
    ...(next.readiness && { readiness: open(next.readiness)! }),
    ...(next.liveness && { liveness: open(next.liveness)! }),
  }
}

/** True when requests may go to the container: it has started and, where it is asked, says that it is ready. */
export const isReady = (states: ProbeStates): boolean =>
  (states.startup?.status ?? 'success') === 'success' && (states.readiness?.status ?? 'success') === 'success'

/** What a check asks, for a person: `http 80 /health`. */
export const describeCheck = ({ check }: ProbeSpec): string => {
  switch (check.kind) {
    case 'exec':
      return `exec ${check.args.join(' ')}`
    case 'http':
      return `http ${check.port} ${check.path}`
    case 'tcp':
      return `tcp ${check.port}`
  }
}

/** Why the container must be made anew; undefined while it is well or may still become so. */
export const unhealthyDetail = (states: ProbeStates): string | undefined => {
  for (const kind of ['startup', 'liveness'] as const) {
    const state = states[kind]
    if (state?.status === 'failure') return `${kind} probe ${describeCheck(state.spec)}: ${state.detail}`
  }
  return undefined
}
