import type { Clock } from '../base/index.ts'
import { hostLabels, siteLabels, sites, type Topology } from '../topologies/index.ts'
import type { ConfigServices, RollbackView } from './api/index.ts'
import { createConfigServices } from './config-services.ts'
import type { Images } from './images.ts'
import type { Knowledge } from './knowledge.ts'
import type { StateFile } from './powers/index.ts'
import {
  type ConfigState,
  createDeployments,
  createMemoryConfigStore,
  type Hash,
  type HostReport,
  type SiteIntent,
  type SitePlace,
} from './services/deployments/index.ts'

/** What a tower does besides being a node: it holds configuration and says what each site is to do. */
export interface TowerDesk {
  readonly config: ConfigServices
  start(): Promise<void>
  /** What each site is to do now. */
  intents(): readonly SiteIntent[]
  knowledge(reports: readonly HostReport[]): Promise<Knowledge>
  noteReports(reports: readonly HostReport[]): Promise<void>
  rollback(deployment: string, toVersion?: string): Promise<RollbackView>
}

export interface TowerDeskOptions {
  readonly topology: Topology
  readonly images: Images
  readonly hash: Hash
  readonly clock: Clock
  readonly stateFile: <Value>(name: string) => StateFile<Value>
  /** Called after what sites are to do has changed. */
  readonly onChange: () => void
}

/** The one tenant of this release. */
const builtInTenant = 'default'

const placesOf = (topology: Topology): readonly SitePlace[] =>
  sites(topology)
    .filter(({ type }) => type === 'edge')
    .map((site) => ({
      site: site.name,
      scope: site.path,
      labels: siteLabels(topology, site),
      hosts: site.hosts.map((host) => ({ name: host.name, labels: hostLabels(host) })),
    }))

export const createTowerDesk = ({
  topology,
  images,
  hash,
  clock,
  stateFile,
  onChange,
}: TowerDeskOptions): TowerDesk => {
  const file = stateFile<ConfigState>('config')
  const places = placesOf(topology)
  const saved = file.load()
  const store = createMemoryConfigStore({ ...(saved && { state: saved }), commit: file.save })
  const trial = { places: () => places, images, hash, clock, tenant: builtInTenant, salt: builtInTenant }
  const deployments = createDeployments({ ...trial, store })
  const intents = new Map<string, SiteIntent>()

  const refresh = async (changed: readonly string[]) => {
    for (const site of changed) {
      const intent = await deployments.intentFor(site)
      if (intent) intents.set(site, intent)
    }
  }

  return {
    config: createConfigServices({ store, deployments, trial, topology: () => ({ ...topology }) }),
    start: async () => {
      await deployments.settle()
      await refresh(places.map(({ site }) => site))
      deployments.onChange((changed) => void refresh(changed).then(onChange))
    },
    intents: () => [...intents.values()],
    knowledge: async (reports) => {
      const [applications, stored, entries] = await Promise.all([
        store.listApplications(),
        store.listDeployments(),
        store.listIntents(),
      ])
      const orders = new Map([...intents].map(([site, { order }]) => [site, order]))
      return {
        applications,
        deployments: stored,
        places,
        entries,
        reports,
        intentOrder: (site) => orders.get(site) ?? 0,
      }
    },
    noteReports: (reports) => deployments.noteReports(reports),
    rollback: async (deployment, toVersion) => {
      const { from, to } = await deployments.rollback(deployment, toVersion)
      return { deployment, 'from-version': from, 'to-version': to }
    },
  }
}
