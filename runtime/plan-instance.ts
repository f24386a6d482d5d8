import type { ObservedContainer, ObservedHost, ObservedNetwork } from './containers.ts'
import type { DesiredContainer, DesiredImage, DesiredInstance } from './desired.ts'
import type { ContainerHistory } from './history.ts'
import { lastLineMark } from './last-line.ts'
import type { OwnPart, PlanInput } from './plan.ts'
import type { Draft } from './plan-draft.ts'
import { allocatePorts, portKey } from './ports.ts'
import { failureKeyOf, type Step } from './step.ts'

interface Place {
  readonly draft: Draft
  readonly input: PlanInput
  readonly own: OwnPart
  readonly observed: ObservedHost
  readonly instance: DesiredInstance
  /** Host ports of everyone, as keys of `portKey`; grows with what this plan gives out. */
  readonly taken: Set<string>
}

const imageOf = ({ input }: Place, name: string): DesiredImage | undefined =>
  input.desired.images.find((image) => image.name === name)

/** True when the image is here in the very version the revision pins. */
const isImageHere = (place: Place, name: string): boolean => {
  const wanted = imageOf(place, name)
  return place.observed.images.some(
    (image) => image.name === name && (wanted === undefined || image.digest === wanted.digest),
  )
}

const fetchImage = (place: Place, container: DesiredContainer): void => {
  const { draft, instance } = place
  const name = container.spec.image
  const about = { instance: instance.id, container: container.name, detail: name }
  const image = imageOf(place, name)
  if (!image) draft.wait({ ...about, reason: 'image-not-here', detail: `the revision does not say where ${name} is` })
  else draft.offer({ kind: 'fetch-image', image }, { ...about, reason: 'fetching-image' })
}

/** The one of several with the same owner that is worth keeping: current, then running, then youngest. */
const bestOf = (held: readonly ObservedContainer[], specHash: string): ObservedContainer | undefined =>
  held.toSorted(
    (a, b) =>
      Number(b.owner.specHash === specHash) - Number(a.owner.specHash === specHash) ||
      Number(b.state === 'running') - Number(a.state === 'running') ||
      (b.startedAtMs ?? 0) - (a.startedAtMs ?? 0) ||
      (a.id < b.id ? -1 : 1),
  )[0]

const heldOf = ({ own, instance }: Place, name?: string): readonly ObservedContainer[] =>
  own.containers.filter(({ owner }) => owner.instance === instance.id && (!name || owner.container === name))

const isNetworkOf = ({ input, instance }: Place, one: { readonly tenant: string; readonly instance: string }) =>
  one.tenant === input.desired.tenant && one.instance === instance.id

const attachNetwork = (place: Place, lost: ObservedNetwork | undefined): void => {
  const { draft, input, instance, taken } = place
  const before = input.attaching?.find((one) => isNetworkOf(place, one)) ?? lost
  for (const { protocol, hostPort } of before?.ports ?? []) taken.delete(portKey(protocol, hostPort))
  const step = (ports: Extract<Step, { kind: 'attach-network' }>['network']['ports']): Step => ({
    kind: 'attach-network',
    network: { instance: instance.id, tenant: input.desired.tenant, networkHash: instance.networkHash, ports },
  })
  const ports = allocatePorts({
    ingress: instance.ingress,
    range: input.policy.portRange,
    taken,
    keep: before?.ports ?? [],
    avoid: new Set(input.history.failures[failureKeyOf(step([]))]?.badPorts),
  })
  if (!ports) {
    const [low, high] = input.policy.portRange
    const detail = `none of the host ports ${low} to ${high} is free`
    draft.wait({ reason: 'no-free-port', instance: instance.id, detail })
    return
  }
  for (const { protocol, hostPort } of ports) taken.add(portKey(protocol, hostPort))
  draft.offer(step(ports), { reason: 'starting', instance: instance.id, detail: 'attaching its network' })
}

const exitText = ({ exitCode, exitReason }: ObservedContainer): string => {
  const code = exitCode === undefined ? '' : ` (exit ${exitCode})`
  if (exitReason === 'oom') return `out of memory${code}`
  if (exitReason === 'killed') return `killed${code}`
  return exitCode === 0 ? 'ended (exit 0)' : `crashed${code}`
}

const crashDetail = (one: ContainerHistory): string => {
  const how = one.unhealthy
    ? `not healthy: ${one.unhealthy.detail}`
    : one.lastExit?.reason === 'oom'
      ? `used more memory than its limit (exit ${one.lastExit.code})`
      : one.lastExit
        ? `${one.lastExit.reason === 'killed' ? 'was killed' : 'ended'} with exit ${one.lastExit.code}`
        : 'ended'
  const count = `${one.currentRestarts} restart${one.currentRestarts === 1 ? '' : 's'}`
  return `${how}, ${count}${one.lastLine ? `${lastLineMark}${one.lastLine}` : ''}`
}

/** True when the pause after its last end is over; else says what it waits for. */
const mayRestart = (place: Place, container: DesiredContainer): boolean => {
  const { draft, input, instance } = place
  const one = input.history.containers[`${instance.id}/${container.name}`]
  if (!one || one.specHash !== container.specHash || !one.restartDue || one.retryAtMs <= input.nowMs) return true
  const reason =
    !one.unhealthy && one.lastExit?.reason === 'oom'
      ? 'out-of-memory'
      : one.currentRestarts >= input.policy.crashLoopRestarts
        ? 'crash-loop'
        : 'backing-off'
  const about = { instance: instance.id, container: container.name, detail: crashDetail(one) }
  draft.wait({ ...about, reason, retryAtMs: one.retryAtMs })
  return false
}

const startContainer = (place: Place, container: DesiredContainer): void => {
  const { draft, input, instance } = place
  if (!isImageHere(place, container.spec.image)) {
    fetchImage(place, container)
    return
  }
  if (!mayRestart(place, container)) return
  const { tenant, application, version, revision } = input.desired
  const owner = {
    tenant,
    application,
    service: instance.service,
    instance: instance.id,
    container: container.name,
    version,
    revision,
    specHash: container.specHash,
  }
  const digest = imageOf(place, container.spec.image)?.digest
  draft.offer(
    { kind: 'start-container', owner, spec: container.spec, ...(digest && { imageDigest: digest }) },
    { reason: 'starting', instance: instance.id, container: container.name, detail: 'starting' },
  )
}

const planCurrent = (place: Place, container: DesiredContainer, held: ObservedContainer): void => {
  const { draft, input, instance } = place
  const unhealthy = input.history.containers[`${instance.id}/${container.name}`]?.unhealthy
  switch (held.state) {
    case 'running':
      if (unhealthy?.id === held.id) draft.remove(held, `not healthy: ${unhealthy.detail}`)
      return
    case 'created':
      draft.remove(held, 'never started')
      return
    case 'exited':
      // The dead one stays until its successor may start: it is what a person looks at meanwhile.
      if (mayRestart(place, container)) draft.remove(held, exitText(held))
      return
    case 'unknown':
      draft.wait({
        reason: 'engine-unavailable',
        instance: instance.id,
        container: container.name,
        detail: 'the engine does not know its state',
      })
  }
}

const planContainer = (place: Place, container: DesiredContainer): void => {
  const all = heldOf(place, container.name)
  const held = bestOf(all, container.specHash)
  for (const other of all) if (other !== held) place.draft.remove(other, 'a duplicate')
  if (!held) startContainer(place, container)
  else if (held.owner.specHash === container.specHash) planCurrent(place, container, held)
  // Download first, then stop: the old one runs on until the new image is here.
  else if (!isImageHere(place, container.spec.image)) fetchImage(place, container)
  else place.draft.remove(held, 'changed')
}

/** The network is missing or lost: nothing can live in it, so everything in the instance is made anew. */
const planWithoutNetwork = (place: Place, lost: ObservedNetwork | undefined): void => {
  const { draft, instance } = place
  const containers = instance.containers.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  for (const held of heldOf(place)) draft.remove(held, 'its network is gone')
  for (const container of containers) if (!isImageHere(place, container.spec.image)) fetchImage(place, container)
  if (heldOf(place).length > 0) return
  if (lost && lost.networkHash !== instance.networkHash) draft.detach(lost, 'its network changed')
  else if (containers.some((container) => isImageHere(place, container.spec.image))) attachNetwork(place, lost)
}

const planChangedNetwork = (place: Place, network: ObservedNetwork): void => {
  const missing = place.instance.containers.filter(({ spec }) => !isImageHere(place, spec.image))
  for (const container of missing) fetchImage(place, container)
  if (missing.length > 0) return
  for (const held of heldOf(place)) place.draft.remove(held, 'its network changed')
  if (heldOf(place).length === 0) place.draft.detach(network, 'its network changed')
}

const planContainers = (place: Place): void => {
  const { draft, instance } = place
  const names = new Set(instance.containers.map(({ name }) => name))
  for (const extra of heldOf(place)) if (!names.has(extra.owner.container)) draft.remove(extra, 'no longer wanted')
  for (const container of instance.containers.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    planContainer(place, container)
}

/** Plans one wanted instance. */
export const planInstance = (place: Place): void => {
  const network = place.own.networks.find((one) => one.instance === place.instance.id)
  if (network?.state !== 'attached') planWithoutNetwork(place, network)
  else if (network.networkHash !== place.instance.networkHash) planChangedNetwork(place, network)
  else planContainers(place)
}
