import { mkdir } from 'node:fs/promises'
import { sleep } from '../../base/index.ts'
import type { Containers, DriverFacts, ObservedHost } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import { cgroupLayout } from './cgroups.ts'
import { createCniNetworks } from './cni-networks.ts'
import { createContainerLogs } from './container-logs.ts'
import { removeFound } from './container-removal.ts'
import { startNew } from './container-start.ts'
import {
  type ContainerdPowers,
  type Engine,
  type FoundContainer,
  findContainers,
  openEngine,
  sweepLeftovers,
} from './containerd-engine.ts'
import type { ContainerdOptions } from './containerd-options.ts'
import { ensureContainerd } from './containerd-process.ts'
import { createQueue, during } from './driver-errors.ts'
import { observedContainer } from './observed-container.ts'
import { createTaskExec, notRunning } from './task-exec.ts'

/** Between two tries to hear events again, in milliseconds: doubling from the first to the last. */
const resubscribeMs = { first: 100, last: 5_000 }
/** A subscription is not acknowledged; this long after it a list cannot miss what came before it. In milliseconds. */
const settleMs = 100

const checkOptions = ({ bridge, runDir, node }: ContainerdOptions): void => {
  const refuse = (what: string) => {
    throw new ContainersError('engine-unavailable', `cannot use containerd: ${what}`)
  }
  if (!/^[a-z0-9][a-z0-9-]{0,14}$/.test(bridge))
    refuse(`${JSON.stringify(bridge)} is no name of a bridge (15 characters)`)
  if (!/^[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}$/.test(node)) refuse(`${JSON.stringify(node)} is no name of a node`)
  if (!runDir.startsWith('/')) refuse(`the run directory ${runDir} must be an absolute path`)
}

/** The `containerd` driver: real containers through containerd's API, networks through CNI plugins. Needs Linux and root. */
export const createContainerdContainers = (options: ContainerdOptions, powers: ContainerdPowers): Containers => {
  checkOptions(options)
  const { clock, log } = powers
  const networks = createCniNetworks(options, log)
  const logs = createContainerLogs(`${options.dataDir}/logs`, clock)
  const layout = cgroupLayout()
  const starting = new Set<string>()
  const told = new Set<string>()
  const located = new Map<string, Pick<FoundContainer, 'namespace' | 'labelled'>>()
  const watchers = new Set<AbortController>()
  const inTurn = createQueue()
  const imagesInTurn = createQueue()
  let engine: Engine | undefined

  const need = (): Engine => {
    if (!engine) throw new ContainersError('engine-unavailable', 'containerd was not reached yet; start the driver')
    return engine
  }
  const strange = (id: string, why: string) => {
    if (!told.has(id)) log.warn('left a container alone', { container: id, why })
    told.add(id)
  }
  const find = async () => {
    const found = await findContainers(need().client, options.node, strange)
    located.clear()
    for (const { record, namespace, labelled } of found) located.set(record.id, { namespace, labelled })
    return found
  }
  /** Where a container is and whose; that never changes, so a container that was seen once is not looked for again. */
  const locate = async (id: string) => located.get(id) ?? (await find()).find(({ record }) => record.id === id)

  const connect = async (): Promise<void> => {
    await ensureContainerd(options, powers)
    const works = await engine?.client.call('version.version', {}, { timeoutMs: 2_000 }).catch(() => undefined)
    if (!works || !engine) {
      engine?.client.close()
      engine = await openEngine(options, powers)
    }
    await engine.images.endForgottenLeases()
    const ids = async () => (await find()).map(({ record }) => record.id)
    const swept = await sweepLeftovers(engine, options, starting, ids)
    if (swept > 0) log.info('removed file systems of containers that are gone', { count: swept })
  }

  const observe = async (): Promise<ObservedHost> => {
    const [found, attached, images] = await Promise.all([find(), networks.list(), need().images.list()])
    const containers = found
      .map((container) => observedContainer(container, options, layout, starting.has(container.record.id)))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return { containers, networks: attached, images }
  }

  const listen = async (wake: () => void, signal: AbortSignal): Promise<void> => {
    const filters = ['topic~="^/tasks/"', 'topic~="^/images/"']
    for (let delayMs = resubscribeMs.first; !signal.aborted; delayMs = Math.min(delayMs * 2, resubscribeMs.last)) {
      const settled = new AbortController()
      void sleep(clock, settleMs, AbortSignal.any([signal, settled.signal])).then(() => signal.aborted || wake())
      try {
        if (engine)
          for await (const _ of engine.client.stream('events.subscribe', { filters }, { signal })) {
            delayMs = resubscribeMs.first
            wake()
          }
      } catch (error) {
        if (!signal.aborted) log.debug('lost the events of containerd', { error: String(error) })
      }
      settled.abort()
      await sleep(clock, delayMs, signal)
    }
  }

  return {
    start: () =>
      inTurn(async () => {
        await mkdir(options.runDir, { recursive: true, mode: 0o711 })
        await mkdir(options.dataDir, { recursive: true, mode: 0o711 })
        await during('engine-unavailable', 'reach containerd', connect)
        await during('network-failed', 'free addresses', networks.releaseAbandoned)
      }),
    stop: async () => {
      for (const watcher of watchers) watcher.abort()
      watchers.clear()
      engine?.client.close()
      engine = undefined
    },
    facts: async (): Promise<DriverFacts> => ({
      driver: 'containerd',
      version: `containerd ${need().version}`,
      enforcesLimits: true,
      network: 'bridge',
      cgroup: layout,
      bridge: options.bridge,
      subnet: options.subnet,
    }),
    observe: () => during('engine-unavailable', 'list containers', observe),
    watch: (wake) => {
      const stop = new AbortController()
      watchers.add(stop)
      listen(wake, stop.signal).catch((error: unknown) => log.error('stopped listening', { error: String(error) }))
      return () => {
        stop.abort()
        watchers.delete(stop)
      }
    },
    importImage: (path, { signal } = {}) =>
      imagesInTurn(() =>
        during('bad-image', `import ${path}`, () => need().images.importArchive(path, signal), signal),
      ),
    removeImage: (name) =>
      imagesInTurn(() => during('engine-unavailable', `remove image ${name}`, () => need().images.remove(name))),
    attachNetwork: (spec) => networks.attach(spec),
    detachNetwork: (tenant, instance) => networks.detach(tenant, instance),
    startContainer: (owner, spec) =>
      during('start-failed', `start ${owner.instance}/${owner.container}`, () =>
        startNew({ options, powers, engine: need(), networks, logs, layout, starting }, owner, spec),
      ),
    removeContainer: (id, { shutdownTimeoutMs }) =>
      during('engine-unavailable', `remove ${id}`, async () => {
        const found = await locate(id)
        if (!found) return
        const { stopSignal, owner } = found.labelled
        const removal = { namespace: found.namespace, id, tenant: owner.tenant, stopSignal, shutdownTimeoutMs }
        await removeFound({ options, powers, engine: need() }, removal)
      }),
    exec: (id, request) =>
      during(
        'exec-failed',
        `run ${JSON.stringify(request.args[0] ?? '')} in ${id}`,
        async () => {
          const found = await locate(id)
          if (!found) throw notRunning(id)
          const exec = createTaskExec(need().client, `${options.runDir}/exec`, clock, powers.random)
          return exec(found.namespace, id, request)
        },
        request.signal,
      ),
    readLog: (owner, request) => logs.read(owner, request),
    trimLogs: () =>
      during('disk-full', 'cut logs', async () => {
        await logs.trimAll()
        await logs.dropAbandoned((await find()).map(({ labelled }) => labelled.owner))
      }),
    addressOf: async (instance, tenant, port) => {
      const network = await networks.namespaceOf(tenant, instance)
      const host = typeof network === 'string' ? undefined : network.addresses[0]
      return host === undefined ? undefined : { host, port }
    },
  }
}
