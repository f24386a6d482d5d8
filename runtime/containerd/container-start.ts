import { rm } from 'node:fs/promises'
import { constants } from 'node:os'
import { randomHex } from '../../base/index.ts'
import type { ContainerOwner, ContainerSpec, ObservedContainer } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import { type CgroupLayout, countsSwap } from './cgroups.ts'
import type { CniNetworks } from './cni-networks.ts'
import { placeFiles } from './container-files.ts'
import type { createContainerLogs } from './container-logs.ts'
import type { Mount } from './containerd-calls.ts'
import { isKind } from './containerd-client.ts'
import type { ContainerdPowers, Engine } from './containerd-engine.ts'
import {
  type ContainerdOptions,
  cgroupPath,
  filesDir,
  imageNamespace,
  socketOf,
  tenantNamespace,
} from './containerd-options.ts'
import { shimSocket } from './containerd-process.ts'
import { hardOpenFiles } from './host-processes.ts'
import type { ReadyImage } from './image-store.ts'
import { resolveUser } from './image-user.ts'
import { containerLabels, type LabelledContainer, nodeFilter, readLabels } from './labels.ts'
import { observedContainer } from './observed-container.ts'
import { asSpec, commandOf, ociSpec } from './oci-spec.ts'
import { noteShim } from './shim-journal.ts'

export interface StartPlace {
  readonly options: ContainerdOptions
  readonly powers: ContainerdPowers
  readonly engine: Engine
  readonly networks: CniNetworks
  readonly logs: ReturnType<typeof createContainerLogs>
  readonly layout: CgroupLayout
  /** Ids of containers between their making and their first breath. */
  readonly starting: Set<string>
}

/** Files the kernel counts per process; more than this helps nobody and slows programs that close them all. */
const maxOpenFiles = 65_536

/** Unique on the host, readable, and within containerd's rules for identifiers (76 characters, single dashes). */
const newId = (owner: ContainerOwner, { random }: ContainerdPowers): string =>
  `${owner.container.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 59)}-${randomHex(random, 8)}`

const signalNumber = (name: string | undefined): number => {
  if (name === undefined) return 15
  if (/^\d{1,2}$/.test(name)) return Number(name)
  return constants.signals[(name.startsWith('SIG') ? name : `SIG${name}`) as NodeJS.Signals] ?? 15
}

/** The container this owner has already, if any. */
const existing = async ({ engine, options, layout, starting }: StartPlace, owner: ContainerOwner) => {
  const namespace = tenantNamespace(owner.tenant)
  const filters = [nodeFilter(options.node, owner)]
  const { containers } = await engine.client.call('containers.list', { filters }, { namespace })
  for (const record of containers) {
    const reading = readLabels(record.labels, options.node)
    if (reading.kind !== 'ours') continue
    const got = await engine.client.call('tasks.get', { containerId: record.id }, { namespace }).catch(() => undefined)
    const found = { namespace, record, labelled: reading.container, task: got?.process }
    return observedContainer(found, options, layout, starting.has(record.id))
  }
  return undefined
}

const networkOf = async ({ networks }: StartPlace, { tenant, instance }: ContainerOwner) => {
  const found = await networks.namespaceOf(tenant, instance)
  if (found === 'lost')
    throw new ContainersError(
      'network-failed',
      `the network of ${instance} is lost; attach it again before its containers start`,
    )
  return found === 'none' ? undefined : found
}

/** The specification, with all files it points to written. */
const specify = async (
  place: StartPlace,
  { labelled, image, spec, id, mounts }: Making & { readonly mounts: readonly Mount[] },
) => {
  const { owner } = labelled
  const { options } = place
  const network = await networkOf(place, owner)
  const hostname = owner.instance.replace(/[^a-z0-9-]+/g, '-').slice(0, 63)
  await noteShim(options, shimSocket(socketOf(options), tenantNamespace(owner.tenant), id))
  const files = await placeFiles(filesDir(options, id), spec, { hostname, addresses: network?.addresses ?? [] })
  return ociSpec(spec, image.config, {
    hostname,
    cgroupPath: cgroupPath(options, owner.tenant, id),
    ...(network ? { netns: network.path } : {}),
    user: spec.user ?? (await resolveUser(image.config.user, mounts)),
    files,
    maxOpenFiles: Math.min(maxOpenFiles, hardOpenFiles()),
    countsSwap: await countsSwap(place.layout),
  })
}

interface Making {
  readonly id: string
  readonly image: ReadyImage
  readonly spec: ContainerSpec
  readonly labelled: LabelledContainer
}

/** A file system for the container, kept by its own label until it is removed by name. */
const prepareSnapshot = async ({ engine, options, powers }: StartPlace, { id, image }: Making) => {
  const labels = {
    'skerry/v': '1',
    'skerry/node': options.node,
    // From its first moment nothing may collect it: the container that needs it is in another namespace.
    'containerd.io/gc.root': new Date(powers.clock.wallMs()).toISOString(),
  }
  const request = { snapshotter: engine.snapshotter, key: id, parent: image.chainId, labels }
  const prepared = await engine.client
    .call('snapshots.prepare', request, { namespace: imageNamespace(options.node) })
    .catch((error: unknown) => {
      if (!isKind(error, 'not-found')) throw error
      throw new ContainersError('image-missing', `the file system of image ${image.name} is not here; import it again`)
    })
  return prepared.mounts
}

const create = async (place: StartPlace, making: Making): Promise<number> => {
  const { engine, logs } = place
  const { id, labelled, spec, image } = making
  const namespace = tenantNamespace(labelled.owner.tenant)
  const [mounts, log] = await Promise.all([
    prepareSnapshot(place, making),
    logs.prepare(labelled.owner, spec.logSizeBytes),
  ])
  const runtime = { name: 'io.containerd.runc.v2' }
  const document = asSpec('Spec', await specify(place, { ...making, mounts }))
  const record = { id, image: image.name, labels: containerLabels(labelled), runtime, spec: document }
  await engine.client.call('containers.create', { container: record }, { namespace })
  const output = `file://${log}`
  const task = { containerId: id, rootfs: mounts, stdout: output, stderr: output }
  await engine.client.call('tasks.create', task, { namespace, timeoutMs: 60_000 })
  const { pid } = await engine.client.call('tasks.start', { containerId: id }, { namespace, timeoutMs: 60_000 })
  return pid
}

/** Takes back what a failed start left; whatever cannot be taken back is seen by the next list and sweep. */
const takeBack = async ({ engine, options }: StartPlace, namespace: string, id: string): Promise<void> => {
  const { client, snapshotter } = engine
  await client.call('tasks.kill', { containerId: id, signal: 9, all: true }, { namespace }).catch(() => {})
  await client.call('tasks.delete', { containerId: id }, { namespace }).catch(() => {})
  const gone = await client.call('containers.delete', { id }, { namespace }).then(
    () => true,
    (error: unknown) => isKind(error, 'not-found'),
  )
  const snapshot = { snapshotter, key: id }
  await client.call('snapshots.remove', snapshot, { namespace: imageNamespace(options.node) }).catch(() => {})
  // While the engine is away the files stay, as the mark by which the sweep finds the rest.
  if (!gone) return
  await rm(filesDir(options, id), { recursive: true, force: true })
  await rm(shimSocket(socketOf(options), namespace, id), { force: true })
}

/** Makes and starts one container, or leaves nothing of it. */
export const startNew = async (
  place: StartPlace,
  owner: ContainerOwner,
  spec: ContainerSpec,
): Promise<ObservedContainer> => {
  const { engine, options, powers, starting } = place
  const [image, before] = await Promise.all([engine.images.ready(spec.image), existing(place, owner)])
  if (before?.state === 'running' && before.owner.specHash === owner.specHash) return before
  if (before)
    throw new ContainersError(
      'start-failed',
      `cannot start ${owner.instance}/${owner.container}: remove ${before.id} first`,
    )
  if (commandOf(spec, image.config).length === 0)
    throw new ContainersError(
      'start-failed',
      `cannot start ${owner.container}: neither it nor image ${image.name} names a command`,
    )
  const id = newId(owner, powers)
  const stopSignal = signalNumber(image.config.stopSignal)
  const labelled = { node: options.node, owner, imageDigest: image.digest, stopSignal }
  starting.add(id)
  try {
    const startedAtMs = powers.clock.wallMs()
    const pid = await create(place, { id, image, spec, labelled })
    return { id, owner, state: 'running', imageDigest: image.digest, pid, startedAtMs }
  } catch (error) {
    await takeBack(place, tenantNamespace(owner.tenant), id)
    throw error
  } finally {
    starting.delete(id)
  }
}
