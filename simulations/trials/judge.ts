import type { HostReading, SeenContainer } from './host-reading.ts'
import type { WantedContainer, WantedInstance } from './workload.ts'

/** Something that should not be, in words. */
export interface Fault {
  readonly row: 'wanted-up' | 'healthy-untouched' | 'no-orphans'
  readonly text: string
}

/** Names of what an instance's network is made of. */
export interface NetworkNames {
  readonly key: string
  readonly chain: string
}

export interface Judgement {
  readonly wanted: readonly WantedInstance[]
  readonly reading: HostReading
  /** Whether the edge's own process runs. */
  readonly edgeRuns: boolean
  /** Bodies the ports of this machine answered, by instance. */
  readonly pages: Readonly<Record<string, string>>
  /** Names for every instance there ever was in this trial, wanted or not. */
  readonly networks: Readonly<Record<string, NetworkNames>>
  /** Sockets of shims whose containers are gone, that are still there. */
  readonly deadSockets: readonly string[]
}

/** Rules of the packet filter that name a bridge: masquerading, in, out. */
const rulesPerBridge = 3

const isOf = (wanted: WantedContainer) => (seen: SeenContainer) =>
  seen.instance === wanted.instance && seen.container === wanted.container

const upFault = (wanted: WantedContainer, { reading }: Judgement): string | undefined => {
  const found = reading.containers.filter(isOf(wanted))
  const [one] = found
  if (!one) return 'has no container'
  if (found.length > 1) return `has ${found.length} containers`
  if (wanted.crashes) return undefined
  if (one.trialVersion !== wanted.version) return `runs version ${one.trialVersion}, wanted is ${wanted.version}`
  if (one.status !== 'RUNNING') return `is ${one.status || 'without a task'}`
  if (!reading.cgroups[one.id]?.includes(one.pid)) return `has no process ${one.pid} in its cgroup`
  return undefined
}

const findDown = (judgement: Judgement): readonly string[] => {
  const { wanted, reading, edgeRuns, pages } = judgement
  const down = wanted.flatMap(({ id, page, containers }) => [
    ...containers.flatMap((one) => {
      const why = upFault(one, judgement)
      return why === undefined ? [] : [`${one.instance}/${one.container} ${why}`]
    }),
    ...(page === undefined || pages[id] === page
      ? []
      : [`${id} answers ${JSON.stringify(pages[id] ?? 'nothing')}, not ${JSON.stringify(page)}`]),
  ])
  return [
    ...(edgeRuns ? [] : ['the edge does not run']),
    ...(reading.engines.length === 1 ? [] : [`${reading.engines.length} engines run`]),
    ...down,
  ]
}

/** What is there and not expected, and what is there twice. What is missing is no orphan: `wanted-up` sees to it. */
const surplus = (what: string, seen: readonly string[], expected: Iterable<string>): readonly string[] => {
  const allowed = new Set(expected)
  const before = new Set<string>()
  return seen.flatMap((name) => {
    const isTwice = before.has(name)
    before.add(name)
    if (!allowed.has(name)) return [`${what} ${name || 'without a name'}`]
    return isTwice ? [`a second ${what} ${name}`] : []
  })
}

const findOrphans = ({ wanted, reading, networks, deadSockets }: Judgement): readonly string[] => {
  const all = wanted.flatMap(({ containers }) => containers)
  const ours = reading.containers.filter((seen) => all.some((one) => isOf(one)(seen)))
  const ids = ours.map(({ id }) => id)
  const keys = wanted.flatMap(({ id }) => networks[id]?.key ?? [])
  const withPorts = wanted.filter(({ page }) => page !== undefined)
  const portKeys = withPorts.flatMap(({ id }) => networks[id]?.key ?? [])
  const goneChains = new Set(Object.values(networks).map(({ chain }) => chain))
  for (const { id } of withPorts) goneChains.delete(networks[id]?.chain ?? '')
  const expectedMounts = [...ids.map((id) => `${id}/rootfs`), ...keys.map((key) => `netns/${key}`)]
  const ending = (mount: string) => mount.split('/').slice(-2).join('/')
  // Of the node itself: its own process and its engine's; the shims are counted by container.
  const strange = reading.processes.filter(
    ({ pid, args }) =>
      !reading.shims.some((shim) => shim.pid === pid) && !reading.engines.includes(pid) && !args.includes('--config'),
  )
  const populated = Object.entries(reading.cgroups).filter(([id]) => !ids.includes(id))
  return [
    ...reading.containers.filter((seen) => !ours.includes(seen)).map(({ id }) => `container ${id}`),
    ...strange.map(({ pid, args }) => `process ${pid} ${args.join(' ').slice(0, 120)}`),
    ...populated.map(([id, pids]) => `cgroup ${id} with ${pids.length} processes`),
    ...surplus(
      'shim of',
      reading.shims.map(({ id }) => id),
      ids,
    ),
    ...surplus('bundle', reading.bundles, ids),
    ...surplus('snapshot', reading.snapshots, ids),
    ...surplus('folder of files', reading.fileDirs, ids),
    ...surplus('mount', reading.mounts.map(ending), expectedMounts),
    ...surplus('network namespace', reading.netns, keys),
    ...surplus('network record', reading.records, keys),
    ...surplus(
      'address for',
      reading.addresses.map(({ key }) => key),
      keys,
    ),
    ...surplus(
      'forwarded port for',
      reading.ports.map(({ key }) => key),
      portKeys,
    ),
    ...reading.chains.filter((chain) => goneChains.has(chain)).map((chain) => `chain ${chain}`),
    ...reading.leases.map((lease) => `lease ${lease}`),
    ...deadSockets.map((socket) => `socket ${socket}`),
    ...(reading.rules.length > rulesPerBridge ? [`${reading.rules.length} rules name the bridge`] : []),
    ...(reading.bridgePorts > keys.length ? [`${reading.bridgePorts} devices on the bridge for ${keys.length}`] : []),
  ]
}

/** Everything that should not be on a host that came to rest. Nothing when all is well. */
export const judge = (judgement: Judgement): readonly Fault[] => [
  ...findDown(judgement).map((text): Fault => ({ row: 'wanted-up', text })),
  ...findOrphans(judgement).map((text): Fault => ({ row: 'no-orphans', text })),
]

/**
 * Containers that ran before and had no reason to be touched: still wanted with the same specification, not of the
 * kind that changed meanwhile, and not `exempt` (its shim was killed, so it counts as crashed).
 * @returns how many were compared, and those that are not the same process any more
 */
export const compareHealthy = (
  before: HostReading,
  after: HostReading,
  untouched: readonly WantedContainer[],
  exempt: ReadonlySet<string>,
): { readonly compared: number; readonly faults: readonly Fault[] } => {
  const healthy = before.containers.filter(
    (seen) =>
      seen.status === 'RUNNING' &&
      seen.startTicks > 0 &&
      !exempt.has(seen.id) &&
      untouched.some((one) => !one.crashes && isOf(one)(seen)),
  )
  const faults = healthy.flatMap((was): Fault[] => {
    const is = after.containers.find((seen) => seen.instance === was.instance && seen.container === was.container)
    if (is && is.specHash !== was.specHash)
      return [{ row: 'healthy-untouched', text: `${was.instance}/${was.container} got another specification` }]
    if (is?.pid === was.pid && is.startTicks === was.startTicks && is.id === was.id) return []
    const now = is ? `${is.id} process ${is.pid}` : 'nothing'
    return [
      {
        row: 'healthy-untouched',
        text: `${was.instance}/${was.container} was ${was.id} process ${was.pid}, is ${now}`,
      },
    ]
  })
  return { compared: healthy.length, faults }
}
