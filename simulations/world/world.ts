import { createHash } from 'node:crypto'
import { createSeededRandom, errorText, type Random } from '../../base/index.ts'
import { createKeyedSignatures, type Signatures } from '../../crdt/index.ts'
import type { NodePowers, SkerryNode } from '../../node/index.ts'
import { nodesOf, type Topology } from '../../topologies/index.ts'
import { blobPath } from './disk.ts'
import { createMachine, type Machine } from './machine.ts'
import { createNetwork, type Network } from './network.ts'
import type { Observer } from './observer.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { createTrace } from './trace.ts'
import { giveTurn } from './turn.ts'

/** Every node of a topology in one process, in virtual time, drawn from one seed. */
export interface World {
  readonly topology: Topology
  readonly network: Network
  readonly random: Random
  /** The scheme all nodes sign by. */
  readonly signatures: Signatures
  /** In the order of the tree, parents first. */
  readonly machines: readonly Machine[]
  /** @throws {RangeError} when there is no such machine */
  machine(name: string): Machine
  /** The node that runs on a machine; undefined while it is down or starting. */
  node(name: string): SkerryNode | undefined
  nowMs(): number
  /** Does `run` at a moment, between the events of the nodes. @param label shown in traces */
  at(atMs: number, label: string, run: () => void): void
  /** Resolves when so much time has passed. @param label shown in traces */
  sleep(ms: number, label: string): Promise<void>
  /** Runs the earliest event and lets its promises settle; false when none is due by `untilMs`, and then time is there. */
  step(untilMs: number): Promise<boolean>
  /** Runs every event until then. @param isOver asked after each; true ends the run early */
  runUntil(untilMs: number, isOver?: () => boolean): Promise<void>
  /** Runs events until the promise has settled, and answers as it does. */
  settled<Value>(promise: Promise<Value>): Promise<Value>
  observe(observer: Observer): void
  /** Events so far. */
  events(): number
  /** One hash over everything that happened: the same seed gives the same. */
  digest(): string
  /** Adds a line to the trace. */
  note(line: string): void
}

/** An image the tower holds when the world begins. */
export interface WorldImage {
  readonly name: string
  /** Stands for the archive: no engine of a world reads it. */
  readonly bytes: Uint8Array
}

export interface WorldOptions {
  readonly seed: number
  readonly topology: Topology
  readonly images: readonly WorldImage[]
  /** What all nodes sign with. @default a keyed hash that is only good for this world */
  readonly signatures?: Signatures
  /** What the wall clocks say when it begins, more or less, in milliseconds since 1970. @default 1 January 2026 */
  readonly startWallMs?: number
  /** Gets each line of the trace. */
  readonly trace?: (line: string) => void
  /** Swaps powers before a node gets them: how a test breaks something on purpose. @default none */
  readonly doctor?: (machine: string, powers: NodePowers) => NodePowers
}

const defaultStartWallMs = 1_767_225_600_000

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const once = async function* (bytes: Uint8Array) {
  yield bytes
}

/** Lays every image at the towers and teaches every engine what its archive holds. */
const layImages = async (machines: readonly Machine[], images: readonly WorldImage[], random: Random) => {
  const views = images.map(({ name, bytes }) => ({
    name,
    digest: sha256(Buffer.from(`manifest of ${name}`)),
    'size-bytes': bytes.length,
    archive: sha256(bytes),
    'runs-as-process': false,
  }))
  for (const { place, disk, host } of machines) {
    if (place.role === 'tower') {
      for (const { bytes } of images) await disk.blobs(random).keep(once(bytes))
      disk.stateFile('images').save(Object.fromEntries(views.map((view) => [view.name, view])))
    }
    for (const { name, digest, archive, 'size-bytes': sizeBytes } of views) {
      const path = blobPath(place.name, archive.slice('sha256:'.length))
      host?.addArchive(path, [{ name, digest, sizeBytes, runsAsProcess: false }])
    }
  }
}

export const createWorld = async (options: WorldOptions): Promise<World> => {
  const { seed, topology } = options
  const random = createSeededRandom(seed)
  const scheduler: Scheduler = createScheduler()
  const trace = createTrace(options.trace)
  const observers: Observer[] = []
  const signatures = options.signatures ?? createKeyedSignatures()
  let events = 0

  const note = (line: string, bytes?: Uint8Array | string) => trace.note(scheduler.nowMs(), line, bytes)
  const network = createNetwork({
    scheduler,
    random: random.fork('network'),
    onFrame: (passing) => {
      const { from, to, frame } = passing
      note(`frame ${from}>${to} ${frame.kind} ${frame.stream} ${frame.payload.byteLength}`, frame.payload)
      for (const { frame: see } of observers) see?.(passing)
    },
  })
  const machines = nodesOf(topology).map((place) =>
    createMachine({
      place,
      signatures,
      topology,
      scheduler,
      network,
      random: random.fork('machines'),
      startWallMs: options.startWallMs ?? defaultStartWallMs,
      doctor: (powers) => options.doctor?.(place.name, powers) ?? powers,
      events: {
        write: (write) => {
          note(`write ${place.name} ${write.name} ${write.bytes.length}`, write.bytes)
          for (const { write: see } of observers) see?.(place.name, write)
        },
        act: (act) => {
          note(`engine ${place.name} ${act.kind} ${describeAct(act)}`)
          for (const { act: see } of observers) see?.(place.name, act)
        },
        log: (line) => {
          note(`log ${place.name} ${line.level} ${line.part}: ${line.message} ${JSON.stringify(line.fields)}`)
          for (const { log } of observers) log?.(place.name, line)
        },
        died: (error) => {
          note(`died ${place.name}: ${errorText(error)}`)
          for (const { died } of observers) died?.(place.name, error)
        },
      },
    }),
  )
  await layImages(machines, options.images, random.fork('images'))
  const byName = new Map(machines.map((one) => [one.place.name as string, one]))
  const machine = (name: string): Machine => {
    const found = byName.get(name)
    if (!found) throw new RangeError(`there is no machine ${name}`)
    return found
  }

  const step = async (untilMs: number): Promise<boolean> => {
    const event = scheduler.take(untilMs)
    if (!event) return false
    events++
    note(event.label)
    event.run()
    await giveTurn()
    for (const { afterEvent } of observers) afterEvent?.()
    return true
  }

  return {
    topology,
    network,
    random,
    signatures,
    machines,
    machine,
    node: (name) => machine(name).node(),
    nowMs: scheduler.nowMs,
    at: (atMs, label, run) => void scheduler.at(atMs, label, run),
    sleep: (ms, label) => new Promise((resolve) => scheduler.at(scheduler.nowMs() + ms, label, resolve)),
    step,
    runUntil: async (untilMs, isOver) => {
      // What was called from outside, like the start of a node, settles before time moves.
      await giveTurn()
      while (!isOver?.() && (await step(untilMs)));
    },
    settled: async (promise) => {
      let isDone = false
      const done = () => {
        isDone = true
      }
      promise.then(done, done)
      await giveTurn()
      while (!isDone) await step(Number.POSITIVE_INFINITY)
      return promise
    },
    observe: (observer) => void observers.push(observer),
    events: () => events,
    digest: trace.digest,
    note,
  }
}

const describeAct = (act: Parameters<NonNullable<Observer['act']>>[1]): string => {
  if (act.kind === 'start')
    return `${act.container.owner.instance}/${act.container.owner.container} as ${act.container.id}`
  return act.kind === 'remove' ? act.id : act.what
}
