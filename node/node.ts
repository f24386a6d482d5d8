import { type Clock, errorText, type Log, type Random, SkerryError, type Timer } from '../base/index.ts'
import type { Mesh } from '../mesh/index.ts'
import type { Containers, Histories } from '../runtime/index.ts'
import { nodesOf, type Topology } from '../topologies/index.ts'
import type { ApiServices, NodeView } from './api/index.ts'
import { createApiServices } from './api-services.ts'
import type { NodeConfig } from './config.ts'
import { createDownlinks, type Downlinks } from './downlinks.ts'
import { createEdgeHost, type EdgeHost } from './edge-host.ts'
import { createForwarder } from './forwarding.ts'
import { createImages } from './images.ts'
import { createFleet, type Knowledge, knowledgeOfIntents } from './knowledge.ts'
import type { ArchiveStore, StateFile } from './powers/index.ts'
import type { Hash, SiteIntent } from './services/deployments/index.ts'
import { createTowerDesk, type TowerDesk } from './tower-desk.ts'
import { isWithin, type TreeNode } from './tree-node.ts'
import { createUplink, type Uplink } from './uplink.ts'
import { runtimeView } from './views/index.ts'

/** Everything a node can do to the world. Production and simulation hand in different ones. */
export interface NodePowers {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly mesh: Mesh
  readonly hash: Hash
  readonly archives: ArchiveStore
  readonly stateFile: <Value>(name: string) => StateFile<Value>
  /** What runs containers; an edge's alone. */
  readonly containers?: Containers
  /** The tree; a tower's alone. */
  readonly topology?: Topology
  readonly version: string
  readonly pid: number
  /** Resident memory of the process. */
  readonly rssBytes: () => number
}

export interface SkerryNode {
  readonly services: ApiServices
  start(): Promise<void>
  /** Lets go of everything; containers run on. */
  stop(): Promise<void>
}

/** What a parent hands a child: the part of the tree below it, and what each site of it is to do. */
interface Handed {
  readonly version: 1
  readonly nodes: readonly TreeNode[]
  readonly sites: readonly SiteIntent[]
}

const openTraffic = 'outbound traffic is open (not filtered yet)'

/** How long after a failed write an intent is taken again. */
const retryIntentsMs = 5_000

const nothingHanded: Handed = { version: 1, nodes: [], sites: [] }

const parseHanded = (value: unknown): Handed => {
  const handed = value as Partial<Handed> | null
  if (typeof handed?.version === 'number' && handed.version > 1)
    throw new SkerryError('newer-format', `the parent speaks version ${handed.version}, this node knows 1: update it`)
  if (handed?.version !== 1 || !Array.isArray(handed.nodes) || !Array.isArray(handed.sites))
    throw new SkerryError('bad-message', 'the parent handed down something that is not an intent')
  return handed as Handed
}

/** The part of a tree that belongs to the child `peer`; undefined when it is no child. */
const partFor = (whole: Handed, self: string, peer: string): Handed | undefined => {
  const child = whole.nodes.find(({ name }) => name === peer)
  if (!child?.parents.includes(self)) return undefined
  return {
    version: 1,
    nodes: child.role === 'edge' ? [child] : whole.nodes.filter(({ scope }) => isWithin(scope, child.scope)),
    sites: whole.sites.filter(({ place }) => isWithin(place.scope, child.scope)),
  }
}

const treeNodes = (topology: Topology): readonly TreeNode[] =>
  nodesOf(topology).map(({ name, role, scope, site, parents }) => ({ name, role, scope, site: site ?? '', parents }))

/** Puts one node together. Nothing happens before `start`. */
export const createNode = (config: NodeConfig, powers: NodePowers): SkerryNode => {
  const { clock, log, mesh, hash, archives } = powers
  const startedMs = clock.monotonicMs()
  const handedFile = powers.stateFile<Handed>('handed')
  let handed = nothingHanded
  const retell = () => {
    downlinks?.intentsChanged()
    uplink.reportChanged()
  }

  const images = createImages(archives, powers.stateFile('images'))
  const tower: TowerDesk | undefined =
    powers.topology &&
    createTowerDesk({
      topology: powers.topology,
      images,
      hash,
      clock,
      stateFile: powers.stateFile,
      onChange: retell,
    })
  const towerNodes = powers.topology ? treeNodes(powers.topology) : []
  const nodes = () => (tower ? towerNodes : handed.nodes)
  const whole = (): Handed => (tower ? { version: 1, nodes: towerNodes, sites: tower.intents() } : handed)

  const edge: EdgeHost | undefined =
    powers.containers &&
    createEdgeHost({
      name: config.name,
      site: config.site,
      host: config.name,
      portRange: config.portRange,
      containers: powers.containers,
      archives,
      acceptedFile: powers.stateFile('accepted'),
      historiesFile: powers.stateFile<Histories>('histories'),
      previousImagesFile: powers.stateFile('previous-images'),
      hash,
      clock,
      log,
      askArchive: (archive, signal) => uplink.askArchive(archive, signal),
    })

  const archiveBytes = async (archive: string, signal: AbortSignal) => {
    if (!archives.pathOf(archive) && config.parents.length > 0)
      await archives.keep((await uplink.askArchive(archive, signal)).body, archive)
    const bytes = archives.read(archive)
    if (!bytes) throw new SkerryError('not-held', `the archive ${archive} is not held at ${config.name}`)
    return bytes
  }

  const downlinks: Downlinks | undefined =
    config.role === 'edge'
      ? undefined
      : createDownlinks({
          mesh,
          clock,
          log: log.child('downlinks'),
          intentsFor: (peer) => partFor(whole(), config.name, peer),
          onReports: (peer, reports) => {
            fleet.note(peer, Array.isArray(reports) ? reports : [])
            uplink.reportChanged()
            tower
              ?.noteReports(fleet.reports())
              .catch((error: unknown) =>
                log.warn('reports could not be taken into account', { error: errorText(error) }),
              )
          },
          onChange: () => uplink.reportChanged(),
          archive: archiveBytes,
        })
  const fleet = createFleet({
    clock,
    expected: () =>
      nodes()
        .filter(({ role }) => role === 'edge')
        .map(({ name, site }) => ({ site, host: name, node: name })),
    children: () => downlinks?.children() ?? [],
  })
  const reports = () => (edge ? [{ ...edge.report(), ingressAddress: config.ingressAddress }] : fleet.reports())

  let retry: Timer | undefined
  const takeIntents = (value: unknown) => {
    retry?.cancel()
    try {
      const next = parseHanded(value)
      if (edge) {
        const mine = next.sites.find(({ site }) => site === config.site)
        if (mine) edge.accept(mine)
        handed = next
        edge.parentBack()
      } else {
        handedFile.save(next)
        handed = next
      }
      retell()
    } catch (error) {
      log.error('what the parent handed down was refused', { error: errorText(error) })
      // The parent will not say it again by itself; a full disk may have room by then.
      if (error instanceof SkerryError && (error.code === 'disk-full' || error.code === 'write-failed'))
        retry = clock.setTimer(retryIntentsMs, () => takeIntents(value))
    }
  }

  const knowledge = async (): Promise<Knowledge> => {
    if (tower) return tower.knowledge(reports())
    const accepted = edge?.accepted()
    return knowledgeOfIntents(edge ? (accepted ? [accepted] : []) : handed.sites, reports())
  }

  const nodeView = (): NodeView => {
    const link = uplink.state()
    const status = edge?.report().status
    const parentName = link.parent ?? nodes().find(({ name }) => name === config.name)?.parents[0] ?? 'unknown'
    return {
      name: config.name,
      role: config.role,
      version: powers.version,
      scope: config.scope,
      ...(config.site !== '' && { site: config.site, host: config.name }),
      pid: powers.pid,
      'uptime-ms': clock.monotonicMs() - startedMs,
      'rss-bytes': powers.rssBytes(),
      ...(config.parents.length > 0 && {
        parent: { node: parentName, link: link.up ? 'up' : 'down', 'age-ms': link.forMs },
      }),
      ...(status && { runtime: runtimeView(status) }),
      notes: edge
        ? [openTraffic, ...(status?.facts?.enforcesLimits === false ? ['limits are not enforced by this driver'] : [])]
        : [...(tower ? [openTraffic] : []), 'zone policies are shown but not enforced yet'],
    }
  }

  const noHost = () => {
    throw new SkerryError('not-found', `${config.name} runs no containers; name a site with --site`)
  }
  const forwarder = createForwarder({
    self: config.name,
    nodes,
    reports,
    local: {
      node: nodeView,
      exec: async (call, signal) => (edge ?? (noHost() as never)).exec(call.instance, { ...call, signal }),
      logs: (call, signal) => (edge ?? (noHost() as never)).logs(call.instance, { ...call, signal }),
    },
    request: (peer, question, signal) => (downlinks ?? (noHost() as never)).request(peer, question, signal),
  })

  const uplink: Uplink = createUplink({
    mesh,
    parents: config.parents,
    clock,
    random: powers.random.fork('uplink'),
    log: log.child('uplink'),
    onIntents: takeIntents,
    report: reports,
    onRequest: (question, signal) => forwarder.serve(question, signal),
  })

  return {
    services: createApiServices({
      config,
      nodes,
      knowledge,
      nodeView,
      forwarder,
      hash,
      images,
      ...(tower && { tower }),
      ...(powers.topology && { topology: powers.topology }),
    }),
    start: async () => {
      if (config.role === 'aggregator') handed = handedFile.load() ?? nothingHanded
      await tower?.start()
      await edge?.start()
      edge?.onChange(() => uplink.reportChanged())
      await mesh.start()
      uplink.start()
      log.info('started', { name: config.name, role: config.role, pid: powers.pid })
    },
    stop: async () => {
      retry?.cancel()
      await uplink.stop()
      await mesh.stop()
      await edge?.stop()
      log.info('stopped', { name: config.name })
    },
  }
}
