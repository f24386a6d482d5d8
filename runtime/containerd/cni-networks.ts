import { mkdir, open, readdir, readFile, rm, statfs } from 'node:fs/promises'
import { createServer, isIP, type ListenOptions } from 'node:net'
import { errorText, type Log } from '../../base/index.ts'
import type { NetworkSpec, ObservedNetwork, PortMapping } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import type { ContainerdOptions } from './containerd-options.ts'
import { createQueue, driverError } from './driver-errors.ts'
import { run } from './host-commands.ts'
import { openFirewall } from './iptables-firewall.ts'
import { createNetworkRecords, type NetworkRecord, networkKey, recordOf } from './network-records.ts'

/** Magic number of the file system that namespaces are files of (statfs(2)). */
const nsfsMagic = 0x6e736673
const cniVersion = '1.0.0'
const defaultCniDir = '/usr/lib/cni'

/** CNI's name of the node's network. */
export const networkName = ({ bridge }: ContainerdOptions): string => `skerry-${bridge}`

const bridgeConfig = (options: ContainerdOptions) => ({
  cniVersion,
  name: networkName(options),
  type: 'bridge',
  bridge: options.bridge,
  isGateway: true,
  hairpinMode: true,
  // Masquerading is one rule for the whole bridge (iptables-firewall.ts): cheaper, and nothing is left per address.
  ipMasq: false,
  ipam: {
    type: 'host-local',
    dataDir: `${options.dataDir}/ipam`,
    ranges: [[{ subnet: options.subnet }]],
    routes: [{ dst: '0.0.0.0/0' }],
  },
})

const portmapConfig = (options: ContainerdOptions, ports: readonly PortMapping[], prevResult: unknown) => ({
  cniVersion,
  name: networkName(options),
  type: 'portmap',
  snat: true,
  runtimeConfig: {
    portMappings: ports.map((mapping) => ({
      ...mapping,
      ...(options.hostAddress === '0.0.0.0' ? {} : { hostIP: options.hostAddress }),
    })),
  },
  ...(prevResult === undefined ? {} : { prevResult }),
})

const addressesOf = (result: unknown): string[] => {
  const ips = (result as { ips?: { address?: string }[] } | undefined)?.ips ?? []
  return ips.map(({ address = '' }) => address.split('/')[0] ?? '').filter((address) => address !== '')
}

/** Whether a port of the host can be had, by taking it for a moment. */
const isFree = (mapping: PortMapping, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    // UDP sockets share less than TCP ones; asking for the TCP port of the same number is a hint only, so it is skipped.
    if (mapping.protocol === 'udp') return resolve(true)
    const options: ListenOptions = { host, port: mapping.hostPort, exclusive: true }
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(options, () => server.close(() => resolve(true)))
  })

/** Networks of instances: one network namespace each, joined to the node's bridge, with ports of the host. */
export interface CniNetworks {
  /** Takes away what no record speaks of: after a power cut a record may be lost where its address is not. */
  releaseAbandoned(): Promise<void>
  list(): Promise<readonly ObservedNetwork[]>
  /** @throws {ContainersError} `port-taken`, `network-failed`. */
  attach(spec: NetworkSpec): Promise<ObservedNetwork>
  detach(tenant: string, instance: string): Promise<void>
  /** The instance's network namespace: a path, `none` when it never had a network, `lost` when it is gone. */
  namespaceOf(
    tenant: string,
    instance: string,
  ): Promise<{ path: string; addresses: readonly string[] } | 'none' | 'lost'>
}

export const createCniNetworks = (options: ContainerdOptions, log: Log): CniNetworks => {
  const cniDir = options.cniDir ?? defaultCniDir
  const records = createNetworkRecords(`${options.dataDir}/networks`)
  const netnsDir = `${options.runDir}/netns`
  const netnsOf = (key: string) => `${netnsDir}/${key}`
  const queues = new Map<string, ReturnType<typeof createQueue>>()
  const firewall = openFirewall(options)

  const plugin = async (
    name: string,
    command: 'ADD' | 'DEL',
    key: string,
    config: object,
    netns = netnsOf(key),
  ): Promise<unknown> => {
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: key,
      CNI_NETNS: netns,
      CNI_IFNAME: name === 'loopback' ? 'lo' : 'eth0',
      CNI_PATH: cniDir,
    }
    const output = await run(`${cniDir}/${name}`, [], { input: JSON.stringify(config), env })
    return output.trim() === '' ? undefined : JSON.parse(output)
  }

  const isAttached = async (key: string): Promise<boolean> =>
    (await statfs(netnsOf(key)).catch(() => undefined))?.type === nsfsMagic

  const observed = ({ v, ...record }: NetworkRecord, attached: boolean): ObservedNetwork => ({
    ...record,
    state: attached && record.addresses.length > 0 ? 'attached' : 'lost',
  })

  /** A file that holds the namespace open, with its loopback up: the plugin runs inside, as the first and only process. */
  const makeNamespace = async (key: string): Promise<void> => {
    await mkdir(netnsDir, { recursive: true })
    await (await open(netnsOf(key), 'w')).close()
    const env = {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: key,
      CNI_NETNS: '/proc/self/ns/net',
      CNI_IFNAME: 'lo',
      CNI_PATH: cniDir,
    }
    const input = JSON.stringify({ cniVersion, name: networkName(options), type: 'loopback' })
    await run('unshare', [`--net=${netnsOf(key)}`, `${cniDir}/loopback`], { input, env })
  }

  /** Takes away what a network made, whatever is left of it. The record goes last: it is the reason to come again. */
  const dismantle = async (key: string, record: NetworkRecord): Promise<void> => {
    const attached = await isAttached(key)
    if (record.ports.length > 0)
      await plugin('portmap', 'DEL', key, portmapConfig(options, record.ports, undefined), attached ? undefined : '')
    // Without the namespace the plugin only frees the address, and that is all there is to free.
    await plugin('bridge', 'DEL', key, bridgeConfig(options), attached ? undefined : '')
    if (attached) await run('umount', ['-l', netnsOf(key)])
    await rm(netnsOf(key), { force: true })
  }

  const checkPorts = async (spec: NetworkSpec, key: string): Promise<void> => {
    const others = await Promise.all((await records.keys()).filter((other) => other !== key).map(records.read))
    for (const mapping of spec.ports) {
      const holder = others.find((record) =>
        record?.ports.some((port) => port.hostPort === mapping.hostPort && port.protocol === mapping.protocol),
      )
      if (holder || !(await isFree(mapping, options.hostAddress)))
        throw new ContainersError(
          'port-taken',
          `cannot attach the network of ${spec.instance}: port ${mapping.hostPort}/${mapping.protocol} of this host is taken${holder ? ` by ${holder.instance}` : ''}`,
          { details: { hostPort: mapping.hostPort } },
        )
    }
  }

  const attachNew = async (spec: NetworkSpec, key: string): Promise<ObservedNetwork> => {
    await checkPorts(spec, key)
    await records.write(key, recordOf(spec, []))
    await Promise.all([makeNamespace(key), firewall.ensure()])
    const result = await plugin('bridge', 'ADD', key, bridgeConfig(options))
    if (spec.ports.length > 0) await plugin('portmap', 'ADD', key, portmapConfig(options, spec.ports, result))
    const record = recordOf(spec, addressesOf(result))
    await records.write(key, record)
    return observed(record, true)
  }

  const undo = async (key: string, spec: NetworkSpec): Promise<void> => {
    await dismantle(key, recordOf(spec, []))
    await records.remove(key)
  }

  const attach = async (spec: NetworkSpec, key: string): Promise<ObservedNetwork> => {
    // A record that cannot be read still says that something was made.
    const record = (await records.read(key)) ?? ((await records.has(key)) ? recordOf(spec, []) : undefined)
    if (record) {
      const found = observed(record, await isAttached(key))
      if (found.state === 'attached' && found.networkHash === spec.networkHash) return found
      await dismantle(key, record)
    }
    try {
      return await attachNew(spec, key)
    } catch (error) {
      await undo(key, spec).catch((failure: unknown) =>
        log.warn('could not take a failed network away; it is tried again with the next attach', {
          instance: spec.instance,
          error: errorText(failure),
        }),
      )
      throw error
    }
  }

  const leasedKeys = async (): Promise<string[]> => {
    const leases = `${options.dataDir}/ipam/${networkName(options)}`
    const addresses = (await readdir(leases).catch(() => [])).filter((name) => isIP(name) !== 0)
    // A lease is a file named by the address, which begins with the id it was given to (host-local's disk backend).
    const texts = await Promise.all(addresses.map((name) => readFile(`${leases}/${name}`, 'utf8').catch(() => '')))
    return texts.map((text) => text.split(/\r?\n/)[0] ?? '').filter((key) => key !== '')
  }

  const inTurn = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const queue = queues.get(key) ?? createQueue()
    queues.set(key, queue)
    return queue(work)
  }

  return {
    releaseAbandoned: async () => {
      // What is there before the records: an attach writes its record before it makes anything.
      const made = new Set([...(await leasedKeys()), ...(await readdir(netnsDir).catch(() => []))])
      for (const key of await records.keys()) made.delete(key)
      const nobody = { instance: '', tenant: '', networkHash: '', ports: [] }
      for (const key of made) await inTurn(key, () => dismantle(key, recordOf(nobody, [])))
    },
    list: async () => {
      const found = await Promise.all(
        (await records.keys()).map(async (key) => {
          const record = await records.read(key)
          return record && observed(record, await isAttached(key))
        }),
      )
      return found
        .filter((network) => network !== undefined)
        .toSorted((a, b) => (`${a.tenant}/${a.instance}` < `${b.tenant}/${b.instance}` ? -1 : 1))
    },
    attach: async (spec) => {
      const key = networkKey(spec.tenant, spec.instance)
      try {
        return await inTurn(key, () => attach(spec, key))
      } catch (error) {
        throw driverError('network-failed', `attach the network of ${spec.instance}`, error)
      }
    },
    detach: async (tenant, instance) => {
      const key = networkKey(tenant, instance)
      try {
        await inTurn(key, async () => {
          const record = await records.read(key)
          if (record) await dismantle(key, record)
          await records.remove(key)
        })
      } catch (error) {
        throw driverError('network-failed', `detach the network of ${instance}`, error)
      }
      queues.delete(key)
    },
    namespaceOf: async (tenant, instance) => {
      const key = networkKey(tenant, instance)
      const record = await records.read(key)
      if (!record) return 'none'
      const { state, addresses } = observed(record, await isAttached(key))
      return state === 'attached' ? { path: netnsOf(key), addresses } : 'lost'
    },
  }
}
