import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ScopePath } from '../../../base/index.ts'
import { buildArchive, type Containers } from '../../../runtime/index.ts'
import { type PolicyKind, sites, type Topology, type TopologyNode, zones } from '../../../topologies/index.ts'
import type { CanaryRegister } from './canary-register.ts'
import { asked, type WireNode, type WireTree } from './wire-tree.ts'

/** What each site's machines carry, by the path of the site. */
interface Dress {
  readonly report: string
  readonly operation: string
  readonly runningLog: string
  readonly lastLog: string
}

/** What the towers' own operators plant; it goes down the tree. */
export interface TowerPlants {
  readonly application: string
  readonly failing: string
  readonly environment: string
  readonly image: string
  readonly file: string
}

export interface Plants {
  readonly dresses: ReadonlyMap<string, Dress>
  readonly tower: TowerPlants
  /** Kinds that nothing sends in this release: a word each in a file of every zone. */
  readonly files: readonly { readonly scope: ScopePath; readonly kind: PolicyKind; readonly word: string }[]
}

/** Kinds that have a policy and no sender yet. */
export const unsentKinds: readonly PolicyKind[] = ['events', 'metrics', 'audit']

const root = '/' as ScopePath

export const drawPlants = (topology: Topology, register: CanaryRegister): Plants => {
  const edges = sites(topology).filter(({ type }) => type === 'edge')
  const plant = (scope: ScopePath, kind: PolicyKind, what: string) => register.plant({ scope, kind, what })
  return {
    dresses: new Map(
      edges.map(({ path }) => [
        path,
        {
          report: plant(path, 'reports', 'engine of a host, in its report'),
          operation: plant(path, 'operations', 'output of a command'),
          runningLog: plant(path, 'logs', 'line of a running container'),
          lastLog: plant(path, 'logs', 'last line of a failing container'),
        },
      ]),
    ),
    tower: {
      application: plant(root, 'names', 'application of the towers'),
      failing: plant(root, 'names', 'failing application of the towers'),
      environment: plant(root, 'intents', 'environment of an application of the towers'),
      image: plant(root, 'names', 'image of the towers'),
      file: plant(root, 'blobs', 'file in a layer of the towers'),
    },
    files: zones(topology)
      .filter(({ path }) => path !== '/')
      .flatMap(({ path }) =>
        unsentKinds.map((kind) => ({ scope: path, kind, word: plant(path, kind, `file of a node, as of ${kind}`) })),
      ),
  }
}

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Makes a machine say what is planted in it, in its report, its logs and the output of commands. */
export const dressEngine = ({ dresses, tower }: Plants, { scope }: TopologyNode, engine: Containers): Containers => {
  const dress = dresses.get(scope)
  if (dress === undefined) return engine
  return {
    ...engine,
    facts: async () => ({ ...(await engine.facts()), version: `simulated ${dress.report}` }),
    exec: async (id, options) => ({
      ...(await engine.exec(id, options)),
      stdout: bytesOf(`${dress.operation}\n`),
    }),
    readLog: async function* (owner) {
      const word = owner.instance.startsWith(tower.failing) ? dress.lastLog : dress.runningLog
      yield { bytes: bytesOf(`it said ${word}\n`) }
    },
  }
}

const imageName = (image: string): string => `${image}/shop:1`

/** What an application of the trial is made of. */
export interface PlantedApplication {
  readonly name: string
  readonly version: string
  readonly command: string
  readonly image: string
  readonly environment: string
}

const applicationText = ({ name, version, command, image, environment }: PlantedApplication) =>
  JSON.stringify({
    name,
    version,
    services: [
      {
        name: 'web',
        mode: 'one-per-matching-host',
        containers: [
          {
            name: 'web',
            image: imageName(image),
            cmd: [command],
            env: { SAID: environment, VERSION: version },
          },
        ],
      },
    ],
  })

/** Puts an application and a deployment of it at a node, as a person there would. */
export const deploy = async (
  node: WireNode,
  application: PlantedApplication,
  chosen: { readonly deployment?: string; readonly placement?: string; readonly user?: string } = {},
): Promise<void> => {
  const { name, version } = application
  const { deployment = `${name}-d`, placement = 'system/type = edge', user = asked.caller.user } = chosen
  const write = (kind: 'applications' | 'application-deployments', text: string) =>
    node.node.services.config.write(kind, {
      ...asked,
      caller: { ...asked.caller, user },
      body: { text, mediaType: 'application/json', source: 'trial' },
      mode: 'replace',
      effect: 'apply',
    })
  await write('applications', applicationText(application))
  const text = {
    name: deployment,
    application: name,
    'application-version': version,
    placement: { 'match-site-labels': placement },
  }
  await write('application-deployments', JSON.stringify(text))
}

/** Imports an image with a planted file at a node and says what it holds to every machine. */
export const importImage = async (
  tree: WireTree,
  at: WireNode,
  plants: { readonly image: string; readonly file: string },
): Promise<void> => {
  const filler = Array.from({ length: 4_000 }, (_, line) => `line ${line} of a long file\n`).join('')
  const archive = await buildArchive({
    name: imageName(plants.image),
    files: [{ path: 'srv/planted.txt', data: `${filler}${plants.file}\n${filler}` }],
    gzip: true,
  })
  const once = async function* () {
    yield new Uint8Array(archive)
  }
  const [image] = await at.node.services.images.import(once(), asked)
  if (image === undefined) throw new RangeError('the archive held no image')
  const held = { name: imageName(plants.image), digest: image.digest, sizeBytes: archive.length, runsAsProcess: false }
  for (const { host, folder } of tree.nodes)
    host?.addArchive(join(folder, 'archives', image.archive.slice('sha256:'.length)), [held])
}

/** Version 1 of both applications of the towers, everywhere. */
export const plantAtTower = async (tree: WireTree, { tower, files }: Plants): Promise<void> => {
  const [top] = tree.nodes
  if (top === undefined) throw new RangeError('there is no tower')
  for (const { place, folder } of tree.nodes)
    for (const { scope, kind, word } of files)
      if (place.scope === scope) {
        mkdirSync(folder, { recursive: true })
        writeFileSync(join(folder, `planted-${kind}.txt`), `${word}\n`)
      }
  await importImage(tree, top, tower)
  for (const [name, command] of [
    [tower.application, 'say hello'],
    [tower.failing, 'exit 3'],
  ] as const) {
    await deploy(top, { ...tower, name, version: '1', command })
  }
}

/** An upgrade at the tower, so that a second version travels too. */
export const changeAtTower = async (tree: WireTree, { tower }: Plants): Promise<void> => {
  const [top] = tree.nodes
  if (top === undefined) return
  await deploy(top, { ...tower, name: tower.application, version: '2', command: 'say hello again' })
}
