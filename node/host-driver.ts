import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Clock, type Log, type Random, randomHex, SkerryError, silentLog } from '../base/index.ts'
import type { ContainerdOptions } from '../runtime/containerd/index.ts'
import type { Containers } from '../runtime/index.ts'
import type { NodeConfig } from './config.ts'
import { createStateFile, systemClock, systemRandom } from './powers/index.ts'

interface DriverPowers {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const systemSocket = '/run/containerd/containerd.sock'

const inPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })

const isRoot = () => process.platform === 'linux' && process.getuid?.() === 0

/** `auto`: containerd where this process may use it, else plain processes. */
const chooseDriver = (config: NodeConfig): 'containerd' | 'process' | 'simulated' => {
  if (config.runtime !== 'auto') return config.runtime
  return isRoot() && (inPath('containerd') || existsSync(systemSocket)) ? 'containerd' : 'process'
}

/** Part of the name this node's containers carry; drawn once, because names of nodes repeat between trees. */
const identityOf = (config: NodeConfig, random: Random): string => {
  const file = createStateFile<{ id: string }>(join(config.dataDir, 'identity.json'))
  const known = file.load()
  if (known) return known.id
  const id = randomHex(random, 4)
  file.save({ id })
  return id
}

const containerdOptions = (config: NodeConfig, random: Random): ContainerdOptions => {
  const { containerdSocket: socket } = config
  const own = socket === 'own' || (socket === '' && !existsSync(systemSocket))
  if (config.ingressAddress !== '127.0.0.1' && config.ingressAddress !== '0.0.0.0')
    throw new SkerryError('invalid-option', `ingress-address ${config.ingressAddress}: give 127.0.0.1 or 0.0.0.0`)
  return {
    engine: own
      ? { kind: 'child', root: join(config.dataDir, 'containerd'), state: join(config.runDir, 'containerd') }
      : { kind: 'system', socket: socket === '' ? systemSocket : socket },
    node: `${config.name.slice(0, 50)}-${identityOf(config, random)}`,
    dataDir: join(config.dataDir, 'containers'),
    runDir: join(config.runDir, 'containers'),
    cniDir: config.cniDir,
    bridge: config.bridge,
    subnet: config.subnet,
    hostAddress: config.ingressAddress,
  }
}

/** Drivers are loaded when chosen: an edge without containerd never pays for gRPC. */
export const createHostDriver = async (config: NodeConfig, powers: DriverPowers): Promise<Containers> => {
  const driver = chooseDriver(config)
  if (driver === 'simulated') {
    const { createSimulatedHost } = await import('../runtime/simulated/index.ts')
    return createSimulatedHost({ clock: powers.clock }).connect()
  }
  if (driver === 'process') {
    const { createProcessContainers } = await import('../runtime/process/index.ts')
    return createProcessContainers({ ...powers, dataDir: join(config.dataDir, 'processes') })
  }
  const { createContainerdContainers } = await import('../runtime/containerd/index.ts')
  return createContainerdContainers(containerdOptions(config, powers.random), powers)
}

/**
 * Ends every container of an edge that does not run any more, and the engine it started; with `remove` also what they
 * left on disk.
 * @throws {SkerryError} `not-removed` naming what is left
 */
export const endHost = async (config: NodeConfig, { remove }: { remove: boolean }): Promise<void> => {
  const powers = { clock: systemClock, random: systemRandom, log: silentLog }
  if (chooseDriver(config) === 'containerd') {
    const { destroyContainerd } = await import('../runtime/containerd/index.ts')
    const left = await destroyContainerd(containerdOptions(config, systemRandom), powers, { keepData: !remove })
    if (left.length > 0)
      throw new SkerryError('not-removed', `${config.name}: could not remove everything:\n${left.join('\n')}`)
    return
  }
  const containers = await createHostDriver(config, powers)
  await containers.start()
  const { containers: found } = await containers.observe()
  await Promise.all(found.map(({ id }) => containers.removeContainer(id, { shutdownTimeoutMs: 2_000 })))
  await containers.stop()
}
