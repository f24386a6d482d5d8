import { errorText, type Random } from '../../../base/index.ts'
import { ancestorsOf, sites } from '../../../topologies/index.ts'
import type { Machine, World } from '../../world/index.ts'
import { asked } from '../asked.ts'
import { thingOf } from '../canaries.ts'
import type { Wish } from '../ledger.ts'
import { applications, deploymentOf, sitesFor, type WorldApplication } from '../specifications.ts'
import type { MakeMove, Office } from './move.ts'
import { putVersion } from './tower-desk.ts'

/** How long the two sides are apart, in milliseconds: links are lost after 15 s, and changes wait until then at most. */
const apartMs = [18_000, 30_000] as const
/** How long they are together at least before they are apart again, so that each hears what the other said, in milliseconds. */
const togetherMs = 40_000
/** An operator who found nothing to settle looks again after so long, in milliseconds. */
const lookAgainMs = 10_000
/** When the zone changes the same after those above, in milliseconds. */
const laterMs = 3_000

/** Zones right below the towers that have no zone inside, by their aggregator; those of which it is up. */
const zonesOf = ({ machines }: World): readonly Machine[] =>
  machines.filter(
    ({ place, node }) =>
      place.role === 'aggregator' &&
      node() !== undefined &&
      machines.some((above) => above.place.role === 'tower' && above.place.name === place.parents[0]) &&
      !machines.some((below) => below.place.role === 'aggregator' && below.place.parents[0] === place.name),
  )

const sitesWithin = ({ topology }: World, zone: string): ReadonlySet<string> =>
  new Set(
    sites(topology)
      .filter(({ type, path }) => type === 'edge' && ancestorsOf(path).some((around) => around === zone))
      .map(({ name }) => name as string),
  )

const pick = <Value>(random: Random, values: readonly Value[]): Value | undefined =>
  values[Math.floor(random.unit() * values.length)]

/** A change by an operator of a zone, in the ledger as one. */
const changeWithin = (
  { scene: { world, ledger } }: Office,
  zone: Machine,
  { application, move, wishes }: { application: WorldApplication; move: string; wishes: readonly Wish[] },
  work: () => Promise<readonly Wish[]>,
): Promise<boolean> => {
  const within = sitesWithin(world, zone.place.scope)
  const entry = ledger.ask({ deployment: deploymentOf(application), wishes, within }, world.nowMs())
  world.note(`operator of ${zone.place.scope} ${move} ${application.name}`)
  return work().then(
    (came) => {
      entry.answer('acknowledged', world.nowMs(), ...came)
      world.note(`operator of ${zone.place.scope} ${move} ${application.name}: acknowledged`)
      return true
    },
    (error: unknown) => {
      entry.answer('unknown', world.nowMs())
      world.note(`operator of ${zone.place.scope} was refused: ${errorText(error)}`)
      return false
    },
  )
}

/**
 * A zone is cut off, and its operator and the one at the tower change the same application; or each of them makes one,
 * and they give it the same name.
 */
export const editApart: MakeMove = (office) => {
  const { world, canaries } = office.scene
  let edits = 0
  /** By zone, when it may be apart again. */
  const fromMs = new Map<string, number>()
  return {
    begin: (random) => {
      const isReady = ({ place }: Machine) => world.nowMs() >= (fromMs.get(place.scope) ?? 0)
      const zone = pick(random, zonesOf(world).filter(isReady))
      const tower = office.tower.free() && zone?.place.parents[0]
      // With the first that is out everywhere the image is there as well. One that nobody made yet comes first.
      const isBegun = applications.some((one) => office.tower.current(one.name) !== undefined)
      const unmade = applications.filter(({ name }) => office.tower.versions(name).length === 0)
      const application = isBegun ? pick(random, unmade.length > 0 ? unmade : applications) : undefined
      if (!zone || !tower || !application) return false
      const { name, scope } = zone.place
      const ways = [
        [name, tower],
        [tower, name],
      ] as const
      for (const way of ways) world.network.paths.close(...way)
      const backMs = apartMs[0] + Math.floor(random.unit() * (apartMs[1] - apartMs[0]))
      fromMs.set(scope, world.nowMs() + backMs + togetherMs)
      world.at(world.nowMs() + backMs, 'zone is back', () => {
        for (const way of ways) world.network.paths.open(...way)
      })
      world.note(`${scope} is apart from the tower`)
      office.tower.deploy('edit-apart', application, String(office.tower.versions(application.name).length + 1))
      world.at(world.nowMs() + laterMs, 'operator of a zone', () => {
        const node = zone.node()
        if (!node) return
        const version = `${++edits}-of-${name}`
        office.apart.add(scope)
        const wish = { application: application.name, version, sites: sitesFor(world.topology, application, scope) }
        // Operators of a zone see labels that those above do not: the application may go where it never was.
        const goesTo = world.machines.filter(({ place }) => wish.sites.has(place.site ?? ''))
        const thing = thingOf(application.name)
        if (thing !== '')
          canaries.add(
            thing,
            goesTo.map((one) => one.place.name),
          )
        void changeWithin(office, zone, { application, move: 'changes', wishes: [wish] }, async () => {
          await putVersion(node, application, version)
          return []
        })
      })
      return true
    },
  }
}

/** Ends all conflicts a zone knows of, by one word or the other. @returns those it had, in words */
const settleAll = async (office: Office, zone: Machine, random: Random): Promise<readonly string[]> => {
  const { world, ledger } = office.scene
  const { scope } = zone.place
  const node = zone.node()
  if (!node) return [`the aggregator of ${scope} is down`]
  const conflicts = (await node.services.conflicts.list(asked)).filter((one) => one.scope === scope)
  for (const conflict of conflicts) {
    const application = applications.find(({ name }) => name === conflict.application)
    // What a word asks for may not be here yet: nobody takes what they cannot read.
    const isUnread = conflict.candidates.some(({ version, retired }) => version === undefined && retired !== true)
    if (!application || isUnread) continue
    const wishFor = ({ voice, version }: { readonly voice: string; readonly version?: string }): Wish => ({
      application: application.name,
      version,
      sites: version === undefined ? new Set() : sitesFor(world.topology, application, voice === 'local' ? scope : '/'),
    })
    const take = random.unit() < 0.5 ? 'local' : 'above'
    const wishes = conflict.candidates.map(wishFor)
    const isDone = await changeWithin(office, zone, { application, move: `takes ${take} of`, wishes }, async () => {
      const { taken } = await node.services.conflicts.settle(application.name, { ...asked, take })
      // Who follows those above also follows what they said since, and what is still on its way.
      const since = taken.voice === 'intent' ? ledger.candidates(deploymentOf(application)) : []
      return [wishFor(taken), ...since]
    })
    if (isDone) office.acknowledge('settle')
  }
  return conflicts.map(({ application }) => `${scope} has a conflict about ${application}`)
}

/** An operator of a zone ends its conflicts; in the end there is none left. */
export const settle: MakeMove = (office) => {
  const { world } = office.scene
  const last = world.random.fork('settling')
  const changed = () => zonesOf(world).filter(({ place }) => office.apart.has(place.scope))
  let isBusy = false
  let lookMs = 0
  const settleZone = async (zone: Machine, random: Random): Promise<readonly string[]> => {
    isBusy = true
    try {
      const found = await settleAll(office, zone, random)
      if (found.length === 0) lookMs = world.nowMs() + lookAgainMs
      return found
    } finally {
      isBusy = false
    }
  }
  return {
    begin: (random) => {
      const zone = pick(random, changed())
      if (isBusy || !zone || world.nowMs() < lookMs) return false
      settleZone(zone, random).catch((error: unknown) => world.note(`operator was refused: ${errorText(error)}`))
      return true
    },
    lacking: async () => {
      const all: string[] = []
      for (const zone of changed()) all.push(...(await settleZone(zone, last)))
      return all
    },
  }
}
