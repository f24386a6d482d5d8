import type { ObservedHost } from './containers.ts'
import type { Plan, PlanInput } from './plan.ts'
import { portKey } from './ports.ts'
import { describe, overlaps, type Step, targetOf } from './step.ts'

type Check<Kind extends Step['kind']> = (
  step: Extract<Step, { kind: Kind }>,
  input: PlanInput,
  observed: ObservedHost,
) => string | undefined

const isOwn = (tenant: string, instance: string, { desired }: PlanInput): boolean =>
  tenant === desired.tenant && instance.startsWith(`${desired.application}.`)

const networkOf = (observed: ObservedHost, tenant: string, instance: string) =>
  observed.networks.find((one) => one.tenant === tenant && one.instance === instance)

const checkRemove: Check<'remove-container'> = (step, { desired, history, ...input }, observed) => {
  const { owner, id } = step
  if (!isOwn(owner.tenant, owner.instance, { desired, history, ...input })) return 'it belongs to another application'
  const held = observed.containers.find((one) => one.id === id)
  if (!held) return 'there is no such container'
  if (desired.phase === 'retired' || held.state !== 'running') return undefined
  const instance = desired.instances.find((one) => one.id === owner.instance)
  const wanted = instance?.containers.find(({ name }) => name === owner.container)
  const network = networkOf(observed, owner.tenant, owner.instance)
  const isHealthy = history.containers[`${owner.instance}/${owner.container}`]?.unhealthy?.id !== id
  const isAlone = !observed.containers.some(
    (one) =>
      one.id !== id &&
      one.owner.tenant === owner.tenant &&
      one.owner.instance === owner.instance &&
      one.owner.container === owner.container,
  )
  const hasNetwork = network?.state === 'attached' && network.networkHash === instance?.networkHash
  return wanted?.specHash === held.owner.specHash && hasNetwork && isHealthy && isAlone
    ? 'it is healthy and did not change'
    : undefined
}

const checkStart: Check<'start-container'> = (step, input, observed) => {
  const { owner, spec, imageDigest } = step
  const { desired } = input
  if (desired.phase === 'retired') return 'the application is retired'
  if (!isOwn(owner.tenant, owner.instance, input)) return 'it belongs to another application'
  const same = observed.containers.some(
    (one) =>
      one.owner.tenant === owner.tenant &&
      one.owner.instance === owner.instance &&
      one.owner.container === owner.container,
  )
  if (same) return 'one with the same owner exists'
  if (networkOf(observed, owner.tenant, owner.instance)?.state !== 'attached') return 'its network is not attached'
  return observed.images.some(({ name, digest }) => name === spec.image && (!imageDigest || digest === imageDigest))
    ? undefined
    : 'its image is not here'
}

const checkAttach: Check<'attach-network'> = ({ network }, input, observed) => {
  if (input.desired.phase === 'retired') return 'the application is retired'
  if (!isOwn(network.tenant, network.instance, input)) return 'it belongs to another application'
  if (networkOf(observed, network.tenant, network.instance)?.state === 'attached') return 'it is attached already'
  const [low, high] = input.policy.portRange
  const others = [...observed.networks, ...(input.attaching ?? [])].filter(
    ({ tenant, instance }) => tenant !== network.tenant || instance !== network.instance,
  )
  const taken = new Set(others.flatMap(({ ports }) => ports).map((one) => portKey(one.protocol, one.hostPort)))
  for (const { protocol, hostPort } of network.ports) {
    if (hostPort < low || hostPort > high) return `host port ${hostPort} lies outside ${low} to ${high}`
    if (taken.has(portKey(protocol, hostPort))) return `host port ${hostPort} belongs to another network`
    taken.add(portKey(protocol, hostPort))
  }
  return undefined
}

const checkDetach: Check<'detach-network'> = (step, input, observed) => {
  if (!isOwn(step.tenant, step.instance, input)) return 'it belongs to another application'
  return observed.containers.some(({ owner }) => owner.tenant === step.tenant && owner.instance === step.instance)
    ? 'containers still live in it'
    : undefined
}

const checkFetch: Check<'fetch-image'> = ({ image }, { desired }) =>
  desired.images.some(({ name, digest }) => name === image.name && digest === image.digest)
    ? undefined
    : 'the revision does not name it'

const checkStep = (step: Step, input: PlanInput, observed: ObservedHost): string | undefined => {
  switch (step.kind) {
    case 'remove-container':
      return checkRemove(step, input, observed)
    case 'start-container':
      return checkStart(step, input, observed)
    case 'attach-network':
      return checkAttach(step, input, observed)
    case 'detach-network':
      return checkDetach(step, input, observed)
    case 'fetch-image':
      return checkFetch(step, input, observed)
  }
}

const sharedPorts = (steps: readonly Step[]): readonly string[] => {
  const keys = steps.flatMap((step) =>
    step.kind === 'attach-network' ? step.network.ports.map((one) => portKey(one.protocol, one.hostPort)) : [],
  )
  return keys.filter((key, at) => keys.indexOf(key) !== at).map((key) => `two networks get ${key}`)
}

/**
 * The invariants a plan breaks, one line each; empty for a sound plan. Written apart from the planner on purpose: a
 * line here is a bug to report, and the plan is not to be run.
 */
export const lintPlan = ({ steps }: Plan, input: PlanInput): readonly string[] => {
  const { observed } = input
  if (!observed) return steps.map((step) => `${describe(step)}: nothing may be done while the engine does not answer`)
  const broken = steps.flatMap((step) => {
    const why = checkStep(step, input, observed)
    return why ? [`${describe(step)}: ${why}`] : []
  })
  const clashes = steps.flatMap((step, at) =>
    steps
      .slice(0, at)
      .filter((earlier) => step.kind !== 'remove-container' && overlaps(targetOf(step), targetOf(earlier)))
      .map((earlier) => `${describe(step)}: overlaps with ${describe(earlier)}`),
  )
  return [...broken, ...clashes, ...sharedPorts(steps)]
}
