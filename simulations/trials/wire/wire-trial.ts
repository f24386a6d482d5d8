import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createSeededRandom } from '../../../base/index.ts'
import {
  hosts,
  type PolicyKind,
  parentOf,
  parseTopology,
  policyKinds,
  sites,
  type Topology,
  visibleTo,
  withPolicies,
  type ZonePolicy,
  zoneAt,
  zones,
} from '../../../topologies/index.ts'
import type { Trial, TrialOptions, TrialRow } from '../trial-row.ts'
import { createCanaryRegister } from './canary-register.ts'
import { type Answer, askEverything } from './curious.ts'
import { type Figure, readFigures } from './figures.ts'
import { createSearch, type Search } from './look.ts'
import { nameByCanaries } from './named-topology.ts'
import { changeAtTower, drawPlants, dressEngine, type Plants, plantAtTower } from './plant.ts'
import { type LocalPlants, lacksLocally, nameSignatures, plantLocally } from './plant-local.ts'
import { controlRows, describeLeak, leaksIn, missedIn, type Planted, rowsByKind } from './wire-judge.ts'
import {
  asked,
  freePorts,
  startWireTree,
  until,
  type WireNode,
  type WireTree,
  type WireTreeOptions,
} from './wire-tree.ts'

const project = join(import.meta.dirname, '..', '..', '..')
const home = join(project, '.skerry', 'wire')

export interface WireRun {
  readonly topology: Topology
  readonly planted: Planted
  readonly search: Search
  readonly figures: readonly Figure[]
  readonly siblings: Told['siblings']
  /** Bytes that ends of links sent and received, as the tap saw both. */
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly oldNames: ReadonlyMap<string, string>
}

export interface WireRunOptions extends Pick<TrialOptions, 'seed' | 'say' | 'signal'> {
  readonly topology: Topology
  readonly folder: string
  readonly breakOnPurpose?: WireTreeOptions['breakOnPurpose']
  /** Tells the nodes that every zone lets everything out; what is found is judged by what the topology says. @default false */
  readonly openBorders?: boolean
  /** Ends with all aggregators stopped, until hosts asked their siblings: some 15 s. @default false */
  readonly leavesAlone?: boolean
}

const allOut = Object.fromEntries(policyKinds.map((kind) => [kind, 'all'])) as ZonePolicy
const withOpenBorders = (topology: Topology): Topology =>
  withPolicies(topology, new Map(zones(topology).map(({ path }) => [path as string, allOut])))

/** Until every edge runs this version and says what became of the application that fails. */
const settled = (tree: WireTree, { tower }: Plants, version: string, options: Pick<TrialOptions, 'signal'>) =>
  until(`version ${version} at every host`, options, async () => {
    for (const { node, place } of tree.nodes) {
      if (place.role !== 'edge') continue
      const { state } = node.services
      const instances = (await state.serviceInstances(tower.application, asked)) ?? []
      if (!instances.some((one) => one.ready && one['application-version'] === version)) return undefined
      const failing = await state.application(tower.failing, asked)
      if (!failing?.sites.some(({ waiting }) => waiting.some(({ detail }) => detail.includes('last line'))))
        return undefined
    }
    return true
  })

/** Until every node heard of its own sites that are to report to it, and the towers of all. */
const reported = (tree: WireTree, options: Pick<TrialOptions, 'signal'>) =>
  until('reports of all hosts at those above them', options, async () => {
    const edges = sites(tree.topology).filter(({ type }) => type === 'edge')
    for (const { node, place } of tree.nodes) {
      if (place.role === 'edge') continue
      const hosts = await node.services.state.hosts(asked)
      const due = edges.filter(
        ({ path }) =>
          visibleTo(tree.topology, path, place.scope, 'reports') === 'all' &&
          (place.role === 'tower' || parentOf(path) === place.scope),
      )
      if (due.some(({ name }) => !hosts.some((host) => host.site === name && host['oper-status'] !== 'unknown')))
        return undefined
    }
    return true
  })

/** What a run leaves to look at, once its nodes are stopped. */
interface Told {
  readonly figures: readonly Figure[]
  readonly fromStream: number
  readonly logLines: ReadonlyMap<WireNode, number>
  readonly answers: readonly Answer[]
  readonly local: LocalPlants
  /** Of each host with siblings, on how many streams it asked one. */
  readonly siblings: readonly number[]
}

/** Hosts with another site beside them in their zone, where siblings can be. */
const withSiblings = ({ topology, nodes }: WireTree): readonly WireNode[] =>
  nodes.filter(
    ({ place }) => place.role === 'edge' && (zoneAt(topology, parentOf(place.scope) ?? '')?.sites.length ?? 0) > 1,
  )

/** Streams on which one host asked a host of another site for what was left with it. */
const siblingStreams = ({ tap, nodeOf }: WireTree, from: WireNode) =>
  tap.captures.filter(
    (one) =>
      one.from === from.place.name &&
      one.purpose === 'deposit' &&
      one.messages.length > 0 &&
      nodeOf(one.peer).place.role === 'edge',
  )

/** Stops every aggregator until hosts below asked their siblings for what was left with them. */
const leaveAlone = async (tree: WireTree, options: Pick<TrialOptions, 'signal'>): Promise<void> => {
  await tree.stop(({ place }) => place.role === 'aggregator')
  let lacking: string | undefined
  await until(
    () => `${lacking} to ask a sibling`,
    options,
    async () => {
      lacking = withSiblings(tree).find((one) => siblingStreams(tree, one).length === 0)?.place.scope
      return lacking === undefined || undefined
    },
  )
}

/** A round of reports, so that nothing is still on its way. */
const quietMs = 6_000

/** Brings a tree up, plants, changes, asks, stops, and searches all that was sent and all that was kept. */
export const runWire = async (options: WireRunOptions): Promise<WireRun> => {
  const { seed, folder, say, signal, breakOnPurpose } = options
  const random = createSeededRandom(seed)
  const register = createCanaryRegister(random.fork('canaries'))
  const ports = await freePorts(hosts(options.topology).length)
  const addresses = ports.map((port) => `127.0.0.1:${port}`)
  const { topology, oldNames } = nameByCanaries(options.topology, register, addresses)
  const plants = drawPlants(topology, register)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  try {
    say('  starting every node')
    const tree = await startWireTree({
      topology: options.openBorders ? withOpenBorders(topology) : topology,
      folder,
      random: random.fork('nodes'),
      dress: (place, engine) => dressEngine(plants, place, engine),
      ...(breakOnPurpose && { breakOnPurpose }),
      say,
      signal,
    })
    let told: Told
    try {
      await plantAtTower(tree, plants)
      await settled(tree, plants, '1', options)
      const local = await plantLocally(tree, register)
      for (const words of local.refused) say(`  not planted in ${words}`)
      let lacking: string | undefined
      await until(
        () => `${lacking} to run`,
        options,
        async () => {
          lacking = await lacksLocally(tree, local)
          return lacking === undefined || undefined
        },
      )
      await changeAtTower(tree, plants)
      await settled(tree, plants, '2', options)
      await reported(tree, options)
      say('  both versions ran everywhere; waiting for reports')
      await new Promise((resolve) => setTimeout(resolve, quietMs))
      const figures = await readFigures(tree, plants.tower.application, '2')
      const fromStream = tree.tap.captures.length
      const logLines = new Map(tree.nodes.map((one) => [one, one.log.length]))
      const answers = await askEverything(tree, plants)
      say(`  asked ${answers.length} questions`)
      if (options.leavesAlone) await leaveAlone(tree, options)
      const asking = options.leavesAlone ? withSiblings(tree) : []
      const siblings = asking.map((one) => siblingStreams(tree, one).length)
      told = { figures, fromStream, logLines, answers, local, siblings }
    } finally {
      await tree.stop()
    }
    const search = createSearch(await nameSignatures(told.local, register))
    const { figures, fromStream, logLines, answers } = told
    const said = new Set(
      register.all().flatMap(([needle]) => (answers.some(({ question }) => question.includes(needle)) ? [needle] : [])),
    )
    search.answers(answers, said)
    search.logs(tree.nodes, (one) => [0, logLines.get(one) ?? 0])
    search.logs(tree.nodes, (one) => [logLines.get(one) ?? 0, one.log.length], said)
    search.links(tree, { fromStream, said })
    for (const one of tree.nodes) await search.disk(one)
    const sentBytes = tree.tap.captures.reduce(
      (sum, { messages }) => sum + messages.reduce((all, { length }) => all + length, 0),
      0,
    )
    const receivedBytes = tree.tap.receivedBytes()
    search.calibrate()
    const found = search.found()
    say(`  searched ${found.searchedBytes} bytes in ${found.pieces} pieces: ${found.sightings.length} sightings`)
    return {
      topology,
      planted: register.all(),
      search: found,
      figures,
      siblings: told.siblings,
      sentBytes,
      receivedBytes,
      oldNames,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const mostShown = 40

const showLeaks = ({ topology, planted, search, oldNames }: WireRun, say: (line: string) => void): number => {
  const leaks = leaksIn(topology, planted, search.sightings)
  const lines = [...new Set(leaks.map((leak) => describeLeak(leak, oldNames)))]
  for (const line of lines.slice(0, mostShown)) say(`    ${line}`)
  if (lines.length > mostShown) say(`    and ${lines.length - mostShown} more`)
  return leaks.length
}

/** Rows of one run of an honest tree. */
export const honestRows = (run: WireRun): readonly TrialRow[] => {
  const { topology, planted, search, figures, siblings, sentBytes, receivedBytes } = run
  const unseen = Math.max(0, receivedBytes - sentBytes)
  const wrong = figures.filter(({ expected, ready }) => expected !== ready).length
  return [
    ...rowsByKind(topology, planted, search.sightings),
    ...(figures.length === 0
      ? []
      : [{ what: 'reports summary (figures)', tried: figures.length, broken: wrong, holds: wrong === 0 }]),
    ...controlRows(planted, search.sightings),
    ...(siblings.length === 0
      ? []
      : [
          {
            what: 'asked siblings under the tap',
            tried: siblings.length,
            broken: siblings.filter((streams) => streams === 0).length,
            holds: siblings.every((streams) => streams > 0),
          },
        ]),
    {
      what: 'sent, of what was received',
      tried: receivedBytes,
      broken: unseen,
      holds: receivedBytes > 0 && unseen === 0,
    },
    {
      what: 'packed and opened',
      tried: search.pieces,
      broken: search.closed.length,
      holds: search.pieces > 0 && search.closed.length === 0,
    },
  ]
}

const placesOf = ({ topology, planted, search }: WireRun): ReadonlySet<string> =>
  new Set(leaksIn(topology, planted, search.sightings).map(({ reader, sighting }) => `${sighting.needle} ${reader}`))

const caughtWhy = 'broken on purpose: holds when the search finds what then leaves, in so many places'

/**
 * The row of a run in which something was broken on purpose: it holds when the search sees what an honest run of the same
 * seed, and so of the same canaries, does not show.
 */
export const caughtRow = (what: string, broken: WireRun, honest: WireRun): TrialRow => {
  const known = placesOf(honest)
  const caught = [...placesOf(broken)].filter((place) => !known.has(place)).length
  return { what, tried: broken.search.pieces, broken: caught, holds: caught > 0, why: caughtWhy }
}

/** Kinds of which something goes up by itself or when asked, so that open borders let it out. */
const kindsSent: readonly PolicyKind[] = ['names', 'reports', 'intents', 'changes-author', 'operations', 'logs']

/** A row for each kind of a run whose borders stood open: what the honest run did not find is found there. */
export const openRows = ({ topology, planted, search }: WireRun): readonly TrialRow[] => {
  const leaks = leaksIn(topology, planted, search.sightings)
  return kindsSent.map((kind) => {
    const tried = planted.filter(([, canary]) => canary.kind === kind).length
    const own = leaks.filter(({ canary, right }) => canary.kind === kind && right !== 'stranger')
    const caught = new Set(own.map(({ reader, sighting }) => `${sighting.needle} ${reader}`)).size
    return { what: `${kind}, borders open`, tried, broken: caught, holds: caught > 0, why: caughtWhy }
  })
}

const federal = (): Topology => {
  const path = join(project, 'topologies', 'examples', 'federal.yaml')
  return parseTopology(readFileSync(path, 'utf8'), path)
}

const run = async (options: TrialOptions): Promise<readonly TrialRow[]> => {
  const { seed, say, signal, without = [] } = options
  const topology = federal()
  const common = { topology, seed, say, signal }
  const honest = await runWire({ ...common, folder: join(home, 'honest'), leavesAlone: true })
  showLeaks(honest, say)
  for (const [canary, ancestor] of missedIn(honest.topology, honest.planted, honest.search.sightings))
    say(`    not found at ${honest.oldNames.get(ancestor)}: ${canary.what} of ${honest.oldNames.get(canary.scope)}`)
  for (const { zone, reader, by, expected, ready } of honest.figures)
    if (expected !== ready)
      say(
        `    ${by} at ${honest.oldNames.get(reader)}: ${ready} ready in ${honest.oldNames.get(zone)}, not ${expected}`,
      )
  for (const words of honest.search.closed.slice(0, mostShown)) say(`    could not be opened: ${words}`)
  const rows = [...honestRows(honest)]
  if (!without.includes('mayRead-yes')) {
    say('  once more, with a mayRead that answers yes')
    const broken = await runWire({
      ...common,
      folder: join(home, 'broken'),
      breakOnPurpose: { mayRead: () => true },
    })
    showLeaks(broken, say)
    rows.push(caughtRow('mayRead-yes', broken, honest))
  }
  if (!without.includes('borders-open')) {
    say('  once more, with nodes that believe all borders open')
    rows.push(...openRows(await runWire({ ...common, folder: join(home, 'open'), openBorders: true })))
  }
  return rows
}

/** Searches all that a federal tree sends and keeps for what may not be there. */
export const wire: Trial = {
  name: 'wire',
  summary: 'canaries of every kind at every policy level on federal, searched for on every link and disk',
  defaultRounds: 1,
  cannotRun: () =>
    existsSync(join(project, 'topologies', 'examples', 'federal.yaml')) ? undefined : 'no federal.yaml',
  run,
}
