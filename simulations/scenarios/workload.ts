import { errorText, type Random, SkerryError } from '../../base/index.ts'
import type { SkerryNode } from '../../node/index.ts'
import { labelsSeenFrom, sites, type Topology } from '../../topologies/index.ts'
import { asked } from './asked.ts'
import { createBlocks } from './blocks.ts'
import type { Scene } from './checker.ts'
import type { Wish } from './ledger.ts'
import { applications, applicationText, deploymentOf, deploymentText, type WorldApplication } from './specifications.ts'

/** One thing an operator does at the tower. */
export interface Move {
  readonly name: string
  /** Begins it; false when there is nothing to do it to. */
  readonly begin: (desk: Desk, application: WorldApplication) => boolean
}

/** An operator at the tower: one change at a time, each in the ledger. */
export interface Desk {
  readonly scene: Scene
  readonly node: SkerryNode
  /** Versions of an application that were put, oldest first. */
  readonly versions: (application: string) => readonly string[]
  /** The version that is out, as far as the operator knows. */
  readonly current: (application: string) => string | undefined
  readonly remember: (application: string, version: string) => void
  /** Does something and writes down what came of it. */
  readonly change: (
    application: WorldApplication,
    wishes: readonly Wish[],
    work: () => Promise<Wish | undefined>,
  ) => void
}

const document = (text: string) => ({
  ...asked,
  body: { text, mediaType: 'application/yaml' as const, source: 'workload.yaml' },
  mode: 'replace' as const,
  effect: 'apply' as const,
})

/** Sites an operator of the tower reaches: zones that keep their names back show none of their labels. */
export const sitesFor = (topology: Topology, application: WorldApplication): ReadonlySet<string> =>
  new Set(
    sites(topology)
      .filter(({ type }) => type === 'edge')
      .filter((site) => {
        const { labels } = labelsSeenFrom(topology, site, '/')
        return Object.entries(application.siteLabels).every(([key, value]) => labels[key] === value)
      })
      .map(({ name }) => name as string),
  )

const wishOf = ({ scene }: Desk, application: WorldApplication, version: string | undefined): Wish => ({
  application: application.name,
  version,
  sites: version === undefined ? new Set() : sitesFor(scene.world.topology, application),
})

const deploy = (desk: Desk, application: WorldApplication, version: string) => {
  const { config } = desk.node.services
  desk.change(application, [wishOf(desk, application, version)], async () => {
    await config.write('applications', document(applicationText(application, version)))
    desk.remember(application.name, version)
    await config.write('application-deployments', document(deploymentText(application, version)))
    return undefined
  })
}

const moves: readonly Move[] = [
  {
    name: 'deploy',
    begin: (desk, application) => {
      if (desk.current(application.name) !== undefined) return false
      deploy(desk, application, desk.versions(application.name).at(-1) ?? '1')
      return true
    },
  },
  {
    name: 'upgrade',
    begin: (desk, application) => {
      if (desk.current(application.name) === undefined) return false
      deploy(desk, application, String(desk.versions(application.name).length + 1))
      return true
    },
  },
  {
    name: 'rollback',
    begin: (desk, application) => {
      if (desk.current(application.name) === undefined || desk.versions(application.name).length < 2) return false
      const wishes = desk.versions(application.name).map((version) => wishOf(desk, application, version))
      desk.change(application, wishes, async () => {
        const { 'to-version': version } = await desk.node.services.operations.rollback(deploymentOf(application), asked)
        return wishOf(desk, application, version)
      })
      return true
    },
  },
  {
    name: 'remove',
    begin: (desk, application) => {
      if (desk.current(application.name) === undefined) return false
      desk.change(application, [wishOf(desk, application, undefined)], async () => {
        const { config } = desk.node.services
        await config.remove('application-deployments', deploymentOf(application), { ...asked, effect: 'apply' })
        return undefined
      })
      return true
    },
  },
]

export const workloadMoves: readonly string[] = [...moves.map(({ name }) => name), 'block', 'allow']
/** How often an operator thinks of who belongs here, and not of what runs. */
const blockShare = 0.2

/** How long an operator waits for an answer before it counts as none. */
const patienceMs = 10_000

export interface Workload {
  /** Does one move that can be done now, unless one is under way or the tower does not answer. */
  move(random: Random): void
  /** Takes every block back; resolves when all are. */
  settle(): Promise<void>
  /** Moves that were acknowledged, by name. */
  done(): ReadonlyMap<string, number>
}

export const createWorkload = (scene: Scene): Workload => {
  const { world, ledger } = scene
  const blocks = createBlocks(world)
  const versions = new Map<string, string[]>()
  const current = new Map<string, string | undefined>()
  const done = new Map<string, number>()
  let busy = false

  const deskFor = (node: SkerryNode, name: string): Desk => ({
    scene,
    node,
    versions: (application) => versions.get(application) ?? [],
    current: (application) => current.get(application),
    remember: (application, version) => {
      const known = versions.get(application) ?? []
      if (!known.includes(version)) versions.set(application, [...known, version])
    },
    change: (application, wishes, work) => {
      busy = true
      const entry = ledger.ask(deploymentOf(application), wishes, world.nowMs())
      let isOver = false
      const finish = (outcome: 'acknowledged' | 'refused' | 'unknown', wish?: Wish) => {
        if (isOver) return
        isOver = true
        busy = false
        entry.answer(outcome, world.nowMs(), wish)
        world.note(`operator ${name} ${application.name}: ${outcome}`)
        if (outcome !== 'acknowledged') return
        current.set(application.name, (wish ?? wishes[0])?.version)
        done.set(name, (done.get(name) ?? 0) + 1)
      }
      world.note(`operator ${name} ${application.name}`)
      world.at(world.nowMs() + patienceMs, 'operator gives up', () => finish('unknown'))
      work().then(
        (wish) => finish('acknowledged', wish),
        (error: unknown) => {
          world.note(`operator was refused: ${errorText(error)}`)
          // Half of a change may be done: the document before it, or the write that failed at the very end.
          finish(error instanceof SkerryError && error.code === 'disk-full' ? 'refused' : 'unknown')
        },
      )
    },
  })

  return {
    move: (random) => {
      const node = world.machines.find(({ place }) => place.role === 'tower')?.node()
      if (random.unit() < blockShare && (random.unit() < 0.5 ? blocks.allow(random) : blocks.block(random))) return
      if (busy || !node) return
      const choices = moves
        .flatMap((move) => applications.map((application) => ({ move, application, order: random.unit() })))
        .toSorted((a, b) => a.order - b.order)
      choices.find(({ move, application }) => move.begin(deskFor(node, move.name), application))
    },
    settle: blocks.allowAll,
    done: () => new Map([...done, ...blocks.done()]),
  }
}
