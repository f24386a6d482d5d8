import { type Clock, SkerryError, sleep } from '../../base/index.ts'
import { type Containers, createSimulatedHost, type ProbeRunner, type SimulatedHost } from '../../runtime/index.ts'

/** How an engine takes images in. */
export type Imports =
  | { readonly kind: 'well' }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'failing'; readonly code: 'bad-image' | 'disk-full' | 'engine-unavailable' }

/** The container engine of one machine, with what may be wrong with it. It outlives the node's processes. */
export interface Engine {
  readonly host: SimulatedHost
  /** What one process of the node gets. @param see puts observers around what is really done */
  connect(see: (containers: Containers) => Containers): Containers
  setImports(imports: Imports): void
  /** How long after it was asked a list comes, as it was when it was asked; what was done meanwhile is not in it. */
  setListDelay(delayMs: number): void
  /** `lost`: it does what it is told, and then fails to say so. */
  setAnswers(answers: 'given' | 'lost'): void
  /** What HTTP and TCP probes find: a container listens on the port that its environment names in `PORT`. */
  readonly probes: ProbeRunner
  /** A container that runs and lets nobody connect. Returns how to end that. */
  refuse(id: string): () => void
  /** Whether a container listens to be asked. */
  isAsked(id: string): boolean
  /** Whether a container hangs or refuses, or did when a probe last asked it: that is answered later. */
  isIll(id: string): boolean
  /** A container that runs and answers nothing: what is asked of it ends when its time is over. Returns how to end that. */
  hang(id: string): () => void
}

export const createEngine = ({ clock, latencyMs }: { readonly clock: Clock; readonly latencyMs: number }): Engine => {
  const host = createSimulatedHost({ clock })
  host.setLatency(latencyMs)
  const hanging = new Set<string>()
  const refusing = new Set<string>()
  /** Those that gave no good answer when they were last asked. */
  const failed = new Set<string>()
  /** Instance by address; who goes gives no answers any more, whatever is kept here. */
  const instances = new Map<string, string>()
  /** Port by id of the container. */
  const ports = new Map<string, number>()
  let imports: Imports = { kind: 'well' }
  let listDelayMs = 0
  let isMute = false

  const answered = async <Value>(operation: string, act: Promise<Value>): Promise<Value> => {
    const value = await act
    if (isMute) throw new SkerryError('engine-unavailable', `cannot ${operation}: the simulated engine gave no answer`)
    return value
  }
  const takeIn = async () => {
    if (imports.kind === 'slow') await sleep(clock, imports.delayMs)
    if (imports.kind === 'failing')
      throw new SkerryError(imports.code, `cannot import: the simulated engine says ${imports.code}`)
  }
  const list = async (inner: Containers) => {
    const found = await inner.observe()
    if (listDelayMs > 0) await sleep(clock, listDelayMs)
    return found
  }

  const listener = ({ host: address, port }: { readonly host: string; readonly port: number }) => {
    const instance = instances.get(address)
    const found = host
      .containers()
      .find(({ id, state, owner }) => state === 'running' && owner.instance === instance && ports.get(id) === port)
    if (found === undefined || !refusing.has(found.id)) return found
    failed.add(found.id)
    return undefined
  }
  const refused = ({ host: address, port }: { readonly host: string; readonly port: number }) => ({
    ok: false,
    detail: `connect ECONNREFUSED ${address}:${port}`,
  })
  const probes: ProbeRunner = {
    http: async (ask) => {
      const found = listener(ask)
      if (found === undefined) return refused(ask)
      if (!hanging.has(found.id)) {
        failed.delete(found.id)
        return { ok: true, detail: 'status 200' }
      }
      failed.add(found.id)
      await sleep(clock, ask.timeoutMs)
      return { ok: false, detail: `no answer within ${ask.timeoutMs} ms` }
    },
    // Who hangs is connected to by its kernel.
    tcp: async (ask) => {
      const found = listener(ask)
      if (found === undefined) return refused(ask)
      failed.delete(found.id)
      return { ok: true, detail: 'connected' }
    },
  }
  const noteAddress = async (attached: ReturnType<Containers['attachNetwork']>) => {
    const network = await attached
    for (const address of network.addresses) instances.set(address, network.instance)
    return network
  }
  const notePort = async (
    started: ReturnType<Containers['startContainer']>,
    { PORT: port }: Readonly<Record<string, string>>,
  ) => {
    const container = await started
    if (port !== undefined) ports.set(container.id, Number(port))
    return container
  }

  return {
    host,
    probes,
    isAsked: (id) => (ports.get(id) ?? 0) > 0,
    isIll: (id) => hanging.has(id) || refusing.has(id) || failed.has(id),
    refuse: (id) => {
      refusing.add(id)
      return () => void refusing.delete(id)
    },
    connect: (see) => {
      const inner = see(host.connect())
      return {
        ...inner,
        observe: () => list(inner),
        importImage: async (path, options) => {
          await takeIn()
          return answered('import', inner.importImage(path, options))
        },
        removeImage: (name) => answered('remove an image', inner.removeImage(name)),
        attachNetwork: (spec) => answered('attach a network', noteAddress(inner.attachNetwork(spec))),
        detachNetwork: (tenant, instance) => answered('detach a network', inner.detachNetwork(tenant, instance)),
        startContainer: (owner, spec) =>
          answered('start a container', notePort(inner.startContainer(owner, spec), spec.env)),
        removeContainer: (id, options) => answered('remove a container', inner.removeContainer(id, options)),
        exec: async (id, options) => {
          if (!hanging.has(id)) return inner.exec(id, options)
          await sleep(clock, options.timeoutMs, options.signal)
          throw new SkerryError('timeout', `exec in ${id} did not end within ${options.timeoutMs} ms`)
        },
      }
    },
    setImports: (how) => {
      imports = how
    },
    setListDelay: (delayMs) => {
      listDelayMs = delayMs
    },
    setAnswers: (answers) => {
      isMute = answers === 'lost'
    },
    hang: (id) => {
      hanging.add(id)
      return () => void hanging.delete(id)
    },
  }
}
