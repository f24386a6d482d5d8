import type { ExecutionContext } from 'ava'
import type { Clock } from '../base/index.ts'
import type { ContainerOwner, ContainerSpec, Containers, NetworkSpec, ObservedContainer } from './containers.ts'

/** One machine a driver is tried on, and what its images can do. */
export interface ContractHost {
  /** A new driver over the same disk and engine, not started: what a restarted node would make. */
  open(): Containers
  /** A good archive with one image. */
  readonly archive: { readonly path: string; readonly image: string }
  /** A file that is no image archive. */
  readonly badArchivePath: string
  /** What to put into a specification to get a program that … */
  readonly programs: {
    /** runs until it is ended; ends within a second of the polite signal or the kill */
    readonly forever: Partial<ContainerSpec>
    /** ends at once with this code */
    readonly exit: (code: number) => Partial<ContainerSpec>
    /** writes the text and a line end, then runs on */
    readonly say: (text: string) => Partial<ContainerSpec>
  }
  /** Commands for `exec` that print `hello`, end with code 3, never end. */
  readonly commands: {
    readonly hello: readonly string[]
    readonly exit3: readonly string[]
    readonly hang: readonly string[]
  }
  /** Host ports free for the suite, both ends included; at least two. */
  readonly portRange: readonly [number, number]
  /** Kills the container's process from outside, like `kill -9`. */
  kill(container: ObservedContainer): Promise<void> | void
  /** Removes everything; called once at the end of each test, after all drivers were stopped. */
  close(): Promise<void>
}

/** A clock of this process, for drivers under test. */
export const processClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  bootNowMs: () => performance.now(),
  setTimer: (delayMs, fire) => {
    const timer = setTimeout(fire, Math.max(0, delayMs))
    return { cancel: () => clearTimeout(timer) }
  },
}

/** Waits for a state; fails the test when it does not come within `withinMs`. @default 15 s */
export const eventually = async <T>(
  t: ExecutionContext,
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = 15_000,
): Promise<T> => {
  const endMs = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > endMs) {
      t.fail(`never within ${withinMs} ms: ${what}`)
      throw new Error(what)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** One test's own part of a machine. */
export interface Stage {
  readonly t: ExecutionContext
  readonly host: ContractHost
  readonly containers: Containers
  /** A name no other test uses, so that hosts may be shared. */
  readonly instance: string
  readonly other: string
  open(): Promise<Containers>
  owner(part?: Partial<ContainerOwner>): ContainerOwner
  spec(program: Partial<ContainerSpec>): ContainerSpec
  network(part?: Partial<NetworkSpec>): NetworkSpec
  /** Attaches the network when needed and starts. */
  start(program: Partial<ContainerSpec>, part?: Partial<ContainerOwner>): Promise<ObservedContainer>
  find(id: string, from?: Containers): Promise<ObservedContainer | undefined>
}

export const tenant = 'contract'
let made = 0

export const createStage = async (t: ExecutionContext, setup: () => Promise<ContractHost>): Promise<Stage> => {
  const host = await setup()
  const opened: Containers[] = []
  made += 1
  const [instance, other] = [`c${made}.svc-1`, `c${made}.svc-2`]
  const open = async () => {
    const containers = host.open()
    opened.push(containers)
    await containers.start()
    return containers
  }
  t.teardown(async () => {
    const last = opened.at(-1)
    const left = (await last?.observe().catch(() => undefined)) ?? { containers: [] }
    for (const { id, owner } of left.containers)
      if (owner.application === instance.split('.')[0]) await last?.removeContainer(id, { shutdownTimeoutMs: 100 })
    for (const one of [instance, other]) await last?.detachNetwork(tenant, one).catch(() => {})
    for (const one of opened) await one.stop()
    await host.close()
  })
  const containers = await open()
  const owner = (part: Partial<ContainerOwner> = {}): ContainerOwner => ({
    tenant,
    application: instance.split('.')[0]!,
    service: 'svc',
    instance,
    container: 'main',
    version: '1.0',
    revision: 'sha256:revision',
    specHash: 'sha256:spec',
    ...part,
  })
  const spec = (program: Partial<ContainerSpec>): ContainerSpec => ({
    image: host.archive.image,
    env: {},
    mounts: [],
    shutdownTimeoutMs: 2_000,
    logSizeBytes: 65_536,
    ...program,
  })
  const network = (part: Partial<NetworkSpec> = {}): NetworkSpec => ({
    instance,
    tenant,
    networkHash: 'sha256:network',
    ports: [],
    ...part,
  })
  return {
    t,
    host,
    containers,
    instance,
    other,
    open,
    owner,
    spec,
    network,
    start: async (program, part = {}) => {
      const who = owner(part)
      await containers.attachNetwork(network({ instance: who.instance }))
      return containers.startContainer(who, spec(program))
    },
    find: async (id, from = containers) => (await from.observe()).containers.find((one) => one.id === id),
  }
}
