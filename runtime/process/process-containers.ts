import { mkdir } from 'node:fs/promises'
import { type Clock, type Random, randomHex, sleep, type Timer } from '../../base/index.ts'
import type { ContainerOwner, ContainerSpec, Containers, ObservedContainer } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import { environmentOf, writeMounts } from './process-environment.ts'
import { fileInImage, runBeside } from './process-exec.ts'
import { pathsOf, prepare, tellFullDisk } from './process-files.ts'
import { createProcessImages, type StoredImage } from './process-images.ts'
import { createProcessLogs } from './process-logs.ts'
import { createProcessNetworks, processAddress } from './process-networks.ts'
import { type ContainerRecord, createProcessRecords } from './process-records.ts'
import { createProcessTable, killGroup } from './process-table.ts'
import { type Pids, supervise } from './supervisor.ts'

export interface ProcessContainersOptions {
  /** A directory of this driver alone; made when absent. What lies there survives the node. */
  readonly dataDir: string
  readonly clock: Clock
  readonly random: Random
}

/** Ends of adopted containers are found by looking this often, in milliseconds. */
const lookMs = 500
/** How often an ending process is looked at, and how long after the kill it may take to be gone. */
const endLookMs = 20
const goneWithinMs = 5_000

const needsContainerd = (owner: ContainerOwner, why: string): ContainersError =>
  new ContainersError(
    'needs-containerd',
    `cannot start ${owner.instance}/${owner.container}: this image needs containerd (${why})`,
  )

/** The arguments for Node. An entrypoint of the specification replaces the label's only where it is Node as well. */
const argsOf = (owner: ContainerOwner, spec: ContainerSpec, image: StoredImage): readonly string[] => {
  if (!image.runsAsProcess) throw needsContainerd(owner, `${image.name} has no label skerry/process`)
  const [program, ...rest] = spec.entrypoint ?? ['node', ...image.args]
  if (program !== 'node') throw needsContainerd(owner, `its entrypoint is ${program}`)
  return [...rest, ...(spec.cmd ?? [])]
}

const sameOwner = (a: ContainerOwner, b: ContainerOwner): boolean =>
  a.tenant === b.tenant && a.instance === b.instance && a.container === b.container

/**
 * The driver for a machine without containerd: containers are ordinary processes of the node's own user that run Node
 * on files of an image labelled `skerry/process` (a JSON list of arguments, paths relative to the image's root, which
 * is also the working directory). They share the host's network, files and user: limits, users and working directories
 * of a specification are not enforced, and `facts` says so. The specification's `cmd` is appended to the arguments.
 * The environment is described at `environmentOf`. A program that itself exits with a code over 128 counts as killed.
 */
export const createProcessContainers = ({ dataDir, clock, random }: ProcessContainersOptions): Containers => {
  const paths = pathsOf(dataDir)
  const table = createProcessTable()
  const images = createProcessImages(paths, random)
  const networks = createProcessNetworks(paths)
  const records = createProcessRecords(paths, table, clock)
  const logs = createProcessLogs(paths.logs, clock)
  const watchers = new Set<() => void>()
  const starting = new Set<string>()
  let lookTimer: Timer | undefined
  let known = new Map<string, Pids>()

  const wakeAll = () => {
    for (const wake of [...watchers]) wake()
  }

  const isGone = ({ supervisor }: Pids): boolean => {
    try {
      process.kill(supervisor, 0)
      return false
    } catch {
      return true
    }
  }

  /** Cheap on purpose: asks only whether ids still exist. The list that follows finds out the rest. */
  const look = () => {
    const gone = [...known].filter(([, pids]) => isGone(pids))
    for (const [id] of gone) known.delete(id)
    if (gone.length > 0) wakeAll()
    lookTimer = clock.setTimer(lookMs, look)
  }

  const observeContainers = async (): Promise<readonly ObservedContainer[]> => {
    const all = await records.all()
    const seen = await Promise.all(all.map(records.observe))
    const running = seen.filter(({ state }) => state === 'running')
    const pids = await Promise.all(running.map(async ({ id }) => [id, await records.pidsOf(id)] as const))
    known = new Map(pids.flatMap(([id, one]) => (one ? [[id, one] as const] : [])))
    return seen
  }

  const startNow = async (owner: ContainerOwner, spec: ContainerSpec): Promise<ObservedContainer> => {
    const what = `cannot start ${owner.instance}/${owner.container}`
    const image = await images.find(spec.image)
    if (!image) throw new ContainersError('image-missing', `${what}: the image ${spec.image} is not on this host`)
    const args = argsOf(owner, spec, image)
    const network = await networks.find(owner.tenant, owner.instance)
    if (!network) throw new ContainersError('start-failed', `${what}: its instance has no network`)
    if ((await records.all()).some((record) => sameOwner(record.owner, owner)))
      throw new ContainersError('start-failed', `${what}: one with the same owner exists; remove it first`)
    const root = images.rootOf(image.digest)
    const [script = ''] = args
    if (!script.startsWith('-') && !fileInImage(root, script))
      throw new ContainersError('start-failed', `${what}: ${script} is not a file of ${image.name}`)

    const token = `skerry-${randomHex(random, 16)}`
    const id = `${owner.container}-${randomHex(random, 6)}`
    const directory = records.directoryOf(id)
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const files = await writeMounts(spec.mounts, directory)
      const env = environmentOf({ image: image.env, spec, ports: network.ports, files, token })
      const record: ContainerRecord = {
        id,
        owner,
        imageDigest: image.digest,
        token,
        startedAtMs: clock.wallMs(),
        logSizeBytes: spec.logSizeBytes,
        env,
      }
      await records.write(record)
      const logPath = await logs.pathFor(owner)
      // An export condition nobody uses: it shows the token where only command lines can be seen (macOS).
      const command = [process.execPath, `--conditions=${token}`, ...args]
      known.set(id, await supervise({ token, directory, logPath, command, cwd: root, env, onEnd: wakeAll }))
      return await records.observe(record)
    } catch (error) {
      await records.remove(id)
      throw error
    }
  }

  const startContainer: Containers['startContainer'] = async (owner, spec) => {
    const key = `${owner.tenant}/${owner.instance}/${owner.container}`
    if (starting.has(key)) throw new ContainersError('start-failed', `cannot start ${key}: it is being started already`)
    starting.add(key)
    try {
      return await tellFullDisk(`start ${key}`, () => startNow(owner, spec))
    } finally {
      starting.delete(key)
    }
  }

  const until = async (withinMs: number, holds: () => Promise<boolean>): Promise<boolean> => {
    const endMs = clock.monotonicMs() + withinMs
    while (!(await holds())) {
      if (clock.monotonicMs() >= endMs) return false
      await sleep(clock, endLookMs)
    }
    return true
  }

  const endProcesses = async ({ id, token }: ContainerRecord, pids: Pids, shutdownTimeoutMs: number) => {
    const hasEnded = async () => (await records.hasEnded(id)) || !(await table.carries(pids.supervisor, token))
    if (!(await hasEnded())) {
      try {
        process.kill(pids.program, 'SIGTERM')
      } catch {
        // Ended meanwhile.
      }
      await until(shutdownTimeoutMs, hasEnded)
    }
    const isQuiet = async () => !(await killGroup(table, pids.supervisor, token))
    if (!(await until(goneWithinMs, isQuiet)))
      throw new ContainersError('timeout', `cannot remove ${id}: its processes outlived the kill; try again`)
  }

  return {
    start: async () => {
      await tellFullDisk('prepare the data directory', () => prepare(paths))
      lookTimer?.cancel()
      lookTimer = clock.setTimer(lookMs, look)
    },
    stop: async () => {
      lookTimer?.cancel()
      watchers.clear()
    },
    facts: async () => ({
      driver: 'process',
      version: `node ${process.version}`,
      enforcesLimits: false,
      network: 'host',
      cgroup: 'none',
    }),
    observe: async () => ({
      containers: await observeContainers(),
      networks: await networks.list(),
      images: await images.list(),
    }),
    watch: (wake) => {
      watchers.add(wake)
      return () => void watchers.delete(wake)
    },
    importImage: (path, options) => tellFullDisk(`import ${path}`, () => images.importArchive(path, options?.signal)),
    removeImage: (name) => images.remove(name),
    attachNetwork: (spec) => tellFullDisk(`attach ${spec.instance}`, () => networks.attach(spec)),
    detachNetwork: (tenant, instance) => networks.detach(tenant, instance),
    startContainer,
    removeContainer: async (id, { shutdownTimeoutMs }) => {
      const record = await records.read(id)
      const pids = await records.pidsOf(id)
      if (record && pids) await endProcesses(record, pids, shutdownTimeoutMs)
      known.delete(id)
      await records.remove(id)
    },
    exec: async (id, options) => {
      const record = await records.read(id)
      const seen = record && (await records.observe(record))
      if (!record || seen?.state !== 'running')
        throw new ContainersError('not-running', `cannot run ${options.args.join(' ')} in ${id}: it does not run`)
      return runBeside({ ...options, root: images.rootOf(record.imageDigest), env: record.env, clock })
    },
    readLog: (owner, options) => logs.read(owner, options),
    trimLogs: async () => {
      for (const { owner, logSizeBytes } of await records.all()) await logs.trim(owner, logSizeBytes)
    },
    addressOf: async (instance, tenant, port) => {
      const network = await networks.find(tenant, instance)
      if (!network) return undefined
      const mapped = network.ports.find(({ containerPort }) => containerPort === port)
      return { host: processAddress, port: mapped?.hostPort ?? port }
    },
  }
}
