import type { ContainerOwner, ObservedContainer, ObservedNetwork } from './containers.ts'
import type { Failure } from './history.ts'
import { waitingKey } from './history.ts'
import type { Plan, PlanInput } from './plan.ts'
import type { Waiting, WaitingReason } from './status.ts'
import { failureKeyOf, type Step } from './step.ts'

/** A reason to wait before its age is known. */
export interface Wait {
  readonly reason: WaitingReason
  readonly instance?: string
  readonly container?: string
  readonly detail: string
  /** Boot-clock milliseconds of the next try. */
  readonly retryAtMs?: number
}

/** A plan being written: one place that knows about failures to respect, doubles and ages. */
export interface Draft {
  /** Adds the step, or the wait for its next try; either way `about` says what is not here. */
  offer(step: Step, about: Wait): void
  wait(about: Wait): void
  remove(container: ObservedContainer, reason: string): void
  detach(network: ObservedNetwork, reason: string): void
  done(): Plan
}

const startReasons: Readonly<Record<string, WaitingReason>> = {
  'needs-containerd': 'needs-containerd',
  'disk-full': 'disk-full',
  'image-missing': 'image-not-here',
}
const attachReasons: Readonly<Record<string, WaitingReason>> = { 'port-taken': 'port-taken', 'disk-full': 'disk-full' }
const fetchReasons: Readonly<Record<string, WaitingReason>> = {
  'bad-image': 'image-refused',
  'image-refused': 'image-refused',
  'needs-containerd': 'needs-containerd',
  'disk-full': 'disk-full',
}

/** What a failed step is called in status. */
export const reasonOfFailure = (kind: Step['kind'], code: string): WaitingReason => {
  switch (kind) {
    case 'fetch-image':
      return fetchReasons[code] ?? 'image-not-here'
    case 'attach-network':
      return attachReasons[code] ?? 'network-failed'
    case 'start-container':
      return startReasons[code] ?? 'start-failed'
    case 'detach-network':
    case 'remove-container':
      return 'stopping-old'
  }
}

const ageOf = (input: PlanInput, about: Wait, failure?: Failure): number =>
  Math.max(0, input.nowMs - (failure?.sinceMs ?? input.history.waitingSince[waitingKey(about)] ?? input.nowMs))

const byPlace = (a: Waiting, b: Waiting): number => {
  const place = (one: Waiting) => `${one.instance ?? ''}/${one.container ?? ''}/${one.reason}`
  return place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0
}

export const createDraft = (input: PlanInput): Draft => {
  const steps: Step[] = []
  const waiting: Waiting[] = []
  const wakes: number[] = []
  const wait = (about: Wait, failure?: Failure) => {
    const { retryAtMs, ...rest } = about
    const later = retryAtMs !== undefined && retryAtMs > input.nowMs
    if (later) wakes.push(retryAtMs)
    waiting.push({
      ...rest,
      forMs: ageOf(input, about, failure),
      ...(later && { retryInMs: retryAtMs - input.nowMs }),
    })
  }
  const offer = (step: Step, about: Wait) => {
    const key = failureKeyOf(step)
    const failure = input.history.failures[key]
    if (failure) {
      const reason = reasonOfFailure(step.kind, failure.code)
      wait({ ...about, reason, detail: failure.detail, retryAtMs: failure.retryAtMs }, failure)
    } else wait(about)
    if (failure && failure.retryAtMs > input.nowMs) return
    if (!steps.some((one) => failureKeyOf(one) === key)) steps.push(step)
  }
  const politeMs = ({ instance, container }: ContainerOwner) =>
    input.desired.instances.find(({ id }) => id === instance)?.containers.find(({ name }) => name === container)?.spec
      .shutdownTimeoutMs ?? input.policy.shutdownTimeoutMs
  return {
    offer,
    wait,
    remove: ({ id, owner }, reason) =>
      offer(
        { kind: 'remove-container', id, owner, shutdownTimeoutMs: politeMs(owner), reason },
        { reason: 'stopping-old', instance: owner.instance, container: owner.container, detail: reason },
      ),
    detach: ({ tenant, instance, networkHash }, reason) =>
      offer(
        { kind: 'detach-network', tenant, instance, networkHash, reason },
        { reason: 'stopping-old', instance, detail: reason },
      ),
    done: () => ({
      steps,
      waiting: waiting.toSorted(byPlace),
      ...(wakes.length > 0 && { nextWakeMs: Math.min(...wakes) }),
    }),
  }
}
