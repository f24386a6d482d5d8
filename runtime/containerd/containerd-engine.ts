import { readdir, rm } from 'node:fs/promises'
import type { Clock, Log, Random } from '../../base/index.ts'
import { cgroupChildren, removeCgroup } from './cgroups.ts'
import type { ContainerRecord, TaskProcess } from './containerd-calls.ts'
import { type ContainerdClient, connectContainerd, unless } from './containerd-client.ts'
import {
  type ContainerdOptions,
  filesDir,
  imageNamespace,
  isTenantNamespace,
  nodeCgroup,
  socketOf,
} from './containerd-options.ts'
import { shimSocket } from './containerd-process.ts'
import { createImageStore } from './image-store.ts'
import { type LabelledContainer, nodeFilter, readLabels } from './labels.ts'

export interface ContainerdPowers {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** One of our containers with what runs in it. */
export interface FoundContainer {
  readonly namespace: string
  readonly record: ContainerRecord
  readonly labelled: LabelledContainer
  readonly task: TaskProcess | undefined
}

/** A containerd that answered: what it is and how to talk to it. */
export interface Engine {
  readonly client: ContainerdClient
  readonly version: string
  readonly snapshotter: string
  readonly images: ReturnType<typeof createImageStore>
}

/** overlayfs where containerd could bring it up; native copies each layer and works everywhere. */
const chooseSnapshotter = async (client: ContainerdClient): Promise<string> => {
  const filters = ['type==io.containerd.snapshotter.v1,id==overlayfs']
  const { plugins } = await client.call('introspection.plugins', { filters })
  return plugins.some(({ initErr }) => !initErr) ? 'overlayfs' : 'native'
}

export const openEngine = async (options: ContainerdOptions, { clock, random }: ContainerdPowers): Promise<Engine> => {
  const client = connectContainerd(socketOf(options), clock)
  try {
    const { version } = await client.call('version.version', {})
    const snapshotter = await chooseSnapshotter(client)
    const namespace = imageNamespace(options.node)
    const images = createImageStore({ client, node: options.node, namespace, snapshotter, random })
    return { client, version, snapshotter, images }
  } catch (error) {
    client.close()
    throw error
  }
}

/** Containers of this node in every tenant's namespace. `strange` hears of those that are left alone though labelled. */
export const findContainers = async (
  client: ContainerdClient,
  node: string,
  strange: (id: string, why: string) => void,
): Promise<FoundContainer[]> => {
  const { namespaces } = await client.call('namespaces.list', {})
  const names = namespaces.map(({ name }) => name).filter(isTenantNamespace)
  const perNamespace = names.toSorted().map(async (namespace) => {
    // Containers first: a task that appears in between belongs to a container of the next list.
    const { containers } = await client.call('containers.list', { filters: [nodeFilter(node)] }, { namespace })
    if (containers.length === 0) return []
    const { tasks } = await client.call('tasks.list', {}, { namespace })
    const byId = new Map(tasks.map((task) => [task.id, task]))
    return containers.flatMap((record): FoundContainer[] => {
      const reading = readLabels(record.labels, node)
      if (reading.kind === 'newer') strange(record.id, `its labels have format ${reading.format}, which is newer`)
      if (reading.kind === 'damaged') strange(record.id, `its label ${reading.missing} is missing`)
      if (reading.kind !== 'ours') return []
      return [{ namespace, record, labelled: reading.container, task: byId.get(record.id) }]
    })
  })
  return (await Promise.all(perNamespace)).flat()
}

const unusedSnapshots = async ({ client, snapshotter }: Engine, node: string): Promise<string[]> => {
  const keys: string[] = []
  const request = { snapshotter, filters: [nodeFilter(node)] }
  const options = { namespace: imageNamespace(node), timeoutMs: 20_000 }
  for await (const { info } of client.stream('snapshots.list', request, options))
    keys.push(...info.map(({ name }) => name))
  return keys
}

/** Cgroups of single containers of the node: path and id. */
const containerCgroups = async (node: string): Promise<{ path: string; id: string }[]> => {
  const groups: { path: string; id: string }[] = []
  for (const tenant of await cgroupChildren(node))
    for (const id of await cgroupChildren(`${node}/${tenant}`)) groups.push({ path: `${node}/${tenant}/${id}`, id })
  return groups
}

/**
 * Removes file systems, files and empty cgroups of containers that exist no more: left behind when we ended in the middle of a start.
 * What is there is listed before what uses it, and `starting` is asked in between: a start that is under way meanwhile
 * is in one of the two.
 * @returns how many file systems were removed
 */
export const sweepLeftovers = async (
  engine: Engine,
  options: ContainerdOptions,
  starting: ReadonlySet<string>,
  listUsed: () => Promise<readonly string[]>,
): Promise<number> => {
  const before = [...starting]
  const snapshots = await unusedSnapshots(engine, options.node)
  const cgroups = await containerCgroups(nodeCgroup(options))
  const directories = await readdir(`${options.dataDir}/containers`).catch(() => [])
  const used = new Set([...before, ...starting, ...(await listUsed())])
  const left = snapshots.filter((key) => !used.has(key))
  const { client, snapshotter } = engine
  const namespace = imageNamespace(options.node)
  for (const key of left)
    await client
      .call('snapshots.remove', { snapshotter, key }, { namespace })
      .catch(unless('not-found', 'precondition'))
  const { namespaces } = await client.call('namespaces.list', {})
  for (const id of directories.filter((each) => !used.has(each))) {
    for (const { name } of namespaces) await rm(shimSocket(socketOf(options), name, id), { force: true })
    await rm(filesDir(options, id), { recursive: true, force: true })
  }
  // One with processes in it is refused by the kernel, and stays.
  for (const { path } of cgroups.filter(({ id }) => !used.has(id))) await removeCgroup(path).catch(() => {})
  return left.length
}
