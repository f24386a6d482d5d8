import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createSeededRandom, errorText, type Random, SkerryError } from '../../base/index.ts'
import { createWorld, demoRecord, httpBody, imageName, pause, shopArchive, type World } from '../demo/index.ts'
import {
  createHostReader,
  type EdgePlace,
  enginesOf,
  type HostReading,
  networkKey,
  portChain,
  type SeenContainer,
  seenProcesses,
  shimSocket,
  shimsOf,
} from './host-reading.ts'
import { compareHealthy, type Fault, judge, type NetworkNames } from './judge.ts'
import { findRemains } from './remains.ts'
import type { Trial, TrialOptions, TrialRow } from './trial-row.ts'
import {
  applicationDocument,
  applications,
  changingApplications,
  deploymentDocument,
  type TrialVersion,
  type WantedInstance,
  wantedAt,
} from './workload.ts'

/** After a kill everything must be as wanted within this time, the backoff of its containers included. */
const settleTimeoutMs = 30_000
/** Longest time between an upgrade that begins and the kill: from before its first step to after its last. */
const maxDelayMs = 2_500
/** Longest time an edge stays dead, as under a service manager that restarts it. */
const maxRestartDelayMs = 1_000
/** A container's backoff doubles with each kill of its shim: from here on another one is chosen. */
const maxShimKills = 5

const project = join(import.meta.dirname, '..', '..')
const home = join(project, '.skerry', 'host-kill')
/** A copy, so that a build meanwhile does not change what is tried. */
const programDir = `${home}.program`
const dist = join(project, 'dist')
const programs = ['containerd', 'ctr', 'runc', 'iptables-save']
const systemFolders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin']

const cannotRun = (): string | undefined => {
  if (process.platform !== 'linux') return 'real containers need Linux'
  if (process.getuid?.() !== 0) return 'real containers need root'
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...systemFolders]
  const missing = programs.find((name) => !folders.some((folder) => existsSync(join(folder, name))))
  if (missing !== undefined) return `${missing} is not installed`
  if (!existsSync(join(dist, 'skerry.mjs'))) return 'the bundle is not built: npm run build'
  return undefined
}

const pick = <Value>(random: Random, values: readonly Value[]): Value | undefined =>
  values[Math.floor(random.unit() * values.length)]

/** What of the trial goes on while it runs. */
interface Scene {
  readonly options: TrialOptions
  readonly world: World
  readonly place: EdgePlace
  readonly readHost: () => Promise<HostReading>
  readonly random: Random
  readonly versions: Record<string, TrialVersion>
  readonly networks: Readonly<Record<string, NetworkNames>>
  /** Every container ever seen, by id: what is left of it is looked for later. */
  readonly everSeen: Map<string, SeenContainer>
  /** By instance and container. */
  readonly shimKills: Map<string, number>
}

const edgePlace = (world: World): EdgePlace => {
  const edge = world.node('edge')
  const dataDir = edge['data-dir']
  const identity = JSON.parse(readFileSync(join(dataDir, 'data', 'identity.json'), 'utf8')) as { value: { id: string } }
  const node = `${edge.name}-${identity.value.id}`
  return { node, dataDir, runDir: edge['run-dir'], bridge: edge.bridge ?? '', tenant: 'default' }
}

const documents = (...texts: readonly string[]) => texts.join('\n---\n')

/** Both versions of every application are known before the first kill; from then on only deployments change. */
const installApplications = async (world: World): Promise<void> => {
  const image = join(world.home, 'trial-image.tar')
  writeFileSync(image, await shopArchive())
  for (const version of ['2', '1'] as const)
    for (const application of applications) {
      const file = join(world.home, `${application}-${version}.yaml`)
      const deployment = deploymentDocument(application, version)
      writeFileSync(
        file,
        documents(applicationDocument(application, version), ...(version === '1' ? [deployment] : [])),
      )
      await world.skerry(['apply', '-f', file, '--image', image])
      writeFileSync(join(world.home, `${application}-at-${version}.yaml`), deployment)
    }
}

const readPages = async (
  scene: Scene,
  wanted: readonly WantedInstance[],
  { ports }: HostReading,
): Promise<Record<string, string>> => {
  const pages: Record<string, string> = {}
  for (const { id, page } of wanted) {
    const port = ports.find(({ key }) => key === scene.networks[id]?.key)
    if (page !== undefined && port)
      pages[id] = await httpBody(port.hostPort).catch((error: unknown) => errorText(error))
  }
  return pages
}

/** A process that ended and was not collected yet counts as gone. */
const runs = (pid: number): boolean => seenProcesses(() => true).some((one) => one.pid === pid)

interface Rest {
  readonly reading: HostReading
  readonly faults: readonly Fault[]
  readonly tookMs: number
}

/** Reads the host until nothing is wrong with it any more, or its time is over. */
const settle = async (scene: Scene): Promise<Rest> => {
  const startedMs = performance.now()
  let last = 'the host was never read'
  let rest: Rest | undefined
  while (performance.now() - startedMs < settleTimeoutMs || !rest) {
    try {
      const wanted = wantedAt(scene.versions)
      const reading = await scene.readHost()
      for (const seen of reading.containers) scene.everSeen.set(seen.id, seen)
      const alive = new Set(reading.containers.map(({ id }) => id))
      const deadSockets = [...scene.everSeen]
        .filter(([id]) => !alive.has(id))
        .map(([id, { namespace }]) => shimSocket(scene.place, namespace, id))
        .filter((path) => existsSync(path))
      const pages = await readPages(scene, wanted, reading)
      const { networks } = scene
      const faults = judge({
        wanted,
        reading,
        edgeRuns: runs(scene.world.node('edge').pid),
        pages,
        networks,
        deadSockets,
      })
      rest = { reading, faults, tookMs: Math.round(performance.now() - startedMs) }
      if (faults.length === 0) return rest
    } catch (error) {
      last = errorText(error)
      if (performance.now() - startedMs > 2 * settleTimeoutMs)
        throw new SkerryError('timeout', `the host could not be read for ${(2 * settleTimeoutMs) / 1000} s: ${last}`)
    }
    await pause(200)
  }
  return rest
}

type VictimKind = 'edge' | 'containerd' | 'shim'
interface Killed {
  readonly kind: VictimKind
  readonly pid: number
  /** The container whose shim it was. */
  readonly id?: string
}

const choose = ({ place, world, shimKills, everSeen }: Scene, kind: VictimKind, unit: Random): Killed | undefined => {
  if (kind === 'edge') return { kind, pid: world.node('edge').pid }
  if (kind === 'containerd') {
    const pid = pick(unit, enginesOf(place))
    return pid === undefined ? undefined : { kind, pid }
  }
  const nameOf = (id: string) => {
    const seen = everSeen.get(id)
    return seen ? `${seen.instance}/${seen.container}` : id
  }
  const shims = shimsOf(place).filter(({ id }) => (shimKills.get(nameOf(id)) ?? 0) < maxShimKills)
  const shim = pick(
    unit,
    shims.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  )
  if (!shim) return undefined
  shimKills.set(nameOf(shim.id), (shimKills.get(nameOf(shim.id)) ?? 0) + 1)
  return { kind, ...shim }
}

interface Round {
  readonly killed: Killed
  /** The application whose version changed meanwhile. */
  readonly changed?: string
  readonly delayMs: number
}

/** One kill, most often while an upgrade or a rollback is under way. */
const harm = async (scene: Scene): Promise<Round> => {
  const { world, versions, random } = scene
  const kind = pick(random, ['edge', 'containerd', 'shim'] as const) ?? 'edge'
  const changed = random.unit() < 0.7 ? pick(random, changingApplications) : undefined
  const delayMs = Math.round(random.unit() * maxDelayMs)
  const restartDelayMs = Math.round(random.unit() * maxRestartDelayMs)
  let applied: Promise<unknown> = Promise.resolve()
  if (changed !== undefined) {
    const version = versions[changed] === '1' ? '2' : '1'
    versions[changed] = version
    applied = world.skerry(['apply', '-f', join(world.home, `${changed}-at-${version}.yaml`)])
    applied.catch(() => {})
  }
  await pause(delayMs)
  const killed = choose(scene, kind, random)
  if (!killed) throw new SkerryError('no-victim', `there is no ${kind} to kill`)
  try {
    process.kill(killed.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  if (killed.kind === 'edge') {
    await pause(restartDelayMs)
    // A service manager collects its child before it starts the next one; here that is for process 1 to do.
    await world.until(
      'the killed edge to be collected',
      20_000,
      async () => !existsSync(`/proc/${killed.pid}`) || undefined,
    )
    await world.up()
  }
  await applied
  return { killed, ...(changed !== undefined && { changed }), delayMs }
}

const createTally = () => {
  const tally = new Map<TrialRow['what'], { tried: number; broken: number }>()
  const add = (what: TrialRow['what'], tried: number, broken: number) => {
    const before = tally.get(what) ?? { tried: 0, broken: 0 }
    tally.set(what, { tried: before.tried + tried, broken: before.broken + broken })
  }
  const rows = (): readonly TrialRow[] =>
    [...tally].map(([what, { tried, broken }]) => ({ what, tried, broken, holds: broken === 0 && tried > 0 }))
  return { add, rows }
}

const isBroken = (faults: readonly Fault[], row: Fault['row']) => (faults.some((fault) => fault.row === row) ? 1 : 0)

const runRounds = async (scene: Scene, tally: ReturnType<typeof createTally>): Promise<void> => {
  const { rounds, say, signal } = scene.options
  let before = await settle(scene)
  if (before.faults.length > 0)
    throw new SkerryError('not-settled', `before the first kill: ${before.faults.map(({ text }) => text).join('; ')}`)
  for (let round = 1; round <= rounds && !signal.aborted; round++) {
    const { killed, changed, delayMs } = await harm(scene)
    const after = await settle(scene)
    // Who changed with the version may be touched, and who lost its shim.
    const untouched = wantedAt(scene.versions)
      .flatMap(({ containers }) => containers)
      .filter((one) => !(one.changes && one.application === changed))
    const exempt = new Set(killed.id === undefined ? [] : [killed.id])
    const { compared, faults } = compareHealthy(before.reading, after.reading, untouched, exempt)
    const found = [...after.faults, ...faults]
    tally.add('wanted-up', 1, isBroken(found, 'wanted-up'))
    tally.add('healthy-untouched', compared, faults.length)
    tally.add('no-orphans', 1, isBroken(found, 'no-orphans'))
    const during = changed === undefined ? '' : `, ${delayMs} ms into ${changed} ${scene.versions[changed]}`
    say(`${round}/${rounds} killed ${killed.kind} ${killed.id ?? killed.pid}${during}: settled in ${after.tookMs} ms`)
    for (const { row, text } of found) say(`    ${row}: ${text}`)
    before = after
  }
}

const prepare = async (options: TrialOptions): Promise<Scene> => {
  const random = createSeededRandom(options.seed)
  const program = [process.execPath, join(programDir, 'skerry.mjs')] as const
  const world = createWorld({ home, driver: 'containerd', topology: 'single-site', program, say: options.say })
  mkdirSync(home, { recursive: true })
  cpSync(dist, programDir, { recursive: true })
  if (existsSync(join(home, 'home.json'))) {
    options.say('removing what an earlier run left')
    await world.skerry(['down', '--remove'])
  }
  await world.up()
  const place = edgePlace(world)
  await installApplications(world)
  const everyInstance = [...wantedAt({}), ...wantedAt(Object.fromEntries(applications.map((name) => [name, '2'])))]
  const networks = Object.fromEntries(
    everyInstance.map(({ id }) => {
      const key = networkKey(place, id)
      return [id, { key, chain: portChain(place, key) }]
    }),
  )
  const versions: Record<string, TrialVersion> = Object.fromEntries(applications.map((name) => [name, '1']))
  return {
    options,
    world,
    place,
    readHost: createHostReader(place),
    random,
    versions,
    networks,
    everSeen: new Map(),
    shimKills: new Map(),
  }
}

/** Takes the tree away with the product's own command, and looks for what that left. */
const removeAll = async (scene: Scene | undefined, tally: ReturnType<typeof createTally>): Promise<void> => {
  const program = [process.execPath, join(programDir, 'skerry.mjs')] as const
  const world = createWorld({ home, driver: 'containerd', topology: 'single-site', program, say: () => {} })
  const runBase = existsSync(join(home, 'home.json')) ? demoRecord(home).runBase : undefined
  const removed = await world.skerry(['down', '--remove']).then(
    () => [],
    (error: unknown) => [errorText(error)],
  )
  rmSync(programDir, { recursive: true, force: true })
  if (!scene) return
  const sockets = [...scene.everSeen].map(([id, { namespace }]) => shimSocket(scene.place, namespace, id))
  const { tried, remains } = await findRemains(scene.place, {
    folders: [home, ...(runBase === undefined ? [] : [runBase])],
    chains: Object.values(scene.networks).map(({ chain }) => chain),
    sockets,
  })
  const found = [...removed, ...remains]
  tally.add('removed-all', tried + 1, found.length)
  for (const text of found) scene.options.say(`    removed-all: ${text}`)
}

/** Kills the edge node, its engine and shims at random under load, and reads from outside what comes of it. */
export const hostKill: Trial = {
  name: 'host-kill',
  summary: `kill -9 of edge, containerd and a shim at random under load of ${imageName}, on real containerd`,
  defaultRounds: 100,
  cannotRun,
  run: async (options) => {
    const tally = createTally()
    let scene: Scene | undefined
    try {
      scene = await prepare(options)
      await runRounds(scene, tally)
    } finally {
      await removeAll(scene, tally)
    }
    if (options.signal.aborted) throw new SkerryError('interrupted', 'interrupted; everything was removed')
    return tally.rows()
  },
}
