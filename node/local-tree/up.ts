import { SkerryError } from '../../base/index.ts'
import {
  type CliCommand,
  type CliContext,
  type CommandInput,
  formatTable,
  textArgument,
  textOption,
  writeProfile,
} from '../cli/index.ts'
import { type HomePowers, type HomeRecord, openHome } from './home.ts'
import {
  type LocalTreePowers,
  type NodeRecord,
  runningNode,
  startNode,
  stopNode,
  tokenFileOf,
} from './node-processes.ts'
import type { NodeLayout } from './tree-layout.ts'

export type UpPowers = Omit<LocalTreePowers, 'say'> & HomePowers

const startAll = async (
  context: CliContext,
  record: HomeRecord,
  chosen: readonly NodeLayout[],
  powers: UpPowers,
): Promise<ReadonlyMap<string, NodeRecord>> => {
  const started = new Map<string, NodeRecord>()
  for (const [at, node] of chosen.entries()) {
    context.progress(`starting ${node.role} ${node.name} (${at + 1} of ${chosen.length})`)
    started.set(node.name, await startNode(context.home, record, node, powers))
  }
  context.progress('')
  return started
}

/** Writes how to reach what runs now: the tower first, or whatever is nearest to it. */
const keepProfile = (home: string, record: HomeRecord): void => {
  const running = record.nodes.flatMap((node) => {
    const found = runningNode(node)
    return found ? [{ node, found }] : []
  })
  const [top] = running
  if (!top) return
  writeProfile(home, {
    version: 1,
    endpoint: top.found.httpsUrl,
    fingerprint: top.found.fingerprint,
    'token-file': tokenFileOf(home),
    nodes: running.map(({ node, found }) => ({
      name: node.name,
      role: node.role,
      ...(node.site && { site: node.site }),
      endpoint: found.httpsUrl,
      fingerprint: found.fingerprint,
    })),
  })
}

const run = async (input: CommandInput, context: CliContext, powers: UpPowers): Promise<number> => {
  const runtime = textOption(input, 'runtime')
  if (runtime !== undefined && !['auto', 'containerd', 'process'].includes(runtime))
    throw new SkerryError('invalid-option', `--runtime ${runtime}: give auto, containerd or process`)
  const topology = textArgument(input, 0) || undefined
  const { record, outdated } = openHome(context.home, { topology, runtime }, powers)
  for (const node of outdated) {
    context.say(`the topology changed: starting ${node.name} anew`)
    await stopNode(node, context.clock)
  }
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
  keepProfile(context.home, record)
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
