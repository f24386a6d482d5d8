import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import type { ExecutionContext } from 'ava'
import { eventually } from '../containers.contract.ts'
import { cgroupChildren, cgroupPids, cgroupRoot } from './cgroups.ts'
import { connectContainerd } from './containerd-client.ts'
import { imageNamespace, nodeCgroup, socketOf, tenantNamespace } from './containerd-options.ts'
import { mountsBelow } from './destroy-containerd.ts'
import { run } from './host-commands.ts'
import { hostProcess } from './host-processes.ts'
import { createContainerdContainers, destroyContainerd } from './index.ts'
import { createRealHost, image, powers, type RealHost } from './real-host.contract.ts'
import {
  enginePids,
  exited,
  find,
  forever,
  killPids,
  output,
  owner,
  page,
  portOf,
  real,
  shimPids,
  spec,
  tenant,
} from './real-stage.contract.ts'

real('containers outlive a killed containerd, and are adopted', async (t, host, containers) => {
  const { id, pid } = await containers.startContainer(owner(), spec(forever))
  const victim = await containers.startContainer(owner({ container: 'victim' }), spec(forever))
  killPids(enginePids(host))
  await t.throwsAsync(containers.observe(), { code: 'engine-unavailable' })
  await host.kill(victim)
  await containers.start()
  t.like(await find(containers, id), { state: 'running', pid })
  t.like(await exited(t, containers, victim.id), { exitReason: 'killed' })
  t.is(await output(containers, id, 'echo alive'), 'alive')
  await containers.removeContainer(id, { shutdownTimeoutMs: 1_000 })
  t.is(await find(containers, id), undefined)
})

real('watching goes on after containerd was killed and started again', async (t, host, containers) => {
  let wakes = 0
  const unwatch = containers.watch(() => {
    wakes += 1
  })
  killPids(enginePids(host))
  await containers.start()
  const { id } = await containers.startContainer(owner(), spec(forever))
  await eventually(t, 'a wake of the start', () => (wakes > 0 ? true : undefined))
  await containers.removeContainer(id, { shutdownTimeoutMs: 1_000 })
  // Hints may be late, never for ever: each kill is asked about anew until one is heard.
  await eventually(t, 'a wake for an end', async () => {
    const before = wakes
    const started = await containers.startContainer(owner(), spec('exit 0'))
    await exited(t, containers, started.id)
    await containers.removeContainer(started.id, { shutdownTimeoutMs: 0 })
    return wakes > before ? true : undefined
  })
  unwatch()
  t.true(wakes > 0)
})

real('a container whose shim was killed has ended and can be made anew', async (t, host, containers) => {
  const { id } = await containers.startContainer(owner(), spec(forever))
  killPids(shimPids(host))
  t.like(await exited(t, containers, id), { exitReason: 'killed', pid: 0 })
  await containers.removeContainer(id, { shutdownTimeoutMs: 1_000 })
  await eventually(t, 'no process of it is left', async () =>
    (await cgroupPids(nodeCgroup(host.options))).length === 0 ? true : undefined,
  )
  t.is((await containers.startContainer(owner(), spec(forever))).state, 'running')
})

/** What a power cut does: every process gone at once, and all that was kept in memory. */
const cutPower = async (t: ExecutionContext, host: RealHost): Promise<void> => {
  killPids([...enginePids(host), ...shimPids(host)])
  killPids(await cgroupPids(nodeCgroup(host.options)))
  await eventually(t, 'all are gone', async () =>
    (await cgroupPids(nodeCgroup(host.options))).length + enginePids(host).length + shimPids(host).length === 0
      ? true
      : undefined,
  )
  for (const mount of mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), host.options.runDir))
    await run('umount', ['-l', mount])
  await rm(host.options.runDir, { recursive: true })
}

real('after a power cut everything runs again from the disk, at the same ports', async (t, host, containers) => {
  const network = { instance: 'web.web-1', tenant, networkHash: 'h', ports: [portOf(host)] }
  await containers.attachNetwork(network)
  const { id } = await containers.startContainer(owner(), spec('exec httpd -f -p 80 -h /www'))
  await eventually(t, 'a page', () => page(host))
  await containers.stop()
  await cutPower(t, host)

  await containers.start()
  const seen = await containers.observe()
  t.is(seen.images[0]?.name, image)
  t.like(seen.networks[0], { state: 'lost', ports: network.ports, networkHash: 'h' })
  t.like(seen.containers[0], { id, state: 'exited', pid: 0 })
  const early = containers.startContainer(owner({ container: 'other' }), spec(forever))
  await t.throwsAsync(early, { code: 'network-failed' })
  await containers.removeContainer(id, { shutdownTimeoutMs: 1_000 })
  t.is((await containers.attachNetwork(network)).state, 'attached')
  await containers.startContainer(owner(), spec('exec httpd -f -p 80 -h /www'))
  t.is(await eventually(t, 'a page again', () => page(host)), 'hello from the image\n')
  await containers.detachNetwork(tenant, network.instance)
  const leases = readdirSync(`${host.options.dataDir}/ipam/skerry-${host.options.bridge}`)
  t.deepEqual(
    leases.filter((name) => name.startsWith('10.')),
    [],
  )
})

real('an address whose record was lost is freed', async (t, host, containers) => {
  await containers.attachNetwork({ instance: 'web.web-1', tenant, networkHash: 'h', ports: [] })
  const leases = () =>
    readdirSync(`${host.options.dataDir}/ipam/skerry-${host.options.bridge}`).filter((name) => name.startsWith('10.'))
  t.is(leases().length, 1)
  await containers.start()
  t.is(leases().length, 1)
  await rm(`${host.options.dataDir}/networks`, { recursive: true })
  await containers.start()
  t.deepEqual(leases(), [])
  t.is(
    (await containers.attachNetwork({ instance: 'web.web-1', tenant, networkHash: 'h', ports: [] })).state,
    'attached',
  )
})

real('an end of us in the middle of a start leaves nothing for ever', async (t, host, containers) => {
  const running = await containers.startContainer(owner(), spec(forever))
  const client = connectContainerd(socketOf(host.options), powers.clock)
  const labels = { 'skerry/v': '1', 'skerry/node': host.options.node, 'containerd.io/gc.root': '2020-01-01T00:00:00Z' }
  const namespace = `skerry.images.${host.options.node}`
  await mkdir(`${cgroupRoot}/memory${nodeCgroup(host.options)}/${tenant}/orphan`).catch(() =>
    mkdir(`${cgroupRoot}${nodeCgroup(host.options)}/${tenant}/orphan`),
  )
  t.deepEqual((await cgroupChildren(`${nodeCgroup(host.options)}/${tenant}`)).length, 2)
  const request = { snapshotter: 'overlayfs', key: 'orphan', parent: '', labels }
  await client.call('snapshots.prepare', request, { namespace })
  await containers.stop()
  await containers.start()
  const orphan = client.call('snapshots.stat', { snapshotter: 'overlayfs', key: 'orphan' }, { namespace })
  await t.throwsAsync(orphan, { message: /not found|does not exist/ })
  t.deepEqual(await cgroupChildren(`${nodeCgroup(host.options)}/${tenant}`), [running.id])
  client.close()
  t.is((await find(containers, running.id))?.pid, running.pid)
})

real('containers of other nodes, and of newer versions of us, are left alone', async (t, host, containers) => {
  const client = connectContainerd(socketOf(host.options), powers.clock)
  const namespace = tenantNamespace(tenant)
  const runtime = { name: 'io.containerd.runc.v2' }
  const empty = { type_url: 'x', value: new Uint8Array() }
  const make = (id: string, labels: Record<string, string>) =>
    client.call('containers.create', { container: { id, labels, image: '', runtime, spec: empty } }, { namespace })
  await make('foreign', { 'skerry/v': '1', 'skerry/node': 'another' })
  await make('newer', { 'skerry/v': '2', 'skerry/node': host.options.node })
  t.deepEqual((await containers.observe()).containers, [])
  for (const id of ['foreign', 'newer']) await containers.removeContainer(id, { shutdownTimeoutMs: 0 })
  const { containers: left } = await client.call('containers.list', { filters: [] }, { namespace })
  t.deepEqual(left.map(({ id }) => id).toSorted(), ['foreign', 'newer'])
  client.close()
})

real('containerd killed in the middle of starts leaves nothing that cannot be mended', async (t, host, containers) => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const starts = names.map((container) => containers.startContainer(owner({ container }), spec(forever)))
  const ended = Promise.allSettled(starts)
  await eventually(t, 'the first shim', () => (shimPids(host).length > 1 ? true : undefined))
  killPids(enginePids(host))
  for (const result of await ended)
    if (result.status === 'rejected') t.is((result.reason as { code: string }).code, 'engine-unavailable')
  await containers.start()
  for (const { id } of (await containers.observe()).containers)
    await containers.removeContainer(id, { shutdownTimeoutMs: 100 })
  const again = await Promise.all(
    names.map((container) => containers.startContainer(owner({ container }), spec(forever))),
  )
  t.is((await containers.observe()).containers.filter(({ state }) => state === 'running').length, 6)
  t.is(again.length, 6)
  await eventually(t, 'one shim for each', () => (shimPids(host).length === 6 ? true : undefined))
})

real('a full disk is called a full disk, and an import works once there is room', async (t, host, containers) => {
  if (host.options.engine.kind !== 'child') return t.fail()
  const { root } = host.options.engine
  await containers.removeImage(image)
  await containers.stop()
  killPids(enginePids(host))
  await eventually(t, 'containerd is gone', () => (enginePids(host).length === 0 ? true : undefined))
  await rm(root, { recursive: true })
  mkdirSync(root)
  await run('mount', ['-t', 'tmpfs', '-o', 'size=2500k', 'tmpfs', root])
  await containers.start()
  await t.throwsAsync(containers.importImage(host.archive.path), { code: 'disk-full', message: /free some space/ })
  t.deepEqual((await containers.observe()).images, [])
  await run('mount', ['-o', 'remount,size=40m', root])
  t.is((await containers.importImage(host.archive.path))[0]?.name, image)
})

real(
  'another node may use the same containerd, and goes without touching what is not its own',
  async (t, host, containers) => {
    const mine = await containers.startContainer(owner(), spec(forever))
    const guest = await createRealHost('gst')
    const engine = { kind: 'system', socket: socketOf(host.options) } as const
    const options = { ...guest.options, engine }
    const theirs = createContainerdContainers(options, powers)
    await theirs.start()
    t.deepEqual((await theirs.observe()).containers, [])
    t.deepEqual((await theirs.observe()).images, [])
    await theirs.importImage(guest.archive.path)
    const { id } = await theirs.startContainer(owner(), spec(forever))
    t.deepEqual(
      (await theirs.observe()).containers.map((one) => one.id),
      [id],
    )
    await theirs.removeContainer(mine.id, { shutdownTimeoutMs: 0 })
    await theirs.stop()
    t.deepEqual(await destroyContainerd(options, powers), [])
    t.deepEqual(await guest.destroy(), [])
    t.like(await find(containers, mine.id), { state: 'running', pid: mine.pid })
    t.is((await containers.observe()).images.length, 1)
    const client = connectContainerd(engine.socket, powers.clock)
    const { namespaces } = await client.call('namespaces.list', {})
    client.close()
    t.false(namespaces.some(({ name }) => name.includes(options.node)))
  },
)

real('all is removed also when containerd is dead and its containers live', async (t, host, containers) => {
  await containers.attachNetwork({ instance: 'web.web-1', tenant, networkHash: 'h', ports: [portOf(host)] })
  const { pid } = await containers.startContainer(owner(), spec(forever))
  killPids(enginePids(host))
  t.true(shimPids(host).length > 0)
  t.deepEqual(await host.destroy(), [])
  t.is(hostProcess(pid), undefined)
})

real('an import that an earlier life did not finish holds nothing for ever', async (t, host, containers) => {
  const client = connectContainerd(socketOf(host.options), powers.clock)
  t.teardown(() => client.close())
  const namespace = imageNamespace(host.options.node)
  for (const id of ['skerry-import-0123456789abcdef', 'held-by-a-person'])
    await client.call('leases.create', { id, labels: {} }, { namespace })
  await containers.start()
  const { leases } = await client.call('leases.list', { filters: [] }, { namespace })
  t.deepEqual(
    leases.map(({ id }) => id),
    ['held-by-a-person'],
  )
  await client.call('leases.delete', { id: 'held-by-a-person' }, { namespace })
})
