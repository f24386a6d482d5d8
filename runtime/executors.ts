import { SkerryError } from '../base/index.ts'
import type { Containers, ObservedHost } from './containers.ts'
import type { DesiredImage } from './desired.ts'
import type { Effect } from './effects.ts'
import type { Step } from './step.ts'

/** Where images come from when this host does not hold them. */
export interface ImageSource {
  /**
   * Brings the archive of `image` to local disk and gives its path; the caller only reads it.
   * @throws {SkerryError} with a stable code, like `parent-unreachable` or `not-held`; aborts with `signal`.
   */
  fetch(image: DesiredImage, options: { readonly signal: AbortSignal }): Promise<string>
}

export interface ExecutorPowers {
  readonly containers: Containers
  readonly images: ImageSource
  /** The newest picture, for preconditions. */
  readonly observed: () => ObservedHost | undefined
  readonly signal: AbortSignal
}

type Executor<Kind extends Step['kind']> = (
  step: Extract<Step, { kind: Kind }>,
  powers: ExecutorPowers,
) => Promise<Effect | undefined>

const holds = (observed: ObservedHost | undefined, { name, digest }: DesiredImage): boolean =>
  observed?.images.some((image) => image.name === name && image.digest === digest) ?? false

const fetchImage: Executor<'fetch-image'> = async ({ image }, { containers, images, observed, signal }) => {
  if (signal.aborted || holds(observed(), image)) return undefined
  const path = await images.fetch(image, { signal })
  const got = await containers.importImage(path, { signal })
  if (!got.some(({ name, digest }) => name === image.name && digest === image.digest))
    throw new SkerryError(
      'image-refused',
      `the archive of ${image.name} does not hold ${image.digest}; save the application again to pin what is there now`,
    )
  return { kind: 'images', images: got }
}

const attachNetwork: Executor<'attach-network'> = async ({ network }, { containers }) => ({
  kind: 'network',
  network: await containers.attachNetwork(network),
})

const detachNetwork: Executor<'detach-network'> = async ({ tenant, instance }, { containers, observed }) => {
  const isInUse = observed()?.containers.some(({ owner }) => owner.tenant === tenant && owner.instance === instance)
  if (isInUse) return undefined
  await containers.detachNetwork(tenant, instance)
  return { kind: 'no-network', tenant, instance }
}

const startContainer: Executor<'start-container'> = async ({ owner, spec }, { containers, observed }) => {
  const exists = observed()?.containers.some(
    (one) =>
      one.owner.tenant === owner.tenant &&
      one.owner.instance === owner.instance &&
      one.owner.container === owner.container,
  )
  return exists ? undefined : { kind: 'container', container: await containers.startContainer(owner, spec) }
}

const removeContainer: Executor<'remove-container'> = async ({ id, shutdownTimeoutMs }, { containers }) => {
  await containers.removeContainer(id, { shutdownTimeoutMs })
  return { kind: 'no-container', id }
}

/** One per kind of step: idempotent, re-checks its precondition, chooses nothing. */
const executors = {
  'fetch-image': fetchImage,
  'attach-network': attachNetwork,
  'detach-network': detachNetwork,
  'start-container': startContainer,
  'remove-container': removeContainer,
} satisfies { [Kind in Step['kind']]: Executor<Kind> }

/** Does one step. @returns what it made true; undefined when there was nothing to do any more. */
export const execute = (step: Step, powers: ExecutorPowers): Promise<Effect | undefined> =>
  (executors[step.kind] as Executor<Step['kind']>)(step, powers)
