import type { NetworkSpec, ObservedContainer, ObservedHost, ObservedNetwork } from './containers.ts'
import type { DesiredApplication } from './desired.ts'
import type { History } from './history.ts'
import { createDraft, type Draft } from './plan-draft.ts'
import { isAsked, type PlanGuard } from './plan-guards.ts'
import { planInstance } from './plan-instance.ts'
import type { Policy } from './policy.ts'
import { portKey } from './ports.ts'
import type { Waiting } from './status.ts'
import type { Step } from './step.ts'

/** All that decides. Times in milliseconds on the boot clock. */
export interface PlanInput {
  readonly desired: DesiredApplication
  /** The newest list of the host; absent while the engine does not answer: unknown, not dead. */
  readonly observed: ObservedHost | undefined
  readonly history: History
  readonly nowMs: number
  readonly policy: Policy
  /** Networks of anyone that are being attached now and not in the list yet: their host ports are promised. */
  readonly attaching?: readonly NetworkSpec[]
  /** @default all; a proof takes one out */
  readonly guards?: ReadonlySet<PlanGuard>
}

export interface Plan {
  /** Only what is safe to start now, all of it at once. */
  readonly steps: readonly Step[]
  /** Why the rest is not here yet. */
  readonly waiting: readonly Waiting[]
  /** Boot-clock milliseconds when time alone changes the plan; absent when it never does. */
  readonly nextWakeMs?: number
}

/** What of the host belongs to one application. Sorted, so that the order of the list never matters. */
export interface OwnPart {
  readonly containers: readonly ObservedContainer[]
  readonly networks: readonly ObservedNetwork[]
}

/** Names have no dots, so the part of an instance id before the first one is its application. */
export const applicationOf = (instance: string): string => instance.slice(0, Math.max(0, instance.indexOf('.')))

export const ownPart = (observed: ObservedHost, { tenant, application }: DesiredApplication): OwnPart => ({
  containers: observed.containers
    .filter(({ owner }) => owner.tenant === tenant && owner.application === application)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  networks: observed.networks
    .filter((network) => network.tenant === tenant && applicationOf(network.instance) === application)
    .toSorted((a, b) => (a.instance < b.instance ? -1 : 1)),
})

const takenPorts = (observed: ObservedHost, attaching: readonly NetworkSpec[]): Set<string> =>
  new Set(
    [...observed.networks, ...attaching]
      .flatMap(({ ports }) => ports)
      .map(({ protocol, hostPort }) => portKey(protocol, hostPort)),
  )

/** Ends what nobody wants; a network goes when nothing lives in it any more. */
const planUnwanted = (draft: Draft, own: OwnPart, wanted: ReadonlySet<string>, reason: string): void => {
  const gone = [...own.containers.map(({ owner }) => owner.instance), ...own.networks.map(({ instance }) => instance)]
  for (const instance of [...new Set(gone)].filter((id) => !wanted.has(id)).toSorted()) {
    const held = own.containers.filter(({ owner }) => owner.instance === instance)
    for (const container of held) draft.remove(container, reason)
    const network = own.networks.find((one) => one.instance === instance)
    if (held.length === 0 && network) draft.detach(network, reason)
  }
}

/**
 * What to do now for one application, and why the rest is not here yet. Pure and synchronous: the same input gives
 * the same plan, in whatever order lists come.
 */
export const plan = (input: PlanInput): Plan => {
  const { desired, observed } = input
  const draft = createDraft(input)
  if (!observed) {
    draft.wait({ reason: 'engine-unavailable', detail: 'the container engine does not answer; what runs goes on' })
    return draft.done()
  }
  const own = ownPart(observed, desired)
  if (desired.phase === 'retired') {
    if (isAsked(input.guards, 'retired-ends')) planUnwanted(draft, own, new Set(), 'retired')
    return draft.done()
  }
  planUnwanted(draft, own, new Set(desired.instances.map(({ id }) => id)), 'no longer wanted')
  const taken = takenPorts(observed, input.attaching ?? [])
  for (const instance of desired.instances.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    planInstance({ draft, input, own, observed, instance, taken })
  return draft.done()
}
