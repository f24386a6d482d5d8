import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { SkerryError } from '../../../base/index.ts'
import type { NodeView } from '../../../node/index.ts'
import { pause } from '../../demo/index.ts'
import { cpuSecondsOf, memoryOf } from '../process-cost.ts'
import { type EdgeProcess, startEdgeProcess } from './edge-processes.ts'
import type { CpuByRole } from './figures.ts'
import { createNodeProcess, type NodeProcess, type NodeProcessOptions } from './node-process.ts'
import { type ScaleZone, topologyOf } from './scale-topology.ts'

const linkWithinMs = 120_000
const hostsPath = '/v1/state/system/call-home-hosts'

/** One aggregator and the process in which the edges of its zone run. */
export interface ZoneProcesses {
  readonly zone: ScaleZone
  readonly aggregator: NodeProcess
  readonly edges: EdgeProcess
}

export interface TreeProcesses {
  readonly tower: NodeProcess
  readonly zones: readonly ZoneProcesses[]
  stop(): Promise<void>
}

/** A one-time token for a child of a node. */
export const tokenFor = async (parent: NodeProcess, child: string): Promise<string> =>
  (await parent.call<{ token: string }>('POST', `${hostsPath}/${child}/token`)).token

/** How many children a node has enrolled. */
export const enrolledAt = async (node: NodeProcess): Promise<number> => {
  const path = `${hostsPath}?fields=oper-status,role`
  const members = await node.call<readonly { 'oper-status': string; role: string }[]>('GET', path)
  return members.filter((one) => one['oper-status'] === 'enrolled' && one.role === 'edge').length
}

const untilLinked = async (node: NodeProcess): Promise<void> => {
  const endMs = performance.now() + linkWithinMs
  for (;;) {
    const { parent } = await node.call<NodeView>('GET', '/v1/state/node')
    if (parent?.link === 'up') return
    if (performance.now() > endMs)
      throw new SkerryError('not-linked', `${node.name} did not join: ${parent?.error ?? 'no link'}`)
    await pause(50)
  }
}

/** A tower, its aggregators joined, and processes for edges that run none yet. All of it ends when this fails. */
export const startTree = async (
  zones: readonly ScaleZone[],
  options: NodeProcessOptions,
  signal: AbortSignal,
): Promise<TreeProcesses> => {
  const topology = topologyOf(zones)
  const none = { parents: [], networkId: '', joinToken: '' }
  const tower = createNodeProcess({ ...none, name: 'tower', role: 'tower', scope: '/', topology }, options)
  const started: { stop(): Promise<void> }[] = [tower]
  const stop = async () => {
    // Children first: a parent that goes before them makes them look for it.
    await Promise.all(started.slice(1).map((one) => one.stop()))
    await tower.stop()
  }
  try {
    await tower.start()
    const processes: ZoneProcesses[] = []
    for (const zone of zones) {
      signal.throwIfAborted()
      const aggregator = createNodeProcess(
        {
          name: zone.aggregator,
          role: 'aggregator',
          scope: zone.scope,
          topology: topologyOf([zone]),
          parents: [tower.address()],
          networkId: tower.networkId(),
          joinToken: await tokenFor(tower, zone.aggregator),
        },
        options,
      )
      started.push(aggregator)
      await aggregator.start()
      await untilLinked(aggregator)
      const edges = await startEdgeProcess(`${zone.scope.slice(1)}-edges`, options.dir, options.profileDir)
      started.push(edges)
      processes.push({ zone, aggregator, edges })
    }
    return { tower, zones: processes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Processor time of each role since its processes started. */
export const cpuOf = ({ tower, zones }: TreeProcesses): CpuByRole => {
  const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + cpuSecondsOf(pid), 0)
  return {
    tower: cpuSecondsOf(tower.pid()),
    aggregators: sum(zones.map(({ aggregator }) => aggregator.pid())),
    edges: sum(zones.map(({ edges }) => edges.pid())),
  }
}

export const cpuBetween = (before: CpuByRole, after: CpuByRole): CpuByRole => ({
  tower: after.tower - before.tower,
  aggregators: after.aggregators - before.aggregators,
  edges: after.edges - before.edges,
})

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Resident memory in MB: of the tower, of the mean aggregator, of the mean process of edges. */
export const memoryOfTree = ({ tower, zones }: TreeProcesses) => ({
  tower: memoryOf(tower.pid()).rss,
  aggregator: mean(zones.map(({ aggregator }) => memoryOf(aggregator.pid()).rss)),
  edges: mean(zones.map(({ edges }) => memoryOf(edges.pid()).rss)),
})

/** The most that was ever resident, in MB. */
export const peakOf = (pid: number): number => {
  const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(found ?? 0) * 1_024) / 1_000_000
}

/** Bytes over the links of the tower so far, as its kernel counts them; undefined where `ss` is not there. */
export const upBytesOf = ({ tower }: TreeProcesses): number | undefined => {
  const port = tower.address().slice(tower.address().lastIndexOf(':') + 1)
  try {
    const text = execFileSync('ss', ['-tinH', 'state', 'established', `sport = :${port}`], { encoding: 'utf8' })
    const found = [...text.matchAll(/\bbytes_(?:acked|received):(\d+)/g)]
    return found.reduce((sum, [, bytes]) => sum + Number(bytes), 0)
  } catch {
    return undefined
  }
}
