import { createSocket } from 'node:dgram'
import { readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { NetworkSpec, ObservedNetwork, PortMapping } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import { type ProcessPaths, readText, writeWhole } from './process-files.ts'

/** Networks of processes are promises of host ports, kept as files; the processes share the host's network. */
export interface ProcessNetworks {
  attach(spec: NetworkSpec): Promise<ObservedNetwork>
  detach(tenant: string, instance: string): Promise<void>
  list(): Promise<readonly ObservedNetwork[]>
  find(tenant: string, instance: string): Promise<ObservedNetwork | undefined>
}

/** Only this machine reaches it. */
export const processAddress = '127.0.0.1'

const canListen = ({ protocol, hostPort }: PortMapping): Promise<boolean> =>
  new Promise((resolve) => {
    if (protocol === 'tcp') {
      const server = createServer()
      server.on('error', () => resolve(false))
      server.listen({ host: processAddress, port: hostPort, exclusive: true }, () => server.close(() => resolve(true)))
      return
    }
    const socket = createSocket('udp4')
    socket.on('error', () => resolve(false))
    socket.bind({ address: processAddress, port: hostPort, exclusive: true }, () => socket.close(() => resolve(true)))
  })

const taken = (instance: string, { hostPort }: PortMapping): ContainersError =>
  new ContainersError('port-taken', `cannot attach the network of ${instance}: host port ${hostPort} is in use`, {
    details: { hostPort },
  })

export const createProcessNetworks = (paths: ProcessPaths): ProcessNetworks => {
  const fileOf = (tenant: string, instance: string) => join(paths.networks, tenant, `${instance}.json`)
  /** One at a time: two that ask for one port must see each other. */
  let last: Promise<unknown> = Promise.resolve()

  const find = async (tenant: string, instance: string) => {
    const text = await readText(fileOf(tenant, instance))
    return text === undefined ? undefined : (JSON.parse(text) as ObservedNetwork)
  }

  const list = async (): Promise<readonly ObservedNetwork[]> => {
    const found: ObservedNetwork[] = []
    for (const tenant of (await readdir(paths.networks)).toSorted())
      for (const file of (await readdir(join(paths.networks, tenant))).toSorted()) {
        const network = file.endsWith('.json') ? await find(tenant, file.slice(0, -'.json'.length)) : undefined
        if (network) found.push(network)
      }
    return found
  }

  const attachNow = async (spec: NetworkSpec): Promise<ObservedNetwork> => {
    const before = await find(spec.tenant, spec.instance)
    const network: ObservedNetwork = { ...spec, state: 'attached', addresses: [processAddress] }
    if (before && JSON.stringify(before) === JSON.stringify(network)) return before
    const others = (await list()).filter((one) => one.tenant !== spec.tenant || one.instance !== spec.instance)
    for (const port of spec.ports) {
      const isPromised = others.some(({ ports }) =>
        ports.some(({ protocol, hostPort }) => protocol === port.protocol && hostPort === port.hostPort),
      )
      if (isPromised || !(await canListen(port))) throw taken(spec.instance, port)
    }
    await writeWhole(fileOf(spec.tenant, spec.instance), JSON.stringify(network))
    return network
  }

  return {
    attach: (spec) => {
      const mine = last.then(
        () => attachNow(spec),
        () => attachNow(spec),
      )
      last = mine
      return mine
    },
    detach: (tenant, instance) => rm(fileOf(tenant, instance), { force: true }),
    list,
    find,
  }
}
