import type { SkerryNode } from '../../../node/index.ts'
import { sites } from '../../../topologies/index.ts'
import type { Machine } from '../../world/index.ts'
import { asked } from '../asked.ts'
import type { MakeChecker, Scene } from '../checker.ts'
import type { Wish } from '../ledger.ts'
import { applications, contentOf, deploymentOf } from '../specifications.ts'

/** Containers that run at a site, as `application/container content`, sorted. */
const runningAt = ({ world }: Scene, site: string): readonly string[] =>
  world.machines
    .filter(({ place }) => place.role === 'edge' && place.site === site)
    .flatMap(({ host }) => host?.containers() ?? [])
    .filter(({ state }) => state === 'running')
    .map(({ owner }) => `${owner.application}/${owner.container} ${contentOf(owner, owner.version)}`)
    .toSorted()

/** Version by deployment, as somebody's configuration has it. */
type Held = ReadonlyMap<string, string>

const heldBy = async (node: SkerryNode | undefined): Promise<Held | undefined> => {
  const objects = await node?.services.config.list('application-deployments', asked)
  return objects && new Map(objects.map(({ name, value }) => [name, String(value['application-version'])]))
}

/** What is to run at a site, where `heldOf` says which version counts there. */
const wantedAt = (
  { ledger }: Scene,
  site: string,
  hosts: number,
  heldOf: (deployment: string) => string | undefined,
): readonly string[] =>
  applications
    .flatMap((application) => {
      const deployment = deploymentOf(application)
      const version = heldOf(deployment)
      const wish = ledger.candidatesAt(deployment, site).find((one) => one.version === version)
      if (version === undefined || !wish?.sites.has(site)) return []
      return application.containers.flatMap(({ name }) =>
        Array.from({ length: application.instances(hosts) }, () => {
          const owner = { application: application.name, container: name }
          return `${owner.application}/${name} ${contentOf(owner, version)}`
        }),
      )
    })
    .toSorted()

const isOneOf = (wishes: readonly Wish[], version: string | undefined) =>
  wishes.some((wish) => wish.version === version)
const inWords = (wishes: readonly Wish[]) => wishes.map((wish) => wish.version ?? 'removed').join(' or ')

/**
 * What was acknowledged stands in the configuration of the tower, and of the zone whose operators asked, unless a later
 * change took its place; and it is what runs everywhere in the end.
 */
export const acknowledgedKept: MakeChecker = (scene) => {
  const { world, ledger } = scene
  const violations: string[] = []
  let seen = 0

  /** Says where something acknowledged does not stand. */
  const missing = (deployment: string, held: Held, where: string, candidates: readonly Wish[]): readonly string[] => {
    const version = held.get(deployment)
    if (isOneOf(candidates, version)) return []
    return [`${deployment} is ${version ?? 'removed'} ${where}; what was acknowledged says ${inWords(candidates)}`]
  }
  /** The machines that decide for a site once operators of its zone did, by the name of the site. */
  const aggregatorsOf = (site: string): readonly Machine[] => {
    const edge = world.machines.find(({ place }) => place.role === 'edge' && place.site === site)
    return world.machines.filter(({ place }) => edge?.place.parents.includes(place.name))
  }

  return {
    invariant: 6,
    sentence: 'nothing acknowledged is lost: it is in force, or a later change took its place',
    observer: {},
    violations: () => violations,
    seen: () => seen,
    lacking: async () => {
      const atTower = await heldBy(world.machines.find(({ place }) => place.role === 'tower')?.node())
      if (!atTower) return ['the tower does not answer']
      seen += ledger.changes().filter(({ outcome }) => outcome === 'acknowledged').length
      const deployments = ledger.deployments()
      for (const deployment of deployments)
        violations.push(...missing(deployment, atTower, 'at the tower', ledger.candidates(deployment)))
      const differ: string[] = []
      for (const { name, hosts, type } of sites(world.topology)) {
        if (type !== 'edge') continue
        const own = deployments.filter((deployment) => ledger.isChangedAround(deployment, name))
        let inZone: Held = atTower
        for (const { place, node } of own.length > 0 ? aggregatorsOf(name).toReversed() : []) {
          const held = await heldBy(node())
          if (!held) return [`${place.name} does not answer`]
          // What those above changed meanwhile takes its time to come here.
          for (const deployment of own) {
            differ.push(...missing(deployment, held, `at ${place.name}`, ledger.candidatesAt(deployment, name)))
            if (inZone !== atTower && inZone.get(deployment) !== held.get(deployment))
              differ.push(
                `${deployment} is ${held.get(deployment) ?? 'removed'} at ${place.name} and not at its fellow`,
              )
          }
          inZone = held
        }
        const wanted = wantedAt(scene, name, hosts.length, (deployment) =>
          (own.includes(deployment) ? inZone : atTower).get(deployment),
        )
        const running = runningAt(scene, name)
        if (wanted.join() !== running.join())
          differ.push(
            `site ${name} runs ${running.join(', ') || 'nothing'}; wanted is ${wanted.join(', ') || 'nothing'}`,
          )
      }
      return differ
    },
  }
}
