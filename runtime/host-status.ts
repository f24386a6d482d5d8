import type { ObservedContainer, ObservedHost } from './containers.ts'
import type { DesiredApplication, DesiredContainer, ProbeKind } from './desired.ts'
import type { History } from './history.ts'
import { applicationOf, ownPart } from './plan.ts'
import { describeCheck, isReady, type ProbeStates, probeKinds } from './probes.ts'
import type { ApplicationStatus, ContainerStatus, InstanceStatus, ProbeStatus, Waiting } from './status.ts'

/** What the status of one application is made from. */
export interface StatusInput {
  readonly desired: DesiredApplication
  /** The last list, however old. */
  readonly observed: ObservedHost | undefined
  readonly history: History
  readonly waiting: readonly Waiting[]
  /** Ids of containers that are being ended: they run until they have, and serve nobody who may count on them. */
  readonly leaving: ReadonlySet<string>
  readonly nowMs: number
  readonly probesOf: (id: string) => ProbeStates | undefined
}

const probeStatuses = (
  wanted: DesiredContainer | undefined,
  states: ProbeStates,
): Readonly<Partial<Record<ProbeKind, ProbeStatus>>> => {
  const statuses: Partial<Record<ProbeKind, ProbeStatus>> = {}
  for (const kind of probeKinds) if (wanted?.probes[kind]) statuses[kind] = states[kind]?.status ?? 'pending'
  return statuses
}

const isHere = (held: ObservedContainer | undefined): boolean => held?.state === 'running'

/** Wanted probes that nobody has asked yet count as pending, not as absent. */
const readyOf = (input: StatusInput, wanted: DesiredContainer | undefined, held: ObservedContainer | undefined) => {
  if (!held || !isHere(held) || input.leaving.has(held.id)) return false
  const states = input.probesOf(held.id)
  if (states) return isReady(states)
  return wanted?.probes.startup === undefined && wanted?.probes.readiness === undefined
}

const containerStatus = (
  input: StatusInput,
  at: string,
  name: string,
  wanted: DesiredContainer | undefined,
  held: ObservedContainer | undefined,
): ContainerStatus => {
  const one = input.history.containers[at]
  const lastExit =
    held?.state === 'exited' && held.exitCode !== undefined
      ? { code: held.exitCode, reason: held.exitReason ?? 'exited' }
      : one?.lastExit
  return {
    name,
    state: held?.state ?? 'absent',
    ...(held && { id: held.id, imageDigest: held.imageDigest }),
    pid: held?.pid ?? 0,
    specHash: held?.owner.specHash ?? wanted?.specHash ?? '',
    ...(held?.startedAtMs !== undefined && { startedAtMs: held.startedAtMs }),
    ...(lastExit && { lastExit }),
    currentRestarts: one?.currentRestarts ?? 0,
    totalRestarts: one?.totalRestarts ?? 0,
    probes: probeStatuses(wanted, (held && input.probesOf(held.id)) ?? {}),
    ready: readyOf(input, wanted, held),
  }
}

const byState = (a: ObservedContainer, b: ObservedContainer): number =>
  Number(isHere(b)) - Number(isHere(a)) || (a.id < b.id ? -1 : 1)

const instanceStatus = (input: StatusInput, id: string): InstanceStatus => {
  const { desired } = input
  const own = input.observed ? ownPart(input.observed, desired) : { containers: [], networks: [] }
  const held = own.containers.filter(({ owner }) => owner.instance === id).toSorted(byState)
  const network = own.networks.find(({ instance }) => instance === id)
  const instance = desired.phase === 'run' ? desired.instances.find((one) => one.id === id) : undefined
  const wanted = instance?.containers ?? []
  const names = [...new Set([...wanted.map(({ name }) => name), ...held.map(({ owner }) => owner.container)])]
  const containers = names.toSorted().map((name) =>
    containerStatus(
      input,
      `${id}/${name}`,
      name,
      wanted.find((one) => one.name === name),
      held.find(({ owner }) => owner.container === name),
    ),
  )
  const isWhole = wanted.every(({ name }) => containers.some((one) => one.name === name && one.ready))
  return {
    id,
    service: instance?.service ?? held[0]?.owner.service ?? id.slice(applicationOf(id).length + 1).replace(/-\d+$/, ''),
    addresses: network?.addresses ?? [],
    ports: network?.ports ?? [],
    containers,
    ready: instance !== undefined && wanted.length > 0 && isWhole,
  }
}

/** Containers that are being ended although they are wanted again. */
const leavingWaiting = (input: StatusInput): readonly Waiting[] => {
  if (!input.observed || input.desired.phase === 'retired') return []
  return ownPart(input.observed, input.desired).containers.flatMap(({ id, owner: { instance, container } }) => {
    if (!input.leaving.has(id) || input.waiting.some((one) => one.instance === instance && one.container === container))
      return []
    return [{ reason: 'stopping-old' as const, instance, container, detail: 'its end was begun before', forMs: 0 }]
  })
}

/** Containers that run and are not ready, and why: the planner does not know of it, a person wants to. */
const probeWaiting = (input: StatusInput): readonly Waiting[] => {
  if (!input.observed || input.desired.phase === 'retired') return []
  return ownPart(input.observed, input.desired).containers.flatMap((held) => {
    const states = isHere(held) && !input.leaving.has(held.id) ? input.probesOf(held.id) : undefined
    const { instance, container } = held.owner
    if (!states || input.waiting.some((one) => one.instance === instance && one.container === container)) return []
    const sinceMs = input.history.containers[`${instance}/${container}`]?.running?.sinceMs ?? input.nowMs
    const forMs = Math.max(0, input.nowMs - sinceMs)
    for (const kind of probeKinds) {
      const state = states[kind]
      if (!state || state.status === 'success') continue
      const failing = state.failures > 0
      if (kind === 'liveness' && !failing) continue
      const said = failing ? `: ${state.detail}` : ' has not answered yet'
      const detail = `${kind} probe ${describeCheck(state.spec)}${said}`
      return [
        { reason: failing ? ('probe-failing' as const) : ('starting' as const), instance, container, detail, forMs },
      ]
    }
    return []
  })
}

/** What one application is like on this host. Leftovers are shown until they are gone. */
export const applicationStatus = (input: StatusInput): ApplicationStatus => {
  const { desired, observed } = input
  const own = observed ? ownPart(observed, desired) : { containers: [], networks: [] }
  const ids = [
    ...(desired.phase === 'run' ? desired.instances.map(({ id }) => id) : []),
    ...own.containers.map(({ owner }) => owner.instance),
    ...own.networks.map(({ instance }) => instance),
  ]
  const isPresent = (name: string, digest: string) =>
    observed?.images.some((image) => image.name === name && image.digest === digest) ?? false
  return {
    tenant: desired.tenant,
    application: desired.application,
    version: desired.version,
    revision: desired.revision,
    deployment: desired.deployment,
    phase: desired.phase,
    images: desired.images
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, digest }) => ({ name, digest, state: isPresent(name, digest) ? 'present' : 'missing' })),
    instances: [...new Set(ids)].toSorted().map((id) => instanceStatus(input, id)),
    waiting: [...input.waiting, ...leavingWaiting(input), ...probeWaiting(input)],
  }
}
