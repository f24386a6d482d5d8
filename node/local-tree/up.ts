import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkerryError, sleep } from '../../base/index.ts'
import type { MemberView, NodeView } from '../api/index.ts'
import {
  type CliCommand,
  type CliContext,
  type CommandInput,
  createClient,
  formatTable,
  listOption,
  textArgument,
  textOption,
  writeProfile,
} from '../cli/index.ts'
import { rerouted, withDetours } from './detours.ts'
import { type HomePowers, type HomeRecord, keepDetours, keepNetworkId, openHome } from './home.ts'
import {
  type LocalTreePowers,
  type NodeRecord,
  runningNode,
  startNode,
  stopNode,
  tokenFileOf,
} from './node-processes.ts'
import { inParallel, wavesOf } from './start-order.ts'
import type { NodeLayout } from './tree-layout.ts'

export type UpPowers = Omit<LocalTreePowers, 'say'> & HomePowers

/** Nodes beside each other that are started at a time: starting is work of the processor, not waiting. */
const startedAtOnce = 4

/** How long a host may take from its start until its parent has admitted it. */
const joinWithinMs = 60_000

const membersPath = '/v1/state/system/call-home-hosts'

const clientOf = ({ apiSocket }: NodeLayout, { clock, signal }: CliContext) =>
  createClient({ kind: 'socket', path: apiSocket }, { clock, signal })

/** Whether nobody has the host's name yet. A key of its own does not say: it makes one before it is let in. */
const isExpected = async (context: CliContext, parent: NodeLayout, { name, dataDir }: NodeLayout): Promise<boolean> => {
  if (!existsSync(join(dataDir, 'data', 'key.json'))) return true
  const members = await clientOf(parent, context).ask<readonly MemberView[]>('GET', membersPath, {
    query: { zone: parent.scope },
  })
  return members.some((member) => member.name === name && member['oper-status'] === 'expected')
}

/** A host that was never a member gets a one-time token of its parent, so that nobody has to compare fingerprints here. */
const giveToken = async (context: CliContext, record: HomeRecord, node: NodeLayout): Promise<void> => {
  const parent = record.nodes.find(({ name }) => node.parents.includes(name))
  if (parent === undefined || !runningNode(parent) || !(await isExpected(context, parent, node))) return
  const { token } = await clientOf(parent, context).ask<{ token: string }>('POST', `${membersPath}/${node.name}/token`)
  mkdirSync(node.dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(node.joinTokenFile, `${token}\n`, { mode: 0o600 })
}

/** Waits until the node is a member. One whose parent is away goes on by itself: it has joined before, or will later. */
const joined = async (context: CliContext, record: HomeRecord, node: NodeLayout): Promise<void> => {
  const isParentUp = () => record.nodes.some((one) => node.parents.includes(one.name) && runningNode(one))
  const { clock } = context
  const endMs = clock.monotonicMs() + joinWithinMs
  while (isParentUp()) {
    const { parent } = await clientOf(node, context).ask<NodeView>('GET', '/v1/state/node')
    if (parent?.link === 'up' || parent?.refusal === 'blocked') return
    if (clock.monotonicMs() > endMs) {
      context.say(`${node.name} has not joined after ${joinWithinMs / 1000} s: ${parent?.error ?? 'no answer yet'}`)
      return
    }
    await sleep(clock, 50, context.signal)
  }
}

const startAll = async (
  context: CliContext,
  given: HomeRecord,
  chosen: readonly NodeLayout[],
  powers: UpPowers,
): Promise<{ readonly record: HomeRecord; readonly started: ReadonlyMap<string, NodeRecord> }> => {
  const started = new Map<string, NodeRecord>()
  let record = given
  let begun = 0
  const startOne = async (node: NodeLayout) => {
    begun += 1
    context.progress(`starting ${node.role} ${node.name} (${begun} of ${chosen.length})`)
    await giveToken(context, record, node)
    const running = await startNode(context.home, record, node, powers)
    started.set(node.name, running)
    if (node.role === 'tower') record = keepNetworkId(context.home, record, running.networkId)
    // A zone must be one before it can hand tokens to its own.
    if (node.role !== 'edge') await joined(context, record, node)
  }
  for (const wave of wavesOf(chosen)) await inParallel(wave, startedAtOnce, startOne)
  for (const [at, node] of chosen.entries()) {
    context.progress(`waiting until ${node.name} has joined (${at + 1} of ${chosen.length})`)
    if (node.role === 'edge') await joined(context, record, node)
  }
  context.progress('')
  return { record, started }
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

/** Takes the ways that were given, and stops who runs and took another. */
const reroute = async (
  input: CommandInput,
  context: CliContext,
  record: HomeRecord,
  chosen: readonly NodeLayout[],
): Promise<HomeRecord> => {
  const before = record.detours ?? {}
  const detours = withDetours(before, listOption(input, 'via'), record.nodes, chosen)
  const changed = rerouted(before, detours, record.nodes)
  if (changed.length === 0) return record
  const next = keepDetours(context.home, record, detours)
  for (const node of changed) {
    if (!runningNode(node)) continue
    context.say(
      `${node.name} reaches its parent ${detours[node.name] === undefined ? 'straight' : `through ${detours[node.name]}`} now: starting it anew`,
    )
    await stopNode(node, context.clock)
  }
  return next
}

const run = async (input: CommandInput, context: CliContext, powers: UpPowers): Promise<number> => {
  const runtime = textOption(input, 'runtime')
  if (runtime !== undefined && !['auto', 'containerd', 'process'].includes(runtime))
    throw new SkerryError('invalid-option', `--runtime ${runtime}: give auto, containerd or process`)
  const topology = textArgument(input, 0) || undefined
  const { record: opened, outdated } = openHome(context.home, { topology, runtime }, powers)
  for (const node of outdated) {
    context.say(`the topology changed: starting ${node.name} anew`)
    await stopNode(node, context.clock)
  }
  const only = textOption(input, 'node')
  const chosen = opened.nodes.filter(({ name }) => only === undefined || name === only)
  if (chosen.length === 0)
    throw new SkerryError(
      'no-such-node',
      `${only} is no node of this tree; it has ${opened.nodes.map(({ name }) => name).join(', ')}`,
    )
  const routed = await reroute(input, context, opened, chosen)
  const { record, started } = await startAll(context, routed, chosen, powers)
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
    {
      flags: '--via <node=address>',
      many: true,
      text: "reach NODE's parent through HOST:PORT, as behind a proxy, until another is given; NODE=direct ends it",
    },
  ],
  examples: [
    'skerry up',
    'skerry up two-zones',
    'skerry up ./my-topology.yaml --runtime process',
    'skerry up two-zones --via north-aggregator=127.0.0.1:9000',
  ],
  run: (input, context) => run(input, context, powers),
})
