import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkerryError } from '../../base/index.ts'
import type { ContainerView, NodeView, ServiceInstanceView } from '../../node/index.ts'
import { type ShopPage, shopDeployment, shopSpecification } from './shop.ts'
import { commandLines, type DemoNode, httpBody, type World } from './world.ts'

export type Evidence = Readonly<Record<string, unknown>>

/** One thing the demo shows. */
export interface DemoStep {
  readonly name: string
  /** In a few words, for a table. */
  readonly brief: string
  /** What it proves, in words. */
  readonly proves: string
  /** Why it cannot be proved with this driver or in this tree; undefined where it can. @default it always can */
  readonly unproven?: (world: World) => string | undefined
  /** @throws {SkerryError} when it does not hold */
  readonly run: (world: World) => Promise<Evidence>
}

/** @throws {SkerryError} `not-shown` when it does not hold */
export const must = (holds: boolean, what: string): void => {
  if (!holds) throw new SkerryError('not-shown', what)
}

export const containerOf = (instances: readonly ServiceInstanceView[], service: string): ContainerView => {
  const container = instances.find((one) => one.service === service)?.containers[0]
  if (!container) throw new SkerryError('not-shown', `no container of service ${service}`)
  return container
}

export type Pids = Readonly<Record<string, number>>

/** Process ids by instance and container. */
export const pidsOf = (instances: readonly ServiceInstanceView[]): Pids =>
  Object.fromEntries(
    instances.flatMap(({ name, containers }) => containers.map((one) => [`${name}/${one.name}`, one.pid])),
  )

export const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

export const webPort = (instances: readonly ServiceInstanceView[]): number => {
  const port = instances.find(({ service }) => service === 'web')?.ports[0]?.['host-port']
  if (port === undefined) throw new SkerryError('not-shown', 'the web service has no port on the host')
  return port
}

export interface Settling {
  /** @default the first one */
  readonly site?: string | undefined
  /** @default any */
  readonly accept?: (instances: readonly ServiceInstanceView[]) => boolean
  /** @default 30000 */
  readonly timeoutMs?: number
}

/** The instances of the shop at a site once all are ready, of `version`, and `accept` holds. */
export const settled = (
  world: World,
  version: string,
  { site, accept = () => true, timeoutMs = 30_000 }: Settling = {},
): Promise<readonly ServiceInstanceView[]> =>
  world.until(`shop ${version} ready at ${site ?? world.sites()[0]}`, timeoutMs, async () => {
    const instances = await world.instances('shop', site)
    // One web, and a till on each host.
    const count = 1 + world.hostsOf(site).length
    const isThere = instances.length === count && instances.every((one) => one.ready)
    const all = isThere && instances.every((one) => one['application-version'] === version)
    return all && accept(instances) ? instances : undefined
  })

/** What runs at each site, once all of these are settled. */
export const settledSites = async (
  world: World,
  version: string,
  sites: readonly string[],
  timeoutMs?: number,
): Promise<Readonly<Record<string, readonly ServiceInstanceView[]>>> =>
  Object.fromEntries(
    await Promise.all(
      sites.map(async (site) => [
        site,
        await settled(world, version, { site, ...(timeoutMs !== undefined && { timeoutMs }) }),
      ]),
    ),
  )

export const pidsOfSites = (
  sites: Readonly<Record<string, readonly ServiceInstanceView[]>>,
): Readonly<Record<string, Pids>> =>
  Object.fromEntries(Object.entries(sites).map(([site, instances]) => [site, pidsOf(instances)]))

/** What runs at each site now, settled or not. */
export const pidsNow = async (world: World, sites: readonly string[]): Promise<Readonly<Record<string, Pids>>> =>
  pidsOfSites(
    Object.fromEntries(await Promise.all(sites.map(async (site) => [site, await world.instances('shop', site)]))),
  )

/** The version of the shop that the tower wants everywhere. */
export const standingVersion = async (world: World): Promise<string> =>
  (
    await world.get<{ 'application-version': string }>(
      world.node('tower'),
      '/v1/config/application-deployments/shop-everywhere',
    )
  )['application-version']

export interface ShopChange extends ShopPage {
  /** The node at which it is applied. @default the tower */
  readonly at?: string
  /** Path of an archive that comes along. @default none */
  readonly archive?: string
}

/** Applies a version of the shop, and waits for nothing. */
export const applyShop = async (world: World, version: string, change: ShopChange = {}): Promise<void> => {
  const { at, archive, ...page } = change
  const text = `${shopSpecification(version, world.driver, page)}---\n${shopDeployment(version)}`
  const path = file(world, `shop-${version}.yaml`, text)
  const where = at === undefined ? [] : ['--node', at]
  await world.skerry([...where, 'apply', '-f', path, ...(archive === undefined ? [] : ['--image', archive])])
}

export const greetingOf = (version: string): string => `hello from shop version ${version}`

export const file = (world: World, name: string, text: string | Uint8Array): string => {
  const path = join(world.home, name)
  writeFileSync(path, text)
  return path
}

export const answered = (world: World, instances: readonly ServiceInstanceView[], text: string): Promise<string> =>
  world.until(`an answer with "${text}"`, 10_000, async () => {
    const body = await httpBody(webPort(instances))
    return body.includes(text) ? body : undefined
  })

export const nodeView = (world: World, node: DemoNode): Promise<NodeView> => world.get<NodeView>(node, '/v1/state/node')

/** Waits until a node is linked to its parent again. A link that was lost for long is tried again only after a while. */
export const linked = (world: World, node: DemoNode, timeoutMs = 60_000): Promise<NodeView> =>
  world.until(`${node.name} linked to its parent`, timeoutMs, async () => {
    const view = await nodeView(world, node)
    return view.parent?.link === 'up' ? view : undefined
  })

/** Ends a node's process and waits until it is gone. */
export const endNode = async (world: World, { name, pid }: DemoNode, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
  process.kill(pid, signal)
  await world.until(`${name} to end`, 15_000, async () => {
    const left = (await commandLines()).find((line) => line.pid === pid)
    // An ended process that nobody reaped stays listed as defunct.
    return !left || left.command.includes('<defunct>') ? true : undefined
  })
}

/** The zone right above a scope. */
export const zoneAbove = (scope: string): string => scope.slice(0, scope.lastIndexOf('/')) || '/'

/** The node that runs the zone right above another node; undefined for a tower. */
export const parentNode = (world: World, { role, scope }: DemoNode): DemoNode | undefined =>
  role === 'tower' ? undefined : world.nodes().find((one) => one.role !== 'edge' && one.scope === zoneAbove(scope))

/** Nodes right below a zone. */
export const edgesBelow = (world: World, zone: string): readonly DemoNode[] =>
  world.nodes().filter(({ role, scope }) => role === 'edge' && zoneAbove(scope) === zone)
