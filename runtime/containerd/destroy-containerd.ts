import { readFileSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { errorText, sleep } from '../../base/index.ts'
import { cgroupPids, removeCgroup, removeEmptyCgroup } from './cgroups.ts'
import { createCniNetworks, networkName } from './cni-networks.ts'
import { removeFound } from './container-removal.ts'
import { type ContainerdClient, unless } from './containerd-client.ts'
import { type ContainerdPowers, type Engine, findContainers, openEngine } from './containerd-engine.ts'
import {
  type ContainerdOptions,
  cgroupParent,
  imageNamespace,
  isTenantNamespace,
  nodeCgroup,
  socketOf,
} from './containerd-options.ts'
import { engineProcesses } from './containerd-process.ts'
import { run } from './host-commands.ts'
import { findProcesses, signalProcess } from './host-processes.ts'
import { closeFirewall } from './iptables-firewall.ts'
import { notedShims } from './shim-journal.ts'

const pollMs = 20
const killTimeoutMs = 10_000

/** Mount points below a directory, deepest first, from the text of `/proc/self/mountinfo` (proc(5)). */
export const mountsBelow = (mountinfo: string, directory: string): string[] =>
  mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
    .filter((path) => path === directory || path.startsWith(`${directory}/`))
    .toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1))

const unmountBelow = async (directory: string): Promise<void> => {
  // Mounts may lie on each other, so until none is left; each round takes at least one.
  for (let rounds = 64; rounds > 0; rounds--) {
    const mounts = mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), directory)
    if (mounts.length === 0) return
    for (const mount of mounts) await run('umount', ['-l', mount]).catch(() => {})
  }
  throw new Error('it still has mounts, so its files were left alone')
}

/** Kills until none is left: what dies may have left a child behind that was not there at the first look. */
const killAll = async (find: () => Promise<readonly number[]> | readonly number[], { clock }: ContainerdPowers) => {
  const deadlineMs = clock.monotonicMs() + killTimeoutMs
  for (let pids = await find(); pids.length > 0 && clock.monotonicMs() < deadlineMs; pids = await find()) {
    for (const pid of pids) signalProcess(pid, 'SIGKILL')
    await sleep(clock, pollMs)
  }
}

/** Shims of a containerd, by the socket they report to: known even when it is gone and remembers nothing. */
const shims = (socket: string) =>
  findProcesses(
    (args) => (args[0] ?? '').includes('containerd-shim') && args.at(args.indexOf('-address') + 1) === socket,
  )

/** Sockets of shims lie outside of our directories (containerd's source, runtime/v2/shim); each bundle names its own. */
const shimSockets = async (state: string): Promise<string[]> => {
  const bundles = `${state}/io.containerd.runtime.v2.task`
  const texts: Promise<string>[] = []
  // Two steps and no deeper: below lie the containers' own file systems.
  for (const namespace of await readdir(bundles).catch(() => []))
    for (const id of await readdir(`${bundles}/${namespace}`).catch(() => []))
      texts.push(readFile(`${bundles}/${namespace}/${id}/address`, 'utf8').catch(() => ''))
  return (await Promise.all(texts)).filter((text) => text.startsWith('unix:///run/containerd/s/'))
}

const emptyNamespace = async (client: ContainerdClient, namespace: string, snapshotter: string): Promise<void> => {
  const { images } = await client.call('images.list', { filters: [] }, { namespace })
  for (const { name } of images) await client.call('images.delete', { name, sync: false }, { namespace })
  const { leases } = await client.call('leases.list', { filters: [] }, { namespace })
  for (const { id } of leases) await client.call('leases.delete', { id }, { namespace })
  // Children go before their parents, so until nothing more can go.
  for (let removed = 1; removed > 0; ) {
    removed = 0
    for await (const { info } of client.stream('snapshots.list', { snapshotter, filters: [] }, { namespace }))
      for (const { name: key } of info) {
        const done = await client.call('snapshots.remove', { snapshotter, key }, { namespace }).then(
          () => 1,
          () => 0,
        )
        removed += done
      }
  }
  for await (const { info } of client.stream('content.list', { filters: [] }, { namespace }))
    for (const { digest } of info) await client.call('content.delete', { digest }, { namespace }).catch(() => {})
  await client.call('namespaces.delete', { name: namespace }, {}).catch(unless('not-found', 'precondition'))
}

/** Takes what is ours out of a containerd that stays. */
const leaveSystem = async (engine: Engine, options: ContainerdOptions, powers: ContainerdPowers): Promise<void> => {
  const { client, snapshotter } = engine
  const found = await findContainers(client, options.node, () => {})
  for (const { namespace, record, labelled } of found)
    await removeFound(
      { options, powers, engine },
      { namespace, id: record.id, tenant: labelled.owner.tenant, stopSignal: 9, shutdownTimeoutMs: 0 },
    )
  await emptyNamespace(client, imageNamespace(options.node), snapshotter)
  const { namespaces } = await client.call('namespaces.list', {})
  // Refused while another node's containers are in it, which is right.
  for (const { name } of namespaces.filter((each) => isTenantNamespace(each.name)))
    await client.call('namespaces.delete', { name }, {}).catch(unless('not-found', 'precondition'))
}

const endChild = async (options: ContainerdOptions, powers: ContainerdPowers): Promise<void> => {
  const { engine } = options
  if (engine.kind !== 'child') return
  // The engine first, or it would bury shims and restart things while they are taken away.
  await killAll(() => engineProcesses(engine).map(({ pid }) => pid), powers)
  const sockets = await shimSockets(engine.state)
  await killAll(() => shims(socketOf(options)).map(({ pid }) => pid), powers)
  for (const address of sockets) await rm(address.trim().slice('unix://'.length), { force: true })
  for (const name of await notedShims(options)) await rm(`/run/containerd/s/${name}`, { force: true })
}

/** Deletes a network device; Debian's base has no `ip`, so busybox and the system call (netdevice(7), 0x89a1) stand by. */
const deleteBridge = async (bridge: string): Promise<void> => {
  const script =
    'socket(S,2,2,0);$n=pack("a16",$ARGV[0]);ioctl(S,0x8914,$n.pack("s",0).("\\0"x22));ioctl(S,0x89a1,$n)or die"$!\\n"'
  const ways: [string, string[]][] = [
    ['ip', ['link', 'delete', bridge]],
    ['perl', ['-e', script, bridge]],
    ['busybox', ['ip', 'link', 'delete', bridge]],
  ]
  const failures: string[] = []
  for (const [command, args] of ways) {
    if (!hasDevice(bridge)) return
    await run(command, args).catch((error: unknown) => failures.push(errorText(error)))
  }
  if (hasDevice(bridge)) throw new Error(`cannot delete the bridge ${bridge}: ${failures.join('; ')}`)
}

const hasDevice = (name: string): boolean => {
  try {
    readFileSync(`/sys/class/net/${name}/mtu`)
    return true
  } catch {
    return false
  }
}

/** What could not be removed, in words. Empty when nothing is left. */
export type Remains = readonly string[]

/**
 * Removes everything a node made on this host: containers, their processes and shims, images, file systems, networks,
 * bridge, packet filter rules, cgroups, its own containerd, its run and data directories. The system's containerd stays
 * and loses only what is this node's. Works after a crash and without a containerd that answers; may be repeated.
 * It goes on past failures and names them at the end.
 */
export const destroyContainerd = async (
  options: ContainerdOptions,
  powers: ContainerdPowers,
  /** `keepData` leaves what lies on disk, so that a later start finds images, logs and network records. @default false */
  { keepData = false }: { keepData?: boolean } = {},
): Promise<Remains> => {
  const remains: string[] = []
  const step = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      remains.push(`${what}: ${errorText(error)}`)
    }
  }
  const { engine } = options
  if (engine.kind === 'system')
    await step('containers in the system containerd', async () => {
      const opened = await openEngine(options, powers)
      try {
        await leaveSystem(opened, options, powers)
      } finally {
        opened.client.close()
      }
    })
  await step('containerd', () => endChild(options, powers))
  await step('processes', () => killAll(() => cgroupPids(nodeCgroup(options)), powers))
  await step('cgroups', async () => {
    await removeCgroup(nodeCgroup(options))
    // The one above is shared by the nodes of this host: the last turns out the light.
    await removeEmptyCgroup(cgroupParent(options))
  })
  await step('networks', async () => {
    const networks = createCniNetworks(options, powers.log)
    for (const { tenant, instance } of await networks.list()) await networks.detach(tenant, instance)
  })
  await step('packet filter', () => closeFirewall(options, networkName(options)))
  await step('bridge', () => deleteBridge(options.bridge))
  const [state, root] = engine.kind === 'child' ? [[engine.state], [engine.root]] : [[], []]
  const persistent = [...root, options.dataDir]
  for (const directory of [...state, options.runDir, ...persistent])
    await step(directory, async () => {
      await unmountBelow(directory)
      if (!keepData || !persistent.includes(directory)) await rm(directory, { recursive: true, force: true })
    })
  return remains
}
