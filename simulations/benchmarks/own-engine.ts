import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { SkerryError, silentLog } from '../../base/index.ts'
import { systemClock, systemRandom } from '../../node/powers/index.ts'
import { desiredForHost, parseApplication } from '../../node/services/deployments/index.ts'
import {
  type ContainerdOptions,
  createContainerdContainers,
  destroyContainerd,
} from '../../runtime/containerd/index.ts'
import {
  type Containers,
  createNetProbes,
  createReconciler,
  type ObservedImage,
  type ObservedNetwork,
} from '../../runtime/index.ts'
import { imageName, pause, shopArchive } from '../demo/index.ts'

const powers = { clock: systemClock, random: systemRandom, log: silentLog }
const doneTimeoutMs = 60_000
const host = 'bench'
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A containerd of our own with the image in it, that nothing else uses. */
export interface OwnEngine {
  readonly options: ContainerdOptions
  readonly socket: string
  readonly archive: string
  readonly image: ObservedImage
  /** The driver, connected. */
  readonly containers: Containers
  /** @returns what could not be removed */
  remove(): Promise<readonly string[]>
}

/** A /24 of a private range that no device of this machine uses. */
const freeSubnet = (): string => {
  const used = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))
  for (let third = 1; third < 255; third++)
    if (!used.some((address) => address.startsWith(`10.215.${third}.`))) return `10.215.${third}.0/24`
  throw new SkerryError('no-free-subnet', 'no free subnet in 10.215.0.0/16 to measure in')
}

/** @param dir persistent, on the disk the product would use */
export const openOwnEngine = async (dir: string): Promise<OwnEngine> => {
  mkdirSync(dir, { recursive: true })
  const runDir = mkdtempSync(join(tmpdir(), 'skb-'))
  const options: ContainerdOptions = {
    engine: { kind: 'child', root: join(dir, 'containerd'), state: join(runDir, 'containerd') },
    node: `bench-${process.pid}`,
    dataDir: join(dir, 'containers'),
    runDir: join(runDir, 'containers'),
    bridge: `skb${process.pid}`,
    subnet: freeSubnet(),
    hostAddress: '127.0.0.1',
  }
  const containers = createContainerdContainers(options, powers)
  const remove = async () => {
    await containers.stop()
    const remains = await destroyContainerd(options, powers)
    for (const folder of [dir, runDir]) rmSync(folder, { recursive: true, force: true })
    return remains
  }
  try {
    await containers.start()
    const archive = join(dir, 'image.tar')
    writeFileSync(archive, await shopArchive())
    const [image] = await containers.importImage(archive)
    if (!image) throw new SkerryError('bad-image', 'the archive of the benchmark holds no image')
    return { options, socket: join(runDir, 'containerd', 'containerd.sock'), archive, image, containers, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/**
 * The same driver with networks left out: the reconciler believes each instance has one, and each container gets an
 * empty network namespace of its own, as from `ctr run`. The product has no such mode; all else is what it runs.
 */
export const withoutNetworks = (containers: Containers): Containers => {
  const networks = new Map<string, ObservedNetwork>()
  return {
    ...containers,
    observe: async () => ({ ...(await containers.observe()), networks: [...networks.values()] }),
    attachNetwork: async (spec) => {
      const attached: ObservedNetwork = { ...spec, state: 'attached', addresses: [] }
      networks.set(spec.instance, attached)
      return attached
    },
    detachNetwork: async (_, instance) => void networks.delete(instance),
  }
}

const specification = (replicas: number) => ({
  name: 'bench',
  version: '1',
  services: [
    {
      name: 'sleeper',
      mode: 'replicated',
      replicas,
      containers: [
        { name: 'sleeper', image: imageName, entrypoint: ['/bin/sleep', '100000'], 'shutdown-timeout': '0s' },
      ],
    },
  ],
})

const desiredFor = (replicas: number, image: ObservedImage) =>
  desiredForHost({
    intended: {
      tenant: 'default',
      application: 'bench',
      version: '1',
      revision: 'sha256:bench',
      deployment: 'bench',
      phase: 'run',
      spec: parseApplication(specification(replicas)),
      images: [{ name: image.name, digest: image.digest, archive: 'held' }],
    },
    place: { site: 'bench', scope: '/bench', labels: {}, hosts: [{ name: host, labels: {} }] },
    host,
    hash,
  })

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

const until = async (what: string, done: () => boolean): Promise<void> => {
  const endMs = performance.now() + doneTimeoutMs
  while (!done()) {
    if (performance.now() > endMs) throw new SkerryError('timeout', `waited ${doneTimeoutMs / 1000} s for ${what}`)
    await pause(2)
  }
}

/**
 * From a specification to `count` running containers, through planner and reconciler; then all of them removed again.
 * @returns milliseconds until the last one ran, with a process that exists
 */
export const timeOurs = async (containers: Containers, image: ObservedImage, count: number): Promise<number> => {
  const low = await freePort()
  const reconciler = createReconciler({
    containers,
    images: { fetch: () => Promise.reject(new SkerryError('not-held', 'the benchmark fetches nothing')) },
    probes: createNetProbes(),
    clock: systemClock,
    log: silentLog,
    portRange: [low, low + 99],
  })
  const statuses = () =>
    reconciler.status().applications.flatMap(({ instances }) => instances.flatMap((one) => one.containers))
  reconciler.start()
  try {
    await until('the engine to be listed', () => reconciler.status().engine.state === 'up')
    await reconciler.settled()
    const startedMs = performance.now()
    const desired = desiredFor(count, image)
    reconciler.setDesired([desired])
    await until(`${count} running containers`, () => {
      const running = statuses().filter(({ state, pid }) => state === 'running' && pid > 0)
      return running.length === count
    })
    const tookMs = performance.now() - startedMs
    const dead = statuses().filter(({ pid }) => !existsSync(`/proc/${pid}`))
    if (dead.length > 0) throw new SkerryError('not-running', `${dead.length} containers are only said to run`)
    reconciler.setDesired([{ ...desired, phase: 'retired', instances: [], images: [] }])
    await until('the containers to be gone', () => statuses().length === 0)
    await reconciler.settled()
    const left = await containers.observe()
    if (left.containers.length + left.networks.length > 0)
      throw new SkerryError(
        'not-removed',
        `${left.containers.length} containers, ${left.networks.length} networks left`,
      )
    return tookMs
  } finally {
    await reconciler.stop()
  }
}
