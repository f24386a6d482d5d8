import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errorText, nearestName, type Random, type ScopePath, SkerryError } from '../../base/index.ts'
import { formatTopology, nodesOf, parseTopology, sliceFor, type Topology } from '../../topologies/index.ts'
import { createStateFile, type StateFile } from '../powers/index.ts'
import type { TreeNode } from '../tree-node.ts'
import type { Detours } from './detours.ts'
import { makeToken, newPlace, runningNode, tokenFileOf } from './node-processes.ts'
import { layoutTree, type NodeLayout, withSiblings } from './tree-layout.ts'

/** What `up` keeps of the tree it made. */
export interface HomeRecord {
  readonly id: string
  readonly runBase: string
  readonly subnetBase: number
  readonly meshPortBase: number
  readonly network: string
  /** Empty until the tower has founded the network. */
  readonly networkId: string
  readonly runtime: string
  readonly topologyName: string
  /** What the person gave, as a name or an absolute path, for the next `up` without one. */
  readonly topologyGiven: string
  readonly nodes: readonly NodeLayout[]
  /** Nodes that reach their parents through an address given by a person. @default none */
  readonly detours?: Detours
}

export interface HomePowers {
  readonly random: Random
  /** Folder of the topology examples that come with the program. */
  readonly examplesDir: string
  readonly exampleNames: () => readonly string[]
}

/** A tree on one machine is for trying things out; more nodes than this are a fleet. */
const maxNodes = 30

export const homeFile = (home: string): StateFile<HomeRecord> => createStateFile<HomeRecord>(join(home, 'home.json'))
export const topologyFileOf = (home: string): string => join(home, 'topology.yaml')

const readTopologyFile = (given: string, powers: HomePowers): { text: string; source: string } => {
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
      `${topology.network} has ${count} nodes, and skerry up runs at most ${maxNodes} on one machine: run each on a machine of its own (README, Nodes as services), see how trees behave in virtual time with npm run simulate (docs/simulation.md), or start from a smaller topology`,
    )
}

const treeOf = (topology: Topology): readonly TreeNode[] =>
  nodesOf(topology).map(({ name, role, scope, site, parents }) => ({
    name,
    role,
    scope,
    site: role === 'edge' ? (site ?? '') : '',
    parents,
  }))

const identity = ({ name, role, scope, parents }: TreeNode) => `${role} ${name} at ${scope} under ${parents.join(', ')}`

/** A tree that exists keeps its nodes: each has its own place on this machine, which a new layout would move. */
const checkSameTree = (home: string, before: HomeRecord, next: readonly TreeNode[]): void => {
  const [old, now] = [before.nodes.map(identity), next.map(identity)]
  const changed = [
    ...now.filter((line) => !old.includes(line)).map((line) => `new: ${line}`),
    ...old.filter((line) => !now.includes(line)).map((line) => `gone: ${line}`),
  ]
  if (changed.length > 0)
    throw new SkerryError(
      'other-topology',
      `the nodes of ${before.topologyName} changed since the tree in ${home} was made (${changed.slice(0, 5).join('; ')}): run "skerry down --remove" first, or give another --home. Labels and policies may change at any time`,
    )
}

const checkRuntime = (home: string, before: HomeRecord, asked: string | undefined): void => {
  if (asked !== undefined && asked !== before.runtime)
    throw new SkerryError(
      'other-runtime',
      `the tree in ${home} runs with ${before.runtime}, not ${asked}: run "skerry down --remove" first, or give another --home`,
    )
}

/** Gives a tower or an aggregator the part of the tree it may read. @returns whether that is another than before */
const writeSlice = (node: NodeLayout, topology: Topology): boolean => {
  if (node.topologyFile === '') return false
  const text = formatTopology(sliceFor(topology, node.scope as ScopePath))
  if (existsSync(node.topologyFile) && readFileSync(node.topologyFile, 'utf8') === text) return false
  mkdirSync(node.dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(node.topologyFile, text, { mode: 0o600 })
  return true
}

/** Keeps the id of the network once the tower has founded it. */
export const keepNetworkId = (home: string, record: HomeRecord, networkId: string): HomeRecord => {
  const next = { ...record, networkId }
  if (record.networkId !== networkId) homeFile(home).save(next)
  return next
}

/** Keeps the ways that nodes take from now on. */
export const keepDetours = (home: string, record: HomeRecord, detours: Detours): HomeRecord => {
  const next = { ...record, detours }
  homeFile(home).save(next)
  return next
}

export interface OpenedHome {
  readonly record: HomeRecord
  /** Nodes that must start anew because the topology file changed under them. */
  readonly outdated: readonly NodeLayout[]
}

/**
 * Makes the home of a tree, or opens it.
 * @throws {SkerryError} `no-topology`, `too-many-nodes`, `other-topology`, `other-runtime`
 * @throws {InvalidInputError} what is wrong in the topology
 */
export const openHome = (
  home: string,
  asked: { readonly topology: string | undefined; readonly runtime: string | undefined },
  powers: HomePowers,
): OpenedHome => {
  const file = homeFile(home)
  const before = file.load()
  const given = asked.topology ?? before?.topologyGiven ?? 'single-site'
  const { text, source } = readTopologyFile(given, powers)
  const topology = parseTopology(text, source)
  checkSize(topology)
  const tree = treeOf(topology)
  // A file is one and the same however it is named: bare, with its whole path, or by nothing at all.
  const topologyGiven = /[./\\]/.test(given) ? resolve(given) : given
  if (before && before.topologyGiven !== topologyGiven)
    throw new SkerryError(
      'other-topology',
      `${home} holds the tree of ${before.topologyName}: run "skerry down --remove" first, or give another --home`,
    )
  if (before) {
    checkSameTree(home, before, tree)
    checkRuntime(home, before, asked.runtime)
  }
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const place = before ?? newPlace(powers.random)
  const record: HomeRecord = {
    id: place.id,
    runBase: place.runBase,
    subnetBase: place.subnetBase,
    meshPortBase: place.meshPortBase,
    network: topology.network,
    networkId: before?.networkId ?? '',
    runtime: before?.runtime ?? asked.runtime ?? 'auto',
    topologyName: before?.topologyName ?? source,
    topologyGiven,
    nodes: before?.nodes ?? layoutTree(tree, { ...place, home }),
    ...(before?.detours && { detours: before.detours }),
  }
  writeFileSync(topologyFileOf(home), text, { mode: 0o600 })
  makeToken(home, powers.random)
  file.save(record)
  const placed = withSiblings(topology, record.nodes)
  const outdated = record.nodes.filter((node) => writeSlice(node, placed) && runningNode(node))
  return { record, outdated }
}

const removeIfEmpty = (folder: string): void => {
  try {
    rmdirSync(folder)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT' && code !== 'EEXIST' && code !== 'EBUSY') throw error
  }
}

/** Removes what `up` made, and nothing else that may lie in the same folder. */
export const removeHome = (home: string, record: HomeRecord): void => {
  rmSync(record.runBase, { recursive: true, force: true })
  removeIfEmpty(dirname(record.runBase))
  for (const node of record.nodes) rmSync(node.dataDir, { recursive: true, force: true })
  removeIfEmpty(join(home, 'nodes'))
  for (const path of [join(home, 'cli.json'), topologyFileOf(home), tokenFileOf(home), join(home, 'home.json')])
    rmSync(path, { force: true })
  if (existsSync(home)) removeIfEmpty(home)
}
