import { sites } from '../../../topologies/index.ts'
import { asked } from '../asked.ts'
import type { MakeChecker, Scene } from '../checker.ts'
import type { Wish } from '../ledger.ts'
import { applications, contentOf, deploymentOf } from '../specifications.ts'

const same = (wish: Wish, version: string | undefined) => wish.version === version

/** Containers that run at a site, as `application/container content`, sorted. */
const runningAt = ({ world }: Scene, site: string): readonly string[] =>
  world.machines
    .filter(({ place }) => place.role === 'edge' && place.site === site)
    .flatMap(({ host }) => host?.containers() ?? [])
    .filter(({ state }) => state === 'running')
    .map(({ owner }) => `${owner.application}/${owner.container} ${contentOf(owner, owner.version)}`)
    .toSorted()

const wantedAt = (scene: Scene, site: string, hosts: number, held: ReadonlyMap<string, string>): readonly string[] =>
  applications
    .flatMap((application) => {
      const deployment = deploymentOf(application)
      const version = held.get(deployment)
      const wish = scene.ledger.candidates(deployment).find((one) => one.version === version)
      if (version === undefined || !wish?.sites.has(site)) return []
      return application.containers.flatMap(({ name }) =>
        Array.from({ length: application.instances(hosts) }, () => {
          const owner = { application: application.name, container: name }
          return `${owner.application}/${name} ${contentOf(owner, version)}`
        }),
      )
    })
    .toSorted()

/**
 * What the tower acknowledged stands in its configuration, unless a later change took its place, and is what runs
 * everywhere in the end.
 */
export const acknowledgedKept: MakeChecker = (scene) => {
  const { world, ledger } = scene
  const violations: string[] = []
  let seen = 0

  const heldVersions = async (): Promise<ReadonlyMap<string, string> | undefined> => {
    const tower = world.machines.find(({ place }) => place.role === 'tower')?.node()
    const objects = await tower?.services.config.list('application-deployments', asked)
    return objects && new Map(objects.map(({ name, value }) => [name, String(value['application-version'])]))
  }

  return {
    invariant: 6,
    sentence: 'nothing acknowledged is lost: it is in force, or a later change took its place',
    observer: {},
    violations: () => violations,
    seen: () => seen,
    lacking: async () => {
      const held = await heldVersions()
      if (!held) return ['the tower does not answer']
      for (const deployment of ledger.deployments()) {
        const candidates = ledger.candidates(deployment)
        const version = held.get(deployment)
        seen += ledger.changes().filter(({ outcome }) => outcome === 'acknowledged').length
        if (candidates.some((wish) => same(wish, version))) continue
        const words = candidates.map((wish) => wish.version ?? 'removed').join(' or ')
        violations.push(`${deployment} is ${version ?? 'removed'} at the tower; what was acknowledged says ${words}`)
      }
      return sites(world.topology)
        .filter(({ type }) => type === 'edge')
        .flatMap(({ name, hosts }) => {
          const [wanted, running] = [wantedAt(scene, name, hosts.length, held), runningAt(scene, name)]
          return wanted.join() === running.join()
            ? []
            : [`site ${name} runs ${running.join(', ') || 'nothing'}; wanted is ${wanted.join(', ') || 'nothing'}`]
        })
    },
  }
}
