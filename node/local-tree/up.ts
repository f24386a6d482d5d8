import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { errorText, nearestName, SkerryError } from '../../base/index.ts'
import { nodesOf, parseTopology, type Topology } from '../../topologies/index.ts'
import {
  type CliCommand,
  type CliContext,
  type CommandInput,
  formatTable,
  textArgument,
  textOption,
  writeProfile,
} from '../cli/index.ts'
import {
  type HomeRecord,
  homeFile,
  type LocalTreePowers,
  makeToken,
  type NodeRecord,
  newPlace,
  startNode,
  tokenFileOf,
} from './node-processes.ts'
import { layoutTree, type NodeLayout } from './tree-layout.ts'

export interface UpPowers extends Omit<LocalTreePowers, 'say'> {
  /** Folder of the topology examples that come with the program. */
  readonly examplesDir: string
  readonly exampleNames: () => readonly string[]
}

/** A tree on one machine is for trying things out; more nodes than this are a fleet. */
const maxNodes = 30

const readTopologyFile = (given: string, powers: UpPowers): { text: string; source: string } => {
  const example = join(powers.examplesDir, `${given}.yaml`)
  const isFile = /[./\\]/.test(given)
  const path = isFile ? resolve(given) : example
  try {
    return { text: readFileSync(path, 'utf8'), source: isFile ? given : `${given}.yaml` }
  } catch (error) {
    if (isFile) throw new SkerryError('no-topology', `cannot read the topology ${given}: ${errorText(error)}`)
    const names = powers.exampleNames()
    const near = nearestName(given, names)
    throw new SkerryError(
      'no-topology',
      `there is no example ${given}${near ? `; did you mean ${near}?` : ''}. Examples: ${names.join(', ')}. A file of yours has a path, like ./${given}.yaml`,
    )
  }
}

const checkSize = (topology: Topology) => {
  const count = nodesOf(topology).length
  if (count > maxNodes)
    throw new SkerryError(
      'too-many-nodes',
      `${topology.network} has ${count} nodes, and skerry up runs at most ${maxNodes} on one machine: run skerry-tower, skerry-aggregator and skerry-edge on machines of their own, or start from a smaller topology`,
    )
}

const makeHome = (context: CliContext, given: string, runtime: string, powers: UpPowers): HomeRecord => {
  const file = homeFile(context.home)
  const { text, source } = readTopologyFile(given, powers)
  const topology = parseTopology(text, source)
  checkSize(topology)
  const before = file.load()
  if (before && before.topologyName !== source)
    throw new SkerryError(
      'other-topology',
      `${context.home} holds the tree of ${before.topologyName}: run "skerry down --remove" first, or give another --home`,
    )
  mkdirSync(context.home, { recursive: true, mode: 0o700 })
  const place = before ?? newPlace(powers.random)
  const tree = nodesOf(topology).map((node) => ({
    name: node.name,
    role: node.role,
    scope: node.scope,
    site: node.role === 'edge' ? (node.site ?? '') : '',
    parents: node.parents,
  }))
  const record: HomeRecord = {
    id: place.id,
    runBase: place.runBase,
    subnetBase: place.subnetBase,
    network: topology.network,
    runtime,
    topologyName: source,
    nodes: layoutTree(tree, { ...place, home: context.home }),
  }
  writeFileSync(join(context.home, 'topology.yaml'), text, { mode: 0o600 })
  makeToken(context.home, powers.random)
  file.save(record)
  return record
}

const startAll = async (
  context: CliContext,
  record: HomeRecord,
  chosen: readonly NodeLayout[],
  powers: UpPowers,
): Promise<ReadonlyMap<string, NodeRecord>> => {
  const started = new Map<string, NodeRecord>()
  for (const [at, node] of chosen.entries()) {
    context.progress(`starting ${node.role} ${node.name} (${at + 1} of ${chosen.length})`)
    started.set(node.name, await startNode(context.home, record, node, { ...powers, say: context.say }))
  }
  context.progress('')
  return started
}

const run = async (input: CommandInput, context: CliContext, powers: UpPowers): Promise<number> => {
  const runtime = textOption(input, 'runtime') ?? 'auto'
  if (!['auto', 'containerd', 'process'].includes(runtime))
    throw new SkerryError('invalid-option', `--runtime ${runtime}: give auto, containerd or process`)
  const record = makeHome(context, textArgument(input, 0) || 'single-site', runtime, powers)
  const only = textOption(input, 'node')
  const chosen = record.nodes.filter(({ name }) => only === undefined || name === only)
  if (chosen.length === 0)
    throw new SkerryError(
      'no-such-node',
      `${only} is no node of this tree; it has ${record.nodes.map(({ name }) => name).join(', ')}`,
    )
  const started = await startAll(context, record, chosen, powers)
  const nodes = record.nodes.flatMap((node) => {
    const running = started.get(node.name)
    return running ? [{ node, running }] : []
  })
  const top = nodes.find(({ node }) => node.role === 'tower') ?? nodes[0]
  if (top && (only === undefined || !existsSync(join(context.home, 'cli.json'))))
    writeProfile(context.home, {
      version: 1,
      endpoint: top.running.httpsUrl,
      fingerprint: top.running.fingerprint,
      'token-file': tokenFileOf(context.home),
      nodes: nodes.map(({ node, running }) => ({
        name: node.name,
        role: node.role,
        ...(node.site && { site: node.site }),
        endpoint: running.httpsUrl,
        fingerprint: running.fingerprint,
      })),
    })
  const value = nodes.map(({ node, running }) => ({
    name: node.name,
    role: node.role,
    scope: node.scope,
    site: node.site,
    pid: running.pid,
    endpoint: running.httpsUrl,
    fingerprint: running.fingerprint,
    'api-socket': running.apiSocket,
    'run-dir': node.runDir,
    'data-dir': node.dataDir,
    ...(node.role === 'edge' && { bridge: node.bridge, subnet: node.subnet, 'port-range': node.portRange }),
  }))
  const rows = value.map(({ name, role, scope, pid, endpoint }) => [name, role, scope, String(pid), endpoint])
  const columns = ['node', 'role', 'scope', 'process', 'api'].map((title) => ({ title }))
  const text = `${formatTable(columns, rows)}
Try next:
  skerry status                         what runs where
  skerry apply -f app.yaml --image app.tar
  skerry tree                           the zones, sites and hosts
  skerry down                           stop it; with --remove also delete its data
`
  await context.result({ home: context.home, network: record.network, nodes: value }, text)
  return 0
}

/** `skerry up`: a whole tree on this machine, one process per node. */
export const upCommand = (powers: UpPowers): CliCommand => ({
  name: 'up',
  summary: 'start a tree of nodes on this machine, one process each',
  args: [{ name: '[topology]', text: 'an example by name, or a topology file [default: single-site]' }],
  options: [
    { flags: '--runtime <driver>', text: 'containerd, process, or auto (containerd as root where it is installed)' },
    { flags: '--node <name>', text: 'start only this node of the tree' },
  ],
  examples: ['skerry up', 'skerry up two-zones', 'skerry up ./my-topology.yaml --runtime process'],
  run: (input, context) => run(input, context, powers),
})
