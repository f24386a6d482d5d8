import { errorText, SkerryError } from '../../../base/index.ts'
import type { SkerryNode } from '../../../node/index.ts'
import type { Topology } from '../../../topologies/index.ts'
import { asked } from '../asked.ts'
import type { Scene } from '../checker.ts'
import type { Wish } from '../ledger.ts'
import { applicationText, deploymentOf, deploymentText, sitesFor, type WorldApplication } from '../specifications.ts'

/** An operator at the tower: one change at a time, each in the ledger. */
export interface TowerDesk {
  /** The tower's node, unless it is down or the operator waits for an answer. */
  free(): SkerryNode | undefined
  /** Versions of an application that were put, oldest first. */
  versions(application: string): readonly string[]
  /** The version that is out, as far as the operator knows. */
  current(application: string): string | undefined
  /** Whether it has run two versions since it was deployed, so that there is one to go back to. */
  canGoBack(application: string): boolean
  /** The tree as the topology files say it now. */
  topology(): Topology
  /** What files say from now on. */
  giveTopology(topology: Topology): void
  /** The operator no longer relies on what the tower ran before. */
  forget(): void
  wish(application: WorldApplication, version: string | undefined): Wish
  /** Does something and writes down what came of it. `work` may say which of the wishes it came to. */
  change(
    move: string,
    application: WorldApplication,
    wishes: readonly Wish[],
    work: () => Promise<Wish | undefined>,
  ): Promise<'acknowledged' | 'refused' | 'unknown'>
  /** Puts a version of an application and its deployment. */
  deploy(move: string, application: WorldApplication, version: string): void
  /** Puts what was put last once more, or takes it away; false when it has to be tried again. */
  putAgain(application: WorldApplication): Promise<boolean>
}

/** How long an operator waits for an answer before it counts as none, in milliseconds. */
export const patienceMs = 10_000

/** Errors after which nothing is changed. */
const refusals: readonly string[] = ['disk-full', 'no-previous-version', 'not-found']

const document = (text: string) => ({
  ...asked,
  body: { text, mediaType: 'application/yaml' as const, source: 'workload.yaml' },
  mode: 'replace' as const,
  effect: 'apply' as const,
})

/** Puts a version of an application and its deployment at a node, as `skerry apply` does. */
export const putVersion = async (node: SkerryNode, application: WorldApplication, version: string): Promise<void> => {
  const { config } = node.services
  await config.write('applications', document(applicationText(application, version)))
  await config.write('application-deployments', document(deploymentText(application, version)))
}

export const createTowerDesk = (
  { world, ledger }: Pick<Scene, 'world' | 'ledger'>,
  acknowledge: (move: string) => void,
): TowerDesk => {
  const versions = new Map<string, string[]>()
  const current = new Map<string, string | undefined>()
  /** Versions that were out since the last deployment. */
  const ran = new Map<string, ReadonlySet<string>>()
  let { topology } = world
  let isBusy = false
  const node = () => world.machines.find(({ place }) => place.role === 'tower')?.node()

  const desk: TowerDesk = {
    free: () => (isBusy ? undefined : node()),
    versions: (application) => versions.get(application) ?? [],
    current: (application) => current.get(application),
    canGoBack: (application) => (ran.get(application)?.size ?? 0) > 1,
    topology: () => topology,
    giveTopology: (given) => {
      topology = given
    },
    forget: () => ran.clear(),
    wish: (application, version) => ({
      application: application.name,
      version,
      sites: version === undefined ? new Set() : sitesFor(topology, application, '/'),
    }),
    change: (move, application, wishes, work) => {
      isBusy = true
      const entry = ledger.ask({ deployment: deploymentOf(application), wishes, within: undefined }, world.nowMs())
      let isOver = false
      const { promise, resolve } = Promise.withResolvers<'acknowledged' | 'refused' | 'unknown'>()
      const finish = (outcome: 'acknowledged' | 'refused' | 'unknown', wish?: Wish) => {
        if (isOver) return
        isOver = true
        isBusy = false
        entry.answer(outcome, world.nowMs(), ...(wish ? [wish] : []))
        world.note(`operator ${move} ${application.name}: ${outcome}`)
        resolve(outcome)
        if (outcome !== 'acknowledged') return
        const version = (wish ?? wishes[0])?.version
        current.set(application.name, version)
        ran.set(application.name, new Set(version === undefined ? [] : [...(ran.get(application.name) ?? []), version]))
        acknowledge(move)
      }
      world.note(`operator ${move} ${application.name}`)
      world.at(world.nowMs() + patienceMs, 'operator gives up', () => finish('unknown'))
      work().then(
        (wish) => finish('acknowledged', wish),
        (error: unknown) => {
          world.note(`operator was refused: ${errorText(error)}`)
          const code = error instanceof SkerryError ? error.code : undefined
          // What was taken away without an answer is gone: now the operator knows.
          if (code === 'not-found') for (const known of [current, ran]) known.delete(application.name)
          // Half of a change may be done: the document before it, or the write that failed at the very end.
          finish(code !== undefined && refusals.includes(code) ? 'refused' : 'unknown')
        },
      )
      return promise
    },
    deploy: (move, application, version) => {
      const at = node()
      if (!at) return
      const known = versions.get(application.name) ?? []
      if (!known.includes(version)) versions.set(application.name, [...known, version])
      void desk.change(move, application, [desk.wish(application, version)], async () => {
        await putVersion(at, application, version)
        return undefined
      })
    },
    putAgain: async (application) => {
      const at = desk.free()
      if (!at) return false
      const { config } = at.services
      const version = current.get(application.name)
      const name = deploymentOf(application)
      if (version === undefined && (await config.read('application-deployments', name, asked)) === undefined)
        return true
      if (desk.free() !== at) return false
      const outcome = await desk.change('again', application, [desk.wish(application, version)], async () => {
        if (version === undefined) await config.remove('application-deployments', name, { ...asked, effect: 'apply' })
        else await putVersion(at, application, version)
        return undefined
      })
      return outcome === 'acknowledged'
    },
  }
  return desk
}
