import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createSeededRandom, type Random, SkerryError } from '../../../base/index.ts'
import type { NodeView, ServiceInstanceView } from '../../../node/index.ts'
import { createWorld, shopArchive, shopDeployment, shopSpecification, type World } from '../../demo/index.ts'
import { processRuns } from '../host-reading.ts'
import type { TrialOptions } from '../trial-row.ts'

const project = join(import.meta.dirname, '..', '..', '..')
export const home = join(project, '.skerry', 'kill')
/** Files of the trial itself: the tree's home is the tree's alone. */
export const ownDir = `${home}.trial`
/** A copy, so that a build meanwhile does not change what is tried. */
export const programDir = join(ownDir, 'program')

export type ShopVersion = '1' | '2'
/** Two alike applications, so that changes of one can be told from what happens to the other. */
export const applications = ['shop', 'depot'] as const
export type Application = (typeof applications)[number]

/** What the trial knows was acknowledged: the version that is to run; undefined where the deployment was removed. */
export type Ledger = Record<Application, ShopVersion | undefined>

export interface TreeScene {
  readonly options: TrialOptions
  readonly world: World
  readonly random: Random
  readonly ledger: Ledger
  /** Fingerprints as each node had them first. */
  readonly fingerprints: Map<string, string>
}

/** One container as an edge tells of it. */
export interface SeenContainer {
  /** Site, instance and container. */
  readonly name: string
  readonly application: string
  readonly version: string
  readonly specHash: string
  readonly pid: number
  readonly ready: boolean
}

const inPath = (program: string) =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin'].some((folder) =>
    existsSync(join(folder, program)),
  )

/** Real containers where this machine has an engine to start, else plain processes. */
export const chooseDriver = (): 'containerd' | 'process' =>
  process.platform === 'linux' && process.getuid?.() === 0 && inPath('containerd') && inPath('runc')
    ? 'containerd'
    : 'process'

export const treeWorld = (say: (line: string) => void, driver: 'containerd' | 'process'): World =>
  createWorld({
    home,
    driver,
    topology: 'two-zones',
    program: [process.execPath, join(programDir, 'skerry.mjs')],
    say,
  })

/** @throws {SkerryError} `already-running` while another run of this checkout goes on */
export const claim = (): void => {
  const file = join(ownDir, 'pid')
  if (existsSync(file)) {
    const pid = Number(readFileSync(file, 'utf8'))
    if (pid > 0 && processRuns(pid))
      throw new SkerryError('already-running', `a trial runs already as process ${pid}: wait for it, or end it`)
  }
  rmSync(ownDir, { recursive: true, force: true })
  mkdirSync(ownDir, { recursive: true })
  writeFileSync(file, String(process.pid))
  cpSync(join(project, 'dist'), programDir, { recursive: true })
}

const renamed = (text: string, application: Application) => text.replaceAll('shop', application)

const fileOf = (application: Application, version: ShopVersion): string =>
  join(ownDir, `${application}-${version}.yaml`)

/** Applies a version; resolves once it was acknowledged. @throws when it was not, which says nothing of what is in force */
export const applyVersion = async (world: World, application: Application, version: ShopVersion): Promise<void> => {
  await world.skerry(['apply', '-f', fileOf(application, version), '--image', join(ownDir, 'image.tar')])
}

export const prepareTree = async (options: TrialOptions, driver: 'containerd' | 'process'): Promise<TreeScene> => {
  const world = treeWorld(options.say, driver)
  if (existsSync(join(home, 'home.json'))) {
    options.say('removing what an earlier run left')
    await world.skerry(['down', '--remove'])
  }
  writeFileSync(join(ownDir, 'image.tar'), await shopArchive())
  for (const application of applications)
    for (const version of ['1', '2'] as const) {
      const text = `${shopSpecification(version, driver)}---\n${shopDeployment(version)}`
      // The image keeps its name.
      const own = renamed(text, application).replaceAll(`demo/${application}:`, 'demo/shop:')
      writeFileSync(fileOf(application, version), own)
    }
  await world.up()
  for (const application of applications) await applyVersion(world, application, '1')
  const fingerprints = new Map<string, string>()
  for (const node of world.nodes())
    fingerprints.set(node.name, (await world.get<NodeView>(node, '/v1/state/node')).fingerprint ?? '')
  return {
    options,
    world,
    random: createSeededRandom(options.seed),
    ledger: { shop: '1', depot: '1' },
    fingerprints,
  }
}

/** Every container of the trial's applications, as the edges themselves say. */
export const seenContainers = async (world: World): Promise<readonly SeenContainer[]> => {
  const found = await Promise.all(
    applications.flatMap((application) =>
      world.sites().map(async (site) => ({ application, instances: await world.instances(application, site) })),
    ),
  )
  return found.flatMap(({ application, instances }) =>
    instances.flatMap((instance: ServiceInstanceView) =>
      instance.containers.map((container) => ({
        name: `${instance.site}/${instance.name}/${container.name}`,
        application,
        version: instance['application-version'],
        specHash: container['spec-hash'] ?? '',
        pid: container.pid,
        ready: instance.ready,
      })),
    ),
  )
}
