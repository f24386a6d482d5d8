import { createHash } from 'node:crypto'
import type { LogLine, Random } from '../../base/index.ts'
import { fromHex, nodeHash, type Signatures, type Signer } from '../../crdt/index.ts'
import { createNode, type NodeConfig, type NodePowers, type SkerryNode } from '../../node/index.ts'
import type { SimulatedHost } from '../../runtime/index.ts'
import { nodesOf, sliceFor, type Topology, type TopologyNode } from '../../topologies/index.ts'
import { createDisk, type Disk, type DiskWrite } from './disk.ts'
import { createEngine, type Engine } from './engine.ts'
import { createIncarnation, type Incarnation } from './incarnation.ts'
import { createMachineClock, type MachineClock, type Standstill } from './machine-clock.ts'
import type { Network, Seat } from './network.ts'
import { type ContainerAct, observeContainers } from './observer.ts'
import type { Scheduler } from './scheduler.ts'
import { simulatedConfig } from './simulated-config.ts'

/** `kill`: the process alone; `power`: the machine, with its containers and what no disk had synced. */
export type CrashKind = 'kill' | 'power'

/** One machine of a world and the node on it. */
export interface Machine {
  readonly place: TopologyNode
  readonly clock: MachineClock
  readonly disk: Disk
  /** Its engine; of an edge alone. */
  readonly host: SimulatedHost | undefined
  /** The same with what can be wrong with it. */
  readonly engine: Engine | undefined
  /** The node, once its `start` has resolved and until it ends; undefined while the machine stands still. */
  node(): SkerryNode | undefined
  isRunning(): boolean
  /** Whether it stands still. */
  isAsleep(): boolean
  /** It does nothing until `wake`: no timer fires, nothing is sent or taken. Its process is there all the time. */
  sleep(how: Standstill): void
  /** Harmless when it does not stand still. */
  wake(): void
  /** What an installer tells it before its first start: the id of its network, and a token to join with. */
  install(told: { readonly networkId: string; readonly token: string }): void
  /** Puts another topology file onto it; the node reads it at its next start. */
  giveTopology(topology: Topology): void
  /** Starts the node's process; a service manager starts it again when it ends by itself. */
  start(): void
  crash(kind: CrashKind): void
  /** Its key, as it lies on its disk; undefined before its first start. */
  signer(): Signer | undefined
}

/** What a machine tells the world that holds it. */
export interface MachineEvents {
  readonly write: (write: DiskWrite) => void
  readonly act: (act: ContainerAct) => void
  readonly log: (line: LogLine) => void
  readonly died: (error: unknown) => void
}

export interface MachineOptions {
  readonly place: TopologyNode
  /** One for all nodes of a world. */
  readonly signatures: Signatures
  readonly topology: Topology
  readonly scheduler: Scheduler
  readonly network: Network
  readonly random: Random
  readonly startWallMs: number
  readonly events: MachineEvents
  /** Swaps powers before the node gets them: how a test breaks something on purpose. */
  readonly doctor: (powers: NodePowers) => NodePowers
}

/** A service manager waits this long before it starts a node again that ended with an error. */
const restartMs = 2_000
/** Each call to an engine takes its time. */
const engineLatencyMs = 20
/** Quartz of cheap boards is up to 100 parts in a million off. */
const largestDrift = 100e-6

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const configOf = (
  { name, role, scope, site, parents }: TopologyNode,
  fellows: readonly string[],
  networkId: string,
): NodeConfig =>
  simulatedConfig({
    name,
    role,
    scope,
    networkId,
    site: role === 'edge' ? (site ?? '') : '',
    dataDir: `/simulated/${name}`,
    runDir: `/simulated/${name}/run`,
    parents,
    fellows,
    meshListen: role === 'edge' ? [] : [name],
    hostId: `host-of-${name}`,
    logLevel: 'info',
  })

/** A clock further off than this is seen to be wrong by whoever keeps it, in milliseconds. */
const believableMs = 60_000

interface Life {
  readonly incarnation: Incarnation
  seat: Seat | undefined
}

export const createMachine = (options: MachineOptions): Machine => {
  const { place, scheduler, network, events } = options
  const random = options.random.fork(place.name)
  const clock = createMachineClock({
    scheduler,
    name: place.name,
    rate: 1 + largestDrift * (2 * random.fork('quartz').unit() - 1),
    startWallMs: options.startWallMs + Math.round(2_000 * random.fork('wall').unit()),
    upMs: Math.round(3_600_000 * random.fork('up').unit()),
  })
  const disk = createDisk({
    machine: place.name,
    random: random.fork('disk'),
    clock,
    onWrite: events.write,
  })
  const engine = place.role === 'edge' ? createEngine({ clock, latencyMs: engineLatencyMs }) : undefined
  const sliceOf = (topology: Topology) => (place.role === 'edge' ? undefined : sliceFor(topology, place.scope))
  let slice = sliceOf(options.topology)
  let told = { networkId: '', token: '' }
  let life: Life | undefined
  let running: SkerryNode | undefined
  let lives = 0
  let isAsleep = false
  let known: { readonly seed: string; readonly signer: Signer } | undefined

  /** Undefined also while the file is damaged: then the key is the one it was. */
  const seedOnDisk = (): string | undefined => {
    try {
      return disk.stateFile<{ readonly seed: string }>('key').load()?.seed
    } catch {
      return undefined
    }
  }
  const isTimeRight = () => Math.abs(clock.wallMs() - options.startWallMs - scheduler.nowMs()) < believableMs
  const engineFor = (incarnation: Incarnation, on: Engine) => {
    const containers = on.connect((inner) => observeContainers(inner, events.act))
    const watch = (wake: () => void) => {
      const unwatch = containers.watch(wake)
      incarnation.onEnd(unwatch)
      return unwatch
    }
    return incarnation.guard('containers', { ...containers, watch })
  }
  const powersFor = (own: Life): NodePowers => {
    const { incarnation } = own
    const chance = random.fork(`life ${lives}`)
    return {
      clock: incarnation.clock(clock),
      random: chance,
      log: incarnation.log(events.log),
      openMesh: ({ peerKey }) => {
        own.seat = network.join({ node: place.name, peer: peerKey }, place.role === 'edge' ? undefined : place.name)
        return incarnation.guard('mesh', own.seat.mesh)
      },
      store: incarnation.guard('store', disk.store()),
      authority: { signatures: options.signatures, hash: nodeHash },
      hash: sha256,
      blobs: incarnation.guard('blobs', disk.blobs(chance.fork('blobs'))),
      stateFile: <Value>(name: string) => incarnation.guard(name, disk.stateFile<Value>(name)),
      ...(engine && {
        containers: engineFor(incarnation, engine),
        probes: incarnation.guard('probes', engine.probes),
      }),
      ...(slice && { topology: slice }),
      hostId: `host-of-${place.name}`,
      joinTokens: () => (told.token === '' ? [] : [told.token]),
      // As at a tower whose kernel says that its clock is synchronised.
      isTimeTrusted: () => place.role === 'tower' && isTimeRight(),
      version: 'simulated',
      pid: lives,
      rssBytes: () => 0,
    }
  }
  const end = (kind: CrashKind) => {
    if (!life) return
    life.seat?.leave(kind === 'kill' ? 'farewell' : 'silence')
    life.incarnation.end()
    disk.crash(kind)
    life = undefined
    running = undefined
  }
  const fellowsOf = (): readonly string[] =>
    place.role !== 'aggregator'
      ? []
      : nodesOf(options.topology).flatMap(({ name, role, scope }) =>
          role === 'aggregator' && scope === place.scope && name !== place.name ? [name] : [],
        )
  const wake = () => {
    if (!isAsleep) return
    isAsleep = false
    clock.wake()
    network.wake(place.name)
  }
  const start = () => {
    if (life) return
    lives++
    const own: Life = { incarnation: createIncarnation(), seat: undefined }
    life = own
    const failed = (error: unknown) => {
      if (life !== own) return
      events.died(error)
      end('kill')
      scheduler.at(scheduler.nowMs() + restartMs, `restart ${place.name}`, start)
    }
    try {
      const node = createNode(configOf(place, fellowsOf(), told.networkId), options.doctor(powersFor(own)))
      node.start().then(() => {
        if (life === own) running = node
      }, failed)
    } catch (error) {
      failed(error)
    }
  }

  return {
    place,
    clock,
    disk,
    host: engine?.host,
    engine,
    node: () => (isAsleep ? undefined : running),
    isRunning: () => life !== undefined,
    isAsleep: () => isAsleep,
    sleep: (how) => {
      if (isAsleep) return
      isAsleep = true
      clock.stop(how)
      network.sleep(place.name)
    },
    wake,
    install: (by) => {
      told = by
    },
    giveTopology: (topology) => {
      slice = sliceOf(topology)
    },
    start,
    crash: (kind) => {
      end(kind)
      wake()
      if (kind === 'kill') return
      engine?.host.powerCut()
      clock.reboot()
    },
    signer: () => {
      const seed = seedOnDisk()
      if (seed !== undefined && seed !== known?.seed) known = { seed, signer: options.signatures.signer(fromHex(seed)) }
      return known?.signer
    },
  }
}
