import type { Clock } from '../../base/index.ts'
import { sleep } from '../../base/index.ts'
import type {
  ContainerOwner,
  ContainerSpec,
  Containers,
  ContainersErrorCode,
  DriverFacts,
  ExitReason,
  ObservedContainer,
  ObservedImage,
  ObservedNetwork,
} from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import { type KeptLog, keepLog } from './simulated-log.ts'

export interface SimulatedContainer {
  seen: ObservedContainer
  readonly spec: ContainerSpec
}

/** Everything that survives an adapter: disk, engine and processes of one machine. Only this folder writes it. */
export interface World {
  readonly clock: Clock
  readonly images: Map<string, ObservedImage>
  readonly archives: Map<string, readonly ObservedImage[]>
  readonly containers: Map<string, SimulatedContainer>
  readonly networks: Map<string, ObservedNetwork>
  readonly logs: Map<string, KeptLog>
  readonly foreignPorts: Set<number>
  readonly watchers: Set<() => void>
  /** Every call that changed something, oldest first, like `start web.shop-1/web`. Bounded. */
  readonly calls: string[]
  engineUp: boolean
  eventsFlow: boolean
  diskFull: boolean
  latencyMs: number
  made: number
  startFailure: ((owner: ContainerOwner, spec: ContainerSpec) => ContainersErrorCode | undefined) | undefined
  readonly facts: DriverFacts
}

/** A machine made of data, with the faults a test wants. */
export interface SimulatedHost {
  /** A driver of this machine; a second one is what a restarted node would make. */
  connect(): Containers
  /** Makes `importImage(path)` give these images; a path nobody added is no archive. */
  addArchive(path: string, images: readonly ObservedImage[]): void
  /** Ends a running container from outside. @throws {Error} when it does not run. */
  end(id: string, exitCode: number, reason: ExitReason): void
  /** Decides which starts fail, and as what; absent: none. */
  failStarts(failure?: World['startFailure']): void
  setEngine(state: 'up' | 'down'): void
  setEvents(state: 'flow' | 'lost'): void
  setDisk(state: 'full' | 'free'): void
  /** Pause before each call does its work, in milliseconds on the clock. @default 0 */
  setLatency(latencyMs: number): void
  /** Somebody else listens on this port of the host, or stops to. */
  setForeignPort(port: number, state: 'taken' | 'free'): void
  /** All processes are gone, all networks lost; disk stays. */
  powerCut(): void
  /** Another machine takes its place: nothing runs there, no image is held, nothing was said. */
  wipe(): void
  /** What changed, oldest first. */
  readonly calls: readonly string[]
  readonly containers: () => readonly ObservedContainer[]
}

const maxCalls = 10_000

export const note = (world: World, call: string): void => {
  world.calls.push(call)
  if (world.calls.length > maxCalls) world.calls.shift()
}

/** Lets watchers know, later and once, as an engine would. */
export const wakeAll = (world: World): void => {
  if (!world.eventsFlow) return
  for (const wake of world.watchers) void Promise.resolve().then(wake)
}

/** What each call begins with: its time, then whether the engine is there at all. */
export const answer = async (world: World, operation: string): Promise<void> => {
  if (world.latencyMs > 0) await sleep(world.clock, world.latencyMs)
  if (!world.engineUp)
    throw new ContainersError('engine-unavailable', `cannot ${operation}: the simulated engine does not answer`)
}

export const logKey = (owner: Pick<ContainerOwner, 'tenant' | 'instance' | 'container'>): string =>
  `${owner.tenant}/${owner.instance}/${owner.container}`

export const logOf = (world: World, owner: Pick<ContainerOwner, 'tenant' | 'instance' | 'container'>): KeptLog => {
  const known = world.logs.get(logKey(owner))
  if (known) return known
  const made = keepLog()
  world.logs.set(logKey(owner), made)
  return made
}

export const endContainer = (world: World, id: string, exitCode: number, exitReason: ExitReason): void => {
  const held = world.containers.get(id)
  if (held?.seen.state !== 'running') throw new Error(`simulated container ${id} does not run`)
  held.seen = { ...held.seen, state: 'exited', pid: 0, exitCode, exitReason, exitedAtMs: world.clock.wallMs() }
  wakeAll(world)
}

const loseEverything = (world: World): void => {
  for (const held of world.containers.values())
    if (held.seen.state === 'running') held.seen = { ...held.seen, state: 'exited', pid: 0 }
  for (const [key, network] of world.networks) world.networks.set(key, { ...network, state: 'lost' })
}

const createWorld = (clock: Clock): World => ({
  clock,
  images: new Map(),
  archives: new Map(),
  containers: new Map(),
  networks: new Map(),
  logs: new Map(),
  foreignPorts: new Set(),
  watchers: new Set(),
  calls: [],
  engineUp: true,
  eventsFlow: true,
  diskFull: false,
  latencyMs: 0,
  made: 0,
  startFailure: undefined,
  facts: { driver: 'simulated', version: 'simulated 1', enforcesLimits: false, network: 'bridge', cgroup: 'none' },
})

/** @param connect how to make a driver of a world; `createSimulatedContainers` in production of simulations */
export const createHostWith = (clock: Clock, connect: (world: World) => Containers): SimulatedHost => {
  const world = createWorld(clock)
  return {
    connect: () => connect(world),
    addArchive: (path, images) => void world.archives.set(path, images),
    end: (id, code, reason) => endContainer(world, id, code, reason),
    failStarts: (failure) => {
      world.startFailure = failure
    },
    setEngine: (state) => {
      world.engineUp = state === 'up'
    },
    setEvents: (state) => {
      world.eventsFlow = state === 'flow'
    },
    setDisk: (state) => {
      world.diskFull = state === 'full'
    },
    setLatency: (latencyMs) => {
      world.latencyMs = latencyMs
    },
    setForeignPort: (port, state) => {
      if (state === 'taken') world.foreignPorts.add(port)
      else world.foreignPorts.delete(port)
    },
    powerCut: () => loseEverything(world),
    wipe: () => {
      for (const held of [world.containers, world.networks, world.images, world.logs]) held.clear()
      wakeAll(world)
    },
    calls: world.calls,
    containers: () => [...world.containers.values()].map(({ seen }) => seen),
  }
}
