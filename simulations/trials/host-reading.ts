import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Where one edge keeps its things on this machine; all the trial knows of it. */
export interface EdgePlace {
  /** Name in cgroups, labels and namespaces. */
  readonly node: string
  readonly dataDir: string
  readonly runDir: string
  readonly bridge: string
  readonly tenant: string
}

/** One process, told apart from a later one with the same id by when it started. */
export interface SeenProcess {
  readonly pid: number
  readonly startTicks: number
  readonly args: readonly string[]
}

export interface SeenContainer {
  readonly namespace: string
  readonly id: string
  readonly instance: string
  readonly container: string
  readonly specHash: string
  readonly trialVersion: string
  /** As `ctr task ls` says; empty without a task. */
  readonly status: string
  readonly pid: number
  readonly startTicks: number
}

/** What the kernel, the engine and the disk say; nothing of it comes from the program under trial. */
export interface HostReading {
  /** Processes that name the edge's folders. */
  readonly processes: readonly SeenProcess[]
  readonly engines: readonly number[]
  readonly shims: readonly { readonly pid: number; readonly id: string }[]
  /** Processes per cgroup of a container, by its id; empty groups too. */
  readonly cgroups: Readonly<Record<string, readonly number[]>>
  readonly containers: readonly SeenContainer[]
  /** Writable file systems; those of image layers are committed and not listed. */
  readonly snapshots: readonly string[]
  readonly leases: readonly string[]
  readonly mounts: readonly string[]
  readonly bundles: readonly string[]
  readonly netns: readonly string[]
  readonly addresses: readonly { readonly address: string; readonly key: string }[]
  readonly records: readonly string[]
  /** Forwarded ports of this machine, by key of the network. */
  readonly ports: readonly { readonly key: string; readonly hostPort: number }[]
  /** Chains of the port plugin, whoever they belong to. */
  readonly chains: readonly string[]
  /** Rules that name the edge's bridge, but for those of forwarded ports. */
  readonly rules: readonly string[]
  readonly bridgePorts: number
  /** Folders with files put into containers. */
  readonly fileDirs: readonly string[]
}

const run = promisify(execFile)
const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

export const engineSocket = ({ runDir }: EdgePlace): string => join(runDir, 'containerd', 'containerd.sock')

/** File names of an instance's network: 16 digits of the hash of tenant and instance. */
export const networkKey = ({ tenant }: EdgePlace, instance: string): string =>
  createHash('sha256').update(`${tenant}/${instance}`).digest('hex').slice(0, 16)

/** The port plugin's chain of one network (CNI plugins, pkg/utils: "CNI-DN-" and hash, 28 characters). */
export const portChain = ({ bridge }: EdgePlace, key: string): string =>
  `CNI-DN-${createHash('sha512').update(`skerry-${bridge}${key}`).digest('hex')}`.slice(0, 28)

/** Where a container's shim listens (containerd, runtime/v2/shim: hash of socket, namespace and id). */
export const shimSocket = (place: EdgePlace, namespace: string, id: string): string =>
  `/run/containerd/s/${createHash('sha256')
    .update(`${engineSocket(place)}/${namespace}/${id}`)
    .digest('hex')}`

const startTicksOf = (pid: number): number | undefined => {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return stat === '' || fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19])
}

/** Processes of this machine whose command line passes. One that only waits to be collected is none. */
export const seenProcesses = (passes: (args: readonly string[]) => boolean): readonly SeenProcess[] =>
  namesIn('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    const args = read(`/proc/${name}/cmdline`).split('\0').slice(0, -1)
    if (!passes(args)) return []
    const startTicks = startTicksOf(Number(name))
    return startTicks === undefined ? [] : [{ pid: Number(name), startTicks, args }]
  })

/** A process that ended and was not collected yet counts as gone. */
export const processRuns = (pid: number): boolean => startTicksOf(pid) !== undefined

export const enginesOf = (place: EdgePlace): readonly number[] =>
  seenProcesses((args) => args.includes(join(place.runDir, 'containerd', 'config.toml'))).map(({ pid }) => pid)

export const shimsOf = (place: EdgePlace): readonly { readonly pid: number; readonly id: string }[] =>
  seenProcesses(
    (args) =>
      (args[0] ?? '').includes('containerd-shim') && args.includes(engineSocket(place)) && !args.includes('delete'),
  ).map(({ pid, args }) => ({ pid, id: args[args.indexOf('-id') + 1] ?? '' }))

/** Containers' cgroups below `/skerry/<node>/<tenant>`, of all hierarchies together. */
export const cgroupsOf = ({ node }: Pick<EdgePlace, 'node'>): Record<string, number[]> => {
  const root = '/sys/fs/cgroup'
  const trees = existsSync(join(root, 'cgroup.controllers')) ? [''] : namesIn(root)
  const found: Record<string, Set<number>> = {}
  for (const tree of trees) {
    const top = join(root, tree, 'skerry', node)
    for (const tenant of namesIn(top).filter((name) => existsSync(join(top, name, 'cgroup.procs'))))
      for (const id of namesIn(join(top, tenant)).filter((name) =>
        existsSync(join(top, tenant, name, 'cgroup.procs')),
      )) {
        found[id] ??= new Set()
        for (const line of lines(read(join(top, tenant, id, 'cgroup.procs')))) found[id].add(Number(line))
      }
  }
  return Object.fromEntries(Object.entries(found).map(([id, pids]) => [id, [...pids]]))
}

export const mountsBelow = (folders: readonly string[]): readonly string[] =>
  lines(read('/proc/self/mountinfo'))
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => folders.some((folder) => point.startsWith(`${folder}/`)))
    .toSorted()

const natOf = async (place: EdgePlace) => {
  const saved = lines((await run('iptables-save', [], { maxBuffer: 16 * 2 ** 20 })).stdout)
  const mark = `name: \\"skerry-${place.bridge}\\" id: \\"`
  const chainKeys = new Map<string, string>()
  for (const line of saved.filter((text) => text.includes(mark))) {
    const key = line.split(mark)[1]?.split('\\"')[0] ?? ''
    chainKeys.set(/-j (CNI-DN-\w+)/.exec(line)?.[1] ?? '', key)
  }
  const ports = saved.flatMap((line) => {
    const dnat = /^-A (CNI-DN-\w+) .*--dport (\d+) -j DNAT/.exec(line)
    const key = chainKeys.get(dnat?.[1] ?? '')
    return dnat && key !== undefined ? [{ key, hostPort: Number(dnat[2]) }] : []
  })
  const chains = saved.flatMap((line) => /^:(CNI-DN-\w+)/.exec(line)?.[1] ?? [])
  const rules = saved.filter((line) => line.includes(place.bridge) && !line.includes(mark))
  return { ports, chains, rules, marked: [...chainKeys.values()] }
}

/** Labels and environment never change in the life of a container, so each is asked for once. */
interface Remembered {
  readonly instance: string
  readonly container: string
  readonly specHash: string
  readonly trialVersion: string
}

interface ContainerInfo {
  readonly Labels?: Readonly<Record<string, string>>
  readonly Spec?: { readonly process?: { readonly env?: readonly string[] } }
}

/** Reads one edge's host again and again. */
export const createHostReader = (place: EdgePlace) => {
  const remembered = new Map<string, Remembered>()
  const ctr = async (namespace: string, ...args: string[]): Promise<string[]> => {
    const all = ['--address', engineSocket(place), '--namespace', namespace, '--timeout', '5s', ...args]
    return lines((await run('ctr', all, { timeout: 10_000, maxBuffer: 16 * 2 ** 20 })).stdout)
  }
  const infoOf = async (namespace: string, id: string): Promise<Remembered> => {
    const known = remembered.get(id)
    if (known) return known
    const { Labels = {}, Spec } = JSON.parse(
      (await ctr(namespace, 'containers', 'info', id)).join('\n'),
    ) as ContainerInfo
    const env = Spec?.process?.env?.find((one) => one.startsWith('TRIAL_VERSION=')) ?? '='
    const info = {
      instance: Labels['skerry/instance'] ?? '',
      container: Labels['skerry/container'] ?? '',
      specHash: Labels['skerry/spec'] ?? '',
      trialVersion: env.slice(env.indexOf('=') + 1),
    }
    remembered.set(id, info)
    return info
  }

  const readNamespace = async (namespace: string) => {
    const [ids, tasks, snapshots, leases] = await Promise.all([
      ctr(namespace, 'containers', 'ls', '-q'),
      ctr(namespace, 'tasks', 'ls'),
      ctr(namespace, 'snapshots', 'ls'),
      ctr(namespace, 'leases', 'ls', '-q'),
    ])
    const rows = tasks.slice(1).map((line) => line.trim().split(/\s+/))
    const containers = await Promise.all(
      ids.map(async (id): Promise<SeenContainer> => {
        const [, pid = '0', status = ''] = rows.find(([name]) => name === id) ?? []
        const info = await infoOf(namespace, id)
        return { namespace, id, ...info, status, pid: Number(pid), startTicks: startTicksOf(Number(pid)) ?? 0 }
      }),
    )
    const active = snapshots.map((line) => line.trim().split(/\s+/)).filter((words) => words.at(-1) === 'Active')
    const strangers = rows.map(([id = '']) => id).filter((id) => !ids.includes(id))
    return { containers, strangers, snapshots: active.map(([key = '']) => key), leases }
  }

  return async (): Promise<HostReading> => {
    const { dataDir, runDir, bridge } = place
    const namespaces = await ctr('default', 'namespaces', 'ls', '-q')
    const [perNamespace, nat] = await Promise.all([Promise.all(namespaces.map(readNamespace)), natOf(place)])
    const containersDir = join(dataDir, 'data', 'containers')
    const leasesDir = join(containersDir, 'ipam', `skerry-${bridge}`)
    const bundlesDir = join(runDir, 'containerd', 'io.containerd.runtime.v2.task')
    return {
      processes: seenProcesses((args) => args.some((arg) => arg.includes(runDir) || arg.includes(dataDir))),
      engines: enginesOf(place),
      shims: shimsOf(place),
      cgroups: cgroupsOf(place),
      containers: perNamespace.flatMap(({ containers }) => containers),
      snapshots: perNamespace.flatMap(({ snapshots }) => snapshots),
      leases: perNamespace.flatMap(({ leases }) => leases),
      mounts: mountsBelow([runDir, dataDir]),
      bundles: [
        ...namesIn(bundlesDir).flatMap((namespace) => namesIn(join(bundlesDir, namespace))),
        ...perNamespace.flatMap(({ strangers }) => strangers),
      ],
      netns: namesIn(join(runDir, 'containers', 'netns')),
      addresses: namesIn(leasesDir)
        .filter((name) => /^[\d.]+$/.test(name))
        .map((address) => ({ address, key: read(join(leasesDir, address)).split(/\r?\n/)[0] ?? '' })),
      records: namesIn(join(containersDir, 'networks')).map((name) => name.replace(/\.json$/, '')),
      ports: nat.ports,
      chains: nat.chains,
      rules: nat.rules,
      bridgePorts: namesIn(`/sys/class/net/${bridge}/brif`).length,
      fileDirs: namesIn(join(containersDir, 'containers')),
    }
  }
}
