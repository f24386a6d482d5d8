import type { Site, Topology, Zone } from '../../topologies/index.ts'
import { roles } from '../config.ts'
import type { TreeNode } from '../tree-node.ts'

/** Where a node of the tree lives and what it may use: nothing two nodes share. Paths are absolute. */
export interface NodeLayout extends TreeNode {
  readonly dataDir: string
  readonly runDir: string
  readonly configFile: string
  readonly logFile: string
  readonly apiSocket: string
  /** Where the node accepts links, as host:port: of children, or of siblings at an edge; empty in a tree of before. */
  readonly meshAddress: string
  /** The part of the tree a tower or an aggregator reads; empty for an edge. */
  readonly topologyFile: string
  /** The one-time token the node joins with. */
  readonly joinTokenFile: string
  readonly bridge: string
  readonly subnet: string
  readonly portRange: readonly [number, number]
}

export interface TreePlace {
  /** Persistent folder of the tree. */
  readonly home: string
  /** Volatile folder of the tree; short, because socket paths must stay under 104 bytes (macOS). */
  readonly runBase: string
  /** Eight hexadecimal digits, drawn once per home: names of devices must not clash with another tree's. */
  readonly id: string
  /** The second and third byte of the first edge's subnet 10.x.y.0/24, as x × 256 + y. */
  readonly subnetBase: number
  /** The first of as many ports in a row as a tree may have nodes. */
  readonly meshPortBase: number
}

/** Edges get a hundred ports each, below the range the kernel gives to outgoing connections (32768 and up). */
const portsPerEdge = 100
const firstPort = 20_000
const portSlots = 127

/**
 * Lays the tree out on one machine: folders, sockets, bridge, subnet and port range of each node, parents first.
 * Pure: the same tree at the same place is always laid out alike.
 */
export const layoutTree = (nodes: readonly TreeNode[], place: TreePlace): readonly NodeLayout[] => {
  const ordered = nodes.toSorted(
    (a, b) => roles.indexOf(a.role) - roles.indexOf(b.role) || a.scope.length - b.scope.length,
  )
  const firstSlot = Number.parseInt(place.id, 16) % portSlots
  let edges = 0
  return ordered.map((node, index) => {
    const edge = node.role === 'edge' ? edges++ : 0
    const from = firstPort + ((firstSlot + edge) % portSlots) * portsPerEdge
    const subnet = (place.subnetBase + edge) % 65536
    const dataDir = `${place.home}/nodes/${node.name}`
    const runDir = `${place.runBase}/${index}`
    return {
      ...node,
      dataDir,
      runDir,
      configFile: `${dataDir}/node.yaml`,
      logFile: `${dataDir}/node.log`,
      apiSocket: `${runDir}/api.sock`,
      meshAddress: `127.0.0.1:${place.meshPortBase + index}`,
      topologyFile: node.role === 'edge' ? '' : `${dataDir}/topology.yaml`,
      joinTokenFile: `${dataDir}/join-token`,
      bridge: `sk${place.id.slice(0, 6)}-${edge}`,
      subnet: `10.${subnet >> 8}.${subnet & 255}.0/24`,
      portRange: [from, from + portsPerEdge - 1] as const,
    }
  })
}

/** The options of one node as a file, in YAML. */
export const nodeFile = (
  node: NodeLayout,
  tree: {
    /** Empty before the tower has founded the network. */
    readonly networkId: string
    readonly tokenFile: string
    readonly runtime: string
    readonly parents: readonly NodeLayout[]
    /** Other aggregators of its zone. @default there are none */
    readonly fellows?: readonly NodeLayout[]
    /** Where the node reaches its parents, as `host:port`. @default where they listen */
    readonly detour?: string | undefined
    readonly logLevel: string
  },
): string => {
  const options: Readonly<Record<string, string>> = {
    name: node.name,
    role: node.role,
    'network-id': node.role === 'tower' ? '' : tree.networkId,
    scope: node.scope,
    'data-dir': `${node.dataDir}/data`,
    'run-dir': node.runDir,
    'api-listen': '127.0.0.1:0',
    'token-file': tree.tokenFile,
    'log-level': tree.logLevel,
    parents: tree.detour ?? tree.parents.map(({ meshAddress }) => meshAddress).join(','),
    ...((tree.fellows ?? []).length > 0 && {
      fellows: (tree.fellows ?? []).map(({ meshAddress }) => meshAddress).join(','),
    }),
    ...(node.role !== 'tower' && { 'join-token-file': node.joinTokenFile, 'host-id': node.name }),
    ...(node.role === 'edge'
      ? {
          site: node.site,
          runtime: tree.runtime,
          'containerd-socket': 'own',
          bridge: node.bridge,
          subnet: node.subnet,
          'port-range': node.portRange.join('-'),
          'ingress-address': '127.0.0.1',
          'mesh-listen': node.meshAddress,
        }
      : { 'mesh-listen': node.meshAddress, topology: node.topologyFile }),
  }
  return `${Object.entries(options)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join('\n')}\n`
}

/** A topology in which siblings reach the hosts of each site where they live on this machine, whatever its file says. */
export const withSiblings = (topology: Topology, nodes: readonly NodeLayout[]): Topology => {
  const addresses = new Map(nodes.map(({ name, meshAddress }) => [name, meshAddress]))
  const siteHere = (site: Site): Site => {
    const siblings = site.hosts.flatMap(({ name }) => addresses.get(name) || [])
    const { siblings: _, ...rest } = site
    return site.type === 'edge' && siblings.length === site.hosts.length ? { ...rest, siblings } : rest
  }
  const zoneHere = (zone: Zone): Zone => ({ ...zone, sites: zone.sites.map(siteHere), zones: zone.zones.map(zoneHere) })
  return { ...topology, root: zoneHere(topology.root) }
}
