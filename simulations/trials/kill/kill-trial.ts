import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, SkerryError } from '../../../base/index.ts'
import type { NodeView } from '../../../node/index.ts'
import { pause } from '../../demo/index.ts'
import type { Trial, TrialOptions, TrialRow } from '../trial-row.ts'
import { fakeTimeLibrary, tryClocks } from './clocks.ts'
import { harmTree, type TreeHarm } from './harm-tree.ts'
import { readStores } from './read-stores.ts'
import { differing, notYet, restarted } from './tree-judge.ts'
import {
  type Application,
  applications,
  applyVersion,
  chooseDriver,
  claim,
  home,
  ownDir,
  prepareTree,
  type SeenContainer,
  seenContainers,
  type TreeScene,
  treeWorld,
} from './tree-scene.ts'

/** After a kill the whole tree must be as wanted within this time: the longest backoff of a link is 45 s. */
const settleWithinMs = 120_000
/** Stores are read every so many rounds, and at the end: the tree is stopped for it. */
const storesEvery = 25
/** How long a settled tree is watched: two reports and more. */
const watchMs = 12_000

type RowName = 'writers' | 'same-everywhere' | 'healthy-untouched' | 'acknowledged-kept' | 'fixed-point' | 'clocks'
const rowNames: readonly RowName[] = [
  'writers',
  'same-everywhere',
  'healthy-untouched',
  'acknowledged-kept',
  'fixed-point',
  'clocks',
]

const createTally = (say: (line: string) => void) => {
  const tally = new Map<RowName, { tried: number; broken: number }>(
    rowNames.map((name) => [name, { tried: 0, broken: 0 }]),
  )
  return {
    add: (name: RowName, tried: number, broken: readonly string[]) => {
      const before = tally.get(name) ?? { tried: 0, broken: 0 }
      tally.set(name, { tried: before.tried + tried, broken: before.broken + broken.length })
      for (const text of broken.slice(0, 10)) say(`    BROKEN ${name}: ${text}`)
    },
    rows: (): readonly TrialRow[] =>
      [...tally].map(([what, { tried, broken }]) => ({ what, tried, broken, holds: broken === 0 && tried > 0 })),
  }
}

const countOf = (containers: readonly SeenContainer[]): ReadonlyMap<Application, number> =>
  new Map(applications.map((name) => [name, containers.filter((one) => one.application === name).length]))

/** Waits until every node is linked and every site is as the ledger asks; answers what it saw, or what is still wrong. */
const settle = async (scene: TreeScene, expected: ReadonlyMap<Application, number>) => {
  const { world, ledger } = scene
  const startedMs = performance.now()
  let wrong: readonly string[] = ['nothing was seen yet']
  let containers: readonly SeenContainer[] = []
  while (performance.now() - startedMs < settleWithinMs) {
    try {
      const views = await Promise.all(world.nodes().map((node) => world.get<NodeView>(node, '/v1/state/node')))
      const apart = views.flatMap(({ name, parent }) =>
        parent === undefined || parent.link === 'up' ? [] : [`${name} is not linked: ${parent.error ?? ''}`],
      )
      containers = await seenContainers(world)
      wrong = [...apart, ...notYet(ledger, containers, expected)]
      if (wrong.length === 0) break
    } catch (error) {
      wrong = [errorText(error)]
    }
    await pause(200)
  }
  return { containers, wrong, tookMs: Math.round(performance.now() - startedMs) }
}

/** What was asked for while the tower died may be in force or not; from now on it is known which. */
const learnUnacknowledged = async (scene: TreeScene, { changed }: TreeHarm): Promise<readonly string[]> => {
  if (changed === undefined || changed.acknowledged) return []
  const { world, ledger } = scene
  const { application, to } = changed
  const before = ledger[application]
  const deployments = await world.get<readonly { name: string; 'application-version': string }[]>(
    world.node('tower'),
    '/v1/config/application-deployments',
  )
  const found = deployments.find(({ name }) => name === `${application}-everywhere`)?.['application-version']
  if (found !== before && found !== to) return [`${application} is at ${found ?? 'nothing'}, which nobody asked for`]
  ledger[application] = found === '1' || found === '2' ? found : undefined
  return []
}

/** Lines of all nodes that say something was decided, told or done. */
const deeds = ({ world }: TreeScene): number =>
  world.nodes().reduce((sum, node) => {
    const log = join(node['data-dir'], 'node.log')
    const text = existsSync(log) ? readFileSync(log, 'utf8') : ''
    return sum + (text.match(/"message":"(run|retire|sign version|start|stop|attach|told) /g)?.length ?? 0)
  }, 0)

const watch = async (scene: TreeScene, seen: readonly SeenContainer[]): Promise<readonly string[]> => {
  const before = deeds(scene)
  await pause(watchMs)
  const more = deeds(scene) - before
  const { broken } = restarted(seen, await seenContainers(scene.world))
  return [
    ...broken,
    ...(more > 0 ? [`${more} things were done in ${watchMs / 1000} s although nothing was asked for`] : []),
  ]
}

const identities = async ({ world, fingerprints }: TreeScene): Promise<readonly string[]> => {
  const broken: string[] = []
  for (const node of world.nodes()) {
    const { fingerprint } = await world.get<NodeView>(node, '/v1/state/node')
    if (fingerprint !== fingerprints.get(node.name)) broken.push(`${node.name} has another key than before`)
  }
  return broken
}

const judgeStores = async (scene: TreeScene, tally: ReturnType<typeof createTally>): Promise<void> => {
  const { world, options } = scene
  options.say('    reading every store')
  await world.skerry(['down', '--keep-containers'])
  try {
    const lanes = await readStores(scene)
    const envelopes = lanes.reduce((sum, { envelopes: held }) => sum + held.length, 0)
    tally.add(
      'writers',
      envelopes,
      lanes.flatMap(({ node, lane, unentitled }) => unentitled.map((why) => `${lane} at ${node}: ${why}`)),
    )
    const { compared, broken } = differing(lanes)
    tally.add('same-everywhere', compared, broken)
  } finally {
    await world.up()
  }
}

const runRounds = async (scene: TreeScene, tally: ReturnType<typeof createTally>): Promise<void> => {
  const { rounds, say, signal } = scene.options
  let last = await settle(scene, new Map())
  const expected = countOf(last.containers)
  if (last.wrong.length > 0) throw new SkerryError('not-settled', `before the first kill: ${last.wrong.join('; ')}`)
  for (let round = 1; round <= rounds && !signal.aborted; round++) {
    const harm = await harmTree(scene)
    const strange = await learnUnacknowledged(scene, harm)
    const now = await settle(scene, expected)
    const { changed, killed } = harm
    const words =
      changed === undefined
        ? ''
        : `, under ${changed.application} ${changed.to ?? 'removed'}${changed.acknowledged ? '' : ' (not acknowledged)'}`
    say(`${round}/${rounds} killed ${killed.join(', ')}${words}: as wanted after ${now.tookMs} ms`)
    tally.add('acknowledged-kept', 1, [...strange, ...now.wrong, ...(await identities(scene))])
    const { compared, broken } = restarted(last.containers, now.containers)
    tally.add('healthy-untouched', compared, broken)
    if (round % 10 === 0 || round === rounds) tally.add('fixed-point', 1, await watch(scene, now.containers))
    last = now
    if (round % storesEvery === 0 && round !== rounds) {
      await judgeStores(scene, tally)
      last = await settle(scene, expected)
    }
  }
}

const removeAll = async (driver: 'containerd' | 'process', say: (line: string) => void): Promise<void> => {
  if (existsSync(join(home, 'home.json')))
    await treeWorld(() => {}, driver)
      .skerry(['down', '--remove'])
      .catch((error: unknown) => say(errorText(error)))
  rmSync(ownDir, { recursive: true, force: true })
}

const run = async (options: TrialOptions): Promise<readonly TrialRow[]> => {
  claim()
  const driver = chooseDriver()
  options.say(`on two-zones, with ${driver}`)
  const tally = createTally(options.say)
  try {
    const scene = await prepareTree(options, driver)
    await runRounds(scene, tally)
    for (const application of applications)
      if (scene.ledger[application] === undefined && !options.signal.aborted) {
        await applyVersion(scene.world, application, '1')
        scene.ledger[application] = '1'
      }
    if (!options.signal.aborted) await judgeStores(scene, tally)
    const library = fakeTimeLibrary()
    if (library === undefined)
      options.say('    clocks: not tried: libfaketime is not installed (apt-get install libfaketime)')
    else if (!options.signal.aborted) {
      const findings = await tryClocks(scene, library)
      tally.add(
        'clocks',
        findings.length,
        findings.flatMap(({ what, broken }) => (broken === undefined ? [] : [`${what}: ${broken}`])),
      )
    }
  } finally {
    await removeAll(driver, options.say)
  }
  if (options.signal.aborted) throw new SkerryError('interrupted', 'interrupted; everything was removed')
  return tally.rows()
}

/** Kills nodes of a whole tree at random under load, and holds what comes of it to the invariants of the design. */
export const kill: Trial = {
  name: 'kill',
  summary: 'kill -9 of edges, aggregators and the tower at random, while applications change',
  defaultRounds: 100,
  cannotRun: () =>
    existsSync(join(import.meta.dirname, '..', '..', '..', 'dist', 'skerry.mjs'))
      ? undefined
      : 'the bundle is not built: npm run build',
  run,
}
