import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createSeededRandom, type Random, SkerryError } from '../../base/index.ts'
import { createWorld, shopArchive, type World } from '../demo/index.ts'
import {
  createHostReader,
  type EdgePlace,
  type HostReading,
  networkKey,
  portChain,
  processRuns,
  type SeenContainer,
} from './host-reading.ts'
import type { NetworkNames } from './judge.ts'
import type { TrialOptions } from './trial-row.ts'
import { applicationDocument, applications, deploymentDocument, type TrialVersion, wantedAt } from './workload.ts'

const project = join(import.meta.dirname, '..', '..')
export const home = join(project, '.skerry', 'host-kill')
/** Files of the trial itself: the tree's home is the tree's alone. */
export const ownDir = `${home}.trial`
/** A copy, so that a build meanwhile does not change what is tried. */
const programDir = join(ownDir, 'program')
/** The document that puts an application at a version. */
export const deploymentFile = (application: string, version: TrialVersion): string =>
  join(ownDir, `${application}-at-${version}.yaml`)
const dist = join(project, 'dist')
const programs = ['containerd', 'ctr', 'runc', 'iptables-save']
const systemFolders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin']

/** Why the trial cannot run on this machine; undefined when it can. */
export const cannotRun = (): string | undefined => {
  if (process.platform !== 'linux') return 'real containers need Linux'
  if (process.getuid?.() !== 0) return 'real containers need root'
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...systemFolders]
  const missing = programs.find((name) => !folders.some((folder) => existsSync(join(folder, name))))
  if (missing !== undefined) return `${missing} is not installed`
  if (!existsSync(join(dist, 'skerry.mjs'))) return 'the bundle is not built: npm run build'
  return undefined
}

/** What of the trial goes on while it runs. */
export interface Scene {
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
  const image = join(ownDir, 'image.tar')
  writeFileSync(image, await shopArchive())
  for (const version of ['2', '1'] as const)
    for (const application of applications) {
      const file = join(ownDir, `${application}-${version}.yaml`)
      const deployment = deploymentDocument(application, version)
      writeFileSync(
        file,
        documents(applicationDocument(application, version), ...(version === '1' ? [deployment] : [])),
      )
      await world.skerry(['apply', '-f', file, '--image', image])
      writeFileSync(deploymentFile(application, version), deployment)
    }
}

/** The tree of the trial, started or not. */
export const trialWorld = (say: (line: string) => void): World =>
  createWorld({
    home,
    driver: 'containerd',
    topology: 'single-site',
    program: [process.execPath, join(programDir, 'skerry.mjs')],
    say,
  })

/**
 * Refuses while another run of this checkout goes on: it would take that one's tree away.
 * @throws {SkerryError} `already-running`
 */
export const claim = (): void => {
  const file = join(ownDir, 'pid')
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  if (pid > 0 && processRuns(pid))
    throw new SkerryError('already-running', `a trial runs already as process ${pid}: wait for it, or end it`)
  rmSync(ownDir, { recursive: true, force: true })
  mkdirSync(ownDir, { recursive: true })
  writeFileSync(file, String(process.pid))
}

/** Starts the tree and installs the applications at version 1. */
export const prepare = async (options: TrialOptions): Promise<Scene> => {
  const random = createSeededRandom(options.seed)
  const world = trialWorld(options.say)
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
