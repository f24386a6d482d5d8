import type { Clock } from '../../base/index.ts'
import { sleep } from '../../base/index.ts'
import type { ContainerOwner, ContainerSpec, Containers, NetworkSpec, ObservedContainer } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import {
  answer,
  createHostWith,
  endContainer,
  logOf,
  note,
  type SimulatedHost,
  type World,
  wakeAll,
} from './simulated-host.ts'

/** The words a simulated program is made of; anything else runs for ever. `then` joins: `say hi then exit 3`. */
const runProgram = (world: World, owner: ContainerOwner, id: string, spec: ContainerSpec): void => {
  for (const part of (spec.cmd ?? []).join(' ').split(' then ')) {
    const [word, ...rest] = part.split(' ')
    if (word === 'say') logOf(world, owner).append(new TextEncoder().encode(`${rest.join(' ')}\n`))
    if (word === 'exit' && world.containers.get(id)?.seen.state === 'running')
      endContainer(world, id, Number(rest[0]), 'exited')
    if (word === 'exit-after')
      world.clock.setTimer(Number(rest[0]), () => {
        if (world.containers.get(id)?.seen.state === 'running') endContainer(world, id, Number(rest[1]), 'exited')
      })
  }
}

const sameOwner = (a: ContainerOwner, b: ContainerOwner): boolean =>
  a.tenant === b.tenant && a.instance === b.instance && a.container === b.container

const networkKey = (tenant: string, instance: string): string => `${tenant}/${instance}`

const startContainer = (world: World, owner: ContainerOwner, spec: ContainerSpec): ObservedContainer => {
  const what = `cannot start ${owner.instance}/${owner.container}`
  const image = world.images.get(spec.image)
  if (!image) throw new ContainersError('image-missing', `${what}: there is no image ${spec.image}`)
  if ([...world.containers.values()].some(({ seen }) => sameOwner(seen.owner, owner)))
    throw new ContainersError('start-failed', `${what}: one with the same owner exists`)
  if (world.networks.get(networkKey(owner.tenant, owner.instance))?.state !== 'attached')
    throw new ContainersError('start-failed', `${what}: its network is not attached`)
  const failure = world.startFailure?.(owner, spec)
  if (failure) throw new ContainersError(failure, `${what}: the simulated engine says ${failure}`)
  world.made += 1
  const id = `sim-${world.made}`
  const seen: ObservedContainer = {
    id,
    owner,
    state: 'running',
    imageDigest: image.digest,
    pid: 1_000 + world.made,
    startedAtMs: world.clock.wallMs(),
  }
  world.containers.set(id, { seen, spec })
  note(world, `start ${owner.instance}/${owner.container}`)
  runProgram(world, owner, id, spec)
  wakeAll(world)
  return seen
}

/** The first address that no network has: one that went leaves a gap. */
const freeAddress = ({ networks }: World): string => {
  const taken = new Set([...networks.values()].flatMap(({ addresses }) => addresses))
  for (let last = 2; ; last++) if (!taken.has(`10.0.0.${last}`)) return `10.0.0.${last}`
}

const attachNetwork = (world: World, spec: NetworkSpec) => {
  const key = networkKey(spec.tenant, spec.instance)
  const before = world.networks.get(key)
  if (before?.state === 'attached' && before.networkHash === spec.networkHash) return before
  for (const { hostPort } of spec.ports) {
    const holder = [...world.networks].find(
      ([other, { ports }]) => other !== key && ports.some((one) => one.hostPort === hostPort),
    )
    if (holder || world.foreignPorts.has(hostPort))
      throw new ContainersError('port-taken', `cannot attach ${spec.instance}: host port ${hostPort} is in use`, {
        details: { hostPort },
      })
  }
  const network = {
    ...spec,
    state: 'attached' as const,
    addresses: before?.addresses ?? [freeAddress(world)],
  }
  world.networks.set(key, network)
  note(world, `attach ${spec.instance}`)
  return network
}

const exec = async (world: World, id: string, options: Parameters<Containers['exec']>[1]) => {
  const held = world.containers.get(id)
  if (held?.seen.state !== 'running') throw new ContainersError('not-running', `cannot exec in ${id}: it does not run`)
  const [word, ...rest] = options.args
  if (word === 'sleep') {
    await sleep(world.clock, options.timeoutMs, options.signal)
    throw new ContainersError('timeout', `exec in ${id} did not end within ${options.timeoutMs} ms`)
  }
  if (word !== 'echo' && word !== 'exit')
    throw new ContainersError('exec-failed', `cannot exec in ${id}: there is no program ${word}`)
  const stdout = new TextEncoder().encode(word === 'echo' ? `${rest.join(' ')}\n` : '')
  return {
    exitCode: word === 'exit' ? Number(rest[0]) : 0,
    stdout: stdout.slice(0, options.maxOutputBytes),
    stderr: new Uint8Array(),
    truncated: stdout.length > options.maxOutputBytes,
  }
}

const importImage = (world: World, path: string) => {
  const images = world.archives.get(path)
  if (!images) throw new ContainersError('bad-image', `cannot import ${path}: it is no image archive`)
  if (world.diskFull) throw new ContainersError('disk-full', `cannot import ${path}: no space left`)
  for (const image of images) world.images.set(image.name, image)
  note(world, `import ${images.map(({ name }) => name).join(' ')}`)
  return images
}

/** The driver of a simulated machine: no time passes in a call unless the machine has a latency. */
export const createSimulatedContainers = (world: World): Containers => {
  const mine = new Set<() => void>()
  return {
    start: () => answer(world, 'start'),
    stop: async () => {
      for (const wake of mine) world.watchers.delete(wake)
    },
    facts: async () => world.facts,
    observe: async () => {
      await answer(world, 'list')
      return {
        containers: [...world.containers.values()].map(({ seen }) => seen),
        networks: [...world.networks.values()],
        images: [...world.images.values()],
      }
    },
    watch: (wake) => {
      mine.add(wake)
      world.watchers.add(wake)
      return () => void world.watchers.delete(wake)
    },
    importImage: async (path) => {
      await answer(world, `import ${path}`)
      return importImage(world, path)
    },
    removeImage: async (name) => {
      await answer(world, `remove image ${name}`)
      world.images.delete(name)
    },
    attachNetwork: async (spec) => {
      await answer(world, `attach ${spec.instance}`)
      return attachNetwork(world, spec)
    },
    detachNetwork: async (tenant, instance) => {
      await answer(world, `detach ${instance}`)
      if (world.networks.delete(networkKey(tenant, instance))) note(world, `detach ${instance}`)
    },
    startContainer: async (owner, spec) => {
      await answer(world, `start ${owner.instance}/${owner.container}`)
      return startContainer(world, owner, spec)
    },
    removeContainer: async (id) => {
      await answer(world, `remove ${id}`)
      const held = world.containers.get(id)
      if (!held) return
      world.containers.delete(id)
      note(world, `remove ${held.seen.owner.instance}/${held.seen.owner.container}`)
      wakeAll(world)
    },
    exec: async (id, options) => {
      await answer(world, `exec in ${id}`)
      return exec(world, id, options)
    },
    readLog: (owner, options) => logOf(world, owner).read(options),
    trimLogs: async () => {
      for (const { seen, spec } of world.containers.values()) logOf(world, seen.owner).trim(spec.logSizeBytes)
    },
    addressOf: async (instance, tenant, port) => {
      const host = world.networks.get(networkKey(tenant, instance))?.addresses[0]
      return host === undefined ? undefined : { host, port }
    },
  }
}

/** A fresh simulated machine. */
export const createSimulatedHost = (options: { readonly clock: Clock }): SimulatedHost =>
  createHostWith(options.clock, createSimulatedContainers)
