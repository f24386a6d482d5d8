import { errorText } from '../../../base/index.ts'
import type { MemberView, NodeView, ServiceInstanceView } from '../../../node/index.ts'
import { type DemoNode, httpBody } from '../../demo/index.ts'
import { applications, deploymentOf } from './applications.ts'
import type { TreeScene } from './tree-scene.ts'

/** One container as the edge it runs on tells of it. */
export interface SeenContainer {
  /** Site, instance and container. */
  readonly name: string
  readonly application: string
  readonly service: string
  readonly site: string
  readonly version: string
  readonly specHash: string
  readonly id: string
  readonly pid: number
  readonly restarts: number
  readonly ready: boolean
  /** What its port answered, where it has one. */
  readonly page?: string
}

export interface SeenNode {
  readonly name: string
  readonly fingerprint: string
  /** Undefined at a tower. */
  readonly link?: 'up' | 'down'
  readonly error?: string
}

/** What the tower says of an application somewhere below it: a site, or a zone that lets out counts. */
export interface SeenPlace {
  readonly where: string
  readonly version: string
  readonly isWanted: boolean
  readonly wanted: number
  readonly ready: number
  readonly failing: number
}

export interface TreeReading {
  readonly nodes: readonly SeenNode[]
  readonly containers: readonly SeenContainer[]
  /** What the tower has in force: the version by application; none where the deployment is removed. */
  readonly deployed: Readonly<Record<string, string>>
  /** What the tower hears of, by application. */
  readonly told: Readonly<Record<string, readonly SeenPlace[]>>
  /** Everybody listed at a tower or aggregator, as `node: name status`. */
  readonly members: readonly { readonly at: string; readonly name: string; readonly status: string }[]
}

interface ApplicationState {
  readonly sites: readonly {
    readonly site: string
    readonly version: string
    readonly phase: string
    readonly wanted: { readonly count: number }
    readonly ready: { readonly count: number }
    readonly failing: { readonly count: number }
  }[]
  readonly zones?: readonly {
    readonly zone: string
    readonly version: string
    readonly wanted: { readonly count: number }
    readonly ready: { readonly count: number }
    readonly failing: { readonly count: number }
  }[]
}

const pageOf = async ({ ports }: ServiceInstanceView): Promise<string | undefined> => {
  const port = ports[0]?.['host-port']
  return port === undefined ? undefined : httpBody(port).catch((error: unknown) => errorText(error))
}

const containersOf = async ({ world }: TreeScene, edge: DemoNode, application: string): Promise<SeenContainer[]> => {
  const path = `/v1/state/applications/${application}/service-instances`
  // An edge that was never told of an application does not know its name.
  const known = await world.get<readonly { name: string }[]>(edge, '/v1/state/applications')
  if (!known.some(({ name }) => name === application)) return []
  const instances = await world.get<readonly ServiceInstanceView[]>(edge, path)
  const found = await Promise.all(
    instances.map(async (instance) => {
      const page = await pageOf(instance)
      return instance.containers.map(
        (container): SeenContainer => ({
          name: `${instance.site}/${instance.name}/${container.name}`,
          application,
          service: instance.service,
          site: instance.site,
          version: instance['application-version'],
          specHash: container['spec-hash'] ?? '',
          id: container.id ?? '',
          pid: container.pid,
          restarts: container['total-restarts'],
          ready: instance.ready,
          ...(page !== undefined && { page }),
        }),
      )
    }),
  )
  return found.flat()
}

const seenNode = async ({ world }: TreeScene, node: DemoNode): Promise<SeenNode> => {
  const { name, fingerprint = '', parent } = await world.get<NodeView>(node, '/v1/state/node')
  return {
    name,
    fingerprint,
    ...(parent && { link: parent.link }),
    ...(parent?.error !== undefined && { error: parent.error }),
  }
}

const toldOf = async ({ world }: TreeScene, application: string): Promise<readonly SeenPlace[]> => {
  const { sites, zones = [] } = await world.get<ApplicationState>(
    world.node('tower'),
    `/v1/state/applications/${application}`,
  )
  const counts = ({
    wanted,
    ready,
    failing,
  }: ApplicationState['sites'][number] | NonNullable<ApplicationState['zones']>[number]) => ({
    wanted: wanted.count,
    ready: ready.count,
    failing: failing.count,
  })
  return [
    ...sites.map((one) => ({
      where: one.site,
      version: one.version,
      isWanted: one.phase === 'run',
      ...counts(one),
    })),
    ...zones.map((one) => ({ where: one.zone, version: one.version, isWanted: one.wanted.count > 0, ...counts(one) })),
  ]
}

const membersAt = async ({ world }: TreeScene, node: DemoNode) =>
  (await world.get<readonly MemberView[]>(node, '/v1/state/system/call-home-hosts')).map((member) => ({
    at: node.name,
    name: member.name ?? member.fingerprint ?? '?',
    status: member['oper-status'],
  }))

/** What the tower has in force now. */
export const readDeployed = async ({ world }: TreeScene): Promise<TreeReading['deployed']> => {
  const deployments = await world.get<readonly { name: string; 'application-version': string }[]>(
    world.node('tower'),
    '/v1/config/application-deployments',
  )
  const at = (application: string) =>
    deployments.find(({ name }) => name === deploymentOf(application))?.['application-version']
  return Object.fromEntries(
    applications.flatMap((application) => {
      const version = at(application)
      return version === undefined ? [] : [[application, version]]
    }),
  )
}

/** Asks every node of the tree for what it knows. @throws when one does not answer */
export const readTree = async (scene: TreeScene): Promise<TreeReading> => {
  const { world } = scene
  const nodes = world.nodes()
  const edges = nodes.filter(({ role }) => role === 'edge')
  const [seen, containers, deployed, told, members] = await Promise.all([
    Promise.all(nodes.map((node) => seenNode(scene, node))),
    Promise.all(edges.flatMap((edge) => applications.map((application) => containersOf(scene, edge, application)))),
    readDeployed(scene),
    Promise.all(applications.map(async (application) => [application, await toldOf(scene, application)] as const)),
    Promise.all(nodes.filter(({ role }) => role !== 'edge').map((node) => membersAt(scene, node))),
  ])
  return {
    nodes: seen,
    containers: containers.flat(),
    deployed,
    told: Object.fromEntries(told),
    members: members.flat(),
  }
}
