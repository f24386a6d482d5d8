import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { errorText, SkerryError } from '../../../base/index.ts'
import { createWorld, pause, shopArchive, type World } from '../../demo/index.ts'
import { processRuns, seenProcesses } from '../host-reading.ts'
import type { TrialOptions } from '../trial-row.ts'
import {
  applicationDocument,
  applications,
  changing,
  constant,
  type Driver,
  deploymentDocument,
  type Version,
} from './applications.ts'
import { type ChangeLedger, createChangeLedger } from './change-ledger.ts'
import { signal } from './node-process.ts'

const project = join(import.meta.dirname, '..', '..', '..')
const dist = join(project, 'dist')

/** Where a trial keeps what it makes. Drivers do not share: a small run and a long one may go on side by side. */
export interface TrialPlace {
  readonly driver: Driver
  /** Of the tree, which is its alone. */
  readonly home: string
  /** Of a second, small tree whose clocks are wrong. */
  readonly clocksHome: string
  /** Files of the trial itself. */
  readonly ownDir: string
  /** A copy, so that a build meanwhile does not change what is tried. */
  readonly programDir: string
}

export const placeOf = (driver: Driver): TrialPlace => {
  const home = join(project, '.skerry', `kill-${driver}`)
  const ownDir = `${home}.trial`
  return { driver, home, clocksHome: `${home}.clocks`, ownDir, programDir: join(ownDir, 'program') }
}

export interface TreeScene {
  readonly options: TrialOptions
  readonly place: TrialPlace
  readonly world: World
  readonly ledger: ChangeLedger
  /** Fingerprints as each node had them first. */
  readonly fingerprints: Map<string, string>
  /** Changes the tower refused, with its words. */
  readonly refusals: string[]
}

/** The nodes of `two-zones`, as they are called before the first of them runs. */
export const nodeNames = ['tower', 'north-aggregator', 'south-aggregator', 'n1-a', 'n1-b', 'n2-a', 's1-a', 's2-a']

const inPath = (program: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin'].some((folder) =>
    existsSync(join(folder, program)),
  )

const canRunContainers = (): boolean =>
  process.platform === 'linux' && process.getuid?.() === 0 && ['containerd', 'runc'].every(inPath)

/** Real containers where this machine has an engine to start, else plain processes. */
export const chooseDriver = (asked: Driver | undefined): Driver =>
  asked ?? (canRunContainers() ? 'containerd' : 'process')

/** Why the trial cannot run here; undefined when it can. */
export const cannotRun = (asked?: Driver): string | undefined => {
  if (process.platform !== 'linux') return 'it finds and stops processes by /proc, which only Linux has'
  if (asked === 'containerd' && !canRunContainers()) return 'real containers need root, containerd and runc'
  return existsSync(join(dist, 'skerry.mjs')) ? undefined : 'the bundle is not built: npm run build'
}

/** @param topology an example by name, or a file @default two-zones */
export const worldOf = (
  { home, driver, programDir }: Pick<TrialPlace, 'home' | 'driver' | 'programDir'>,
  { say, signal: interrupted }: Pick<TrialOptions, 'say' | 'signal'>,
  topology = 'two-zones',
): World =>
  createWorld({
    home,
    driver,
    topology,
    program: [process.execPath, join(programDir, 'skerry.mjs')],
    say,
    isInterrupted: () => interrupted.aborted,
  })

/**
 * Takes the place, with a fresh copy of the program.
 * @throws {SkerryError} `already-running` while another run of this checkout goes on there
 */
export const claim = ({ ownDir, programDir }: TrialPlace): void => {
  const file = join(ownDir, 'pid')
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  if (pid > 0 && processRuns(pid))
    throw new SkerryError('already-running', `a trial runs already as process ${pid}: wait for it, or end it`)
  rmSync(ownDir, { recursive: true, force: true })
  mkdirSync(ownDir, { recursive: true })
  writeFileSync(file, String(process.pid))
  cpSync(dist, programDir, { recursive: true })
}

/** Processes of nodes in a home, stopped ones and those just starting too. */
const nodesBelow = (home: string) =>
  seenProcesses((args) => args.includes('--config') && args.some((arg) => arg.startsWith(`${home}/nodes/`)))

/** Takes both trees away, whatever state they are in. @returns what could not be done, in words */
export const removeTrees = async (
  place: TrialPlace,
  options: Pick<TrialOptions, 'say'>,
): Promise<readonly string[]> => {
  const left: string[] = []
  for (const home of [place.home, place.clocksHome]) {
    for (const { pid } of nodesBelow(home)) signal(pid, 'SIGCONT')
    if (existsSync(join(home, 'home.json'))) {
      const world = worldOf({ ...place, home }, { say: options.say, signal: new AbortController().signal })
      await world.skerry(['down', '--remove']).catch((error: unknown) => left.push(errorText(error)))
    }
    // Whoever was killed while it started has written down nowhere that it runs.
    for (const { pid } of nodesBelow(home)) signal(pid, 'SIGKILL')
    rmSync(home, { recursive: true, force: true })
  }
  return left
}

const joined = (documents: readonly string[]) => documents.join('\n---\n')

/** Every version is known before the load begins; from then on only deployments change. */
export const installApplications = async (world: World, { ownDir, driver }: TrialPlace): Promise<void> => {
  const image = join(ownDir, 'image.tar')
  if (!existsSync(image)) writeFileSync(image, await shopArchive())
  const apply = async (name: string, documents: readonly string[]) => {
    const file = join(ownDir, name)
    writeFileSync(file, joined(documents))
    await world.skerry(['apply', '-f', file, '--image', image])
  }
  const at = (version: Version) => (application: string) => applicationDocument(application, version, driver)
  await apply('second.yaml', changing.map(at('2')))
  await apply('first.yaml', [
    ...[...changing, constant].map(at('1')),
    ...applications.map((application) => deploymentDocument(application, '1')),
  ])
}

/** Starts the whole tree; a node that did not start, as one that was killed meanwhile, is started again. */
export const upAgain = async ({ world, options }: Pick<TreeScene, 'world' | 'options'>, tries = 3): Promise<void> => {
  for (let left = tries; ; left--) {
    try {
      return await world.up()
    } catch (error) {
      if (left <= 1 || options.signal.aborted) throw error
      options.say(`    up again: ${errorText(error).split('\n')[0]?.slice(0, 200)}`)
      await pause(100)
    }
  }
}

/** The tree, of which nothing runs yet. */
export const emptyScene = (options: TrialOptions, place: TrialPlace): TreeScene => ({
  options,
  place,
  world: worldOf(place, options),
  ledger: createChangeLedger(new Map(applications.map((application) => [application, '1']))),
  fingerprints: new Map(),
  refusals: [],
})

/** Folder of a node's data in the tree's home. */
export const dataDirOf = ({ home }: TrialPlace, name: string): string => join(home, 'nodes', name)
