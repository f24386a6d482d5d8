import { errorText, type Random } from '../../../base/index.ts'
import type { Machine } from '../../world/index.ts'
import { asked } from '../asked.ts'
import type { Wish } from '../ledger.ts'
import { applications, deploymentOf, sitesFor } from '../specifications.ts'
import type { MakeMove, Office } from './move.ts'
import { putVersion } from './tower-desk.ts'
import { allowWhereItGoes, changeWithin, pick, zonesOf } from './zone-operator.ts'

/** How long the two sides are apart, in milliseconds: links are lost after 20 s, and changes wait until then at most. */
const apartMs = [23_000, 35_000] as const
/** How long they are together at least before they are apart again, so that each hears what the other said, in milliseconds. */
const togetherMs = 40_000
/** An operator who found nothing to settle looks again after so long, in milliseconds. */
const lookAgainMs = 10_000
/** When the zone changes the same after those above, in milliseconds. */
const laterMs = 3_000

/**
 * A zone is cut off, and its operator and the one at the tower change the same application; or each of them makes one,
 * and they give it the same name.
 */
export const editApart: MakeMove = (office) => {
  const { world } = office.scene
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
        allowWhereItGoes(office, application, wish)
        void changeWithin(office, zone, { application, move: 'changes', wishes: [wish] }, async () => {
          await putVersion(node, application, version)
          return []
        })
      })
      return true
    },
  }
}

/** A voice, or where several speak with it, or it does not speak, one of the candidates. */
const takeOf = (
  { candidates }: { readonly candidates: readonly { readonly id: string; readonly voice: string }[] },
  random: Random,
): string => {
  const [take, voice] = random.unit() < 0.5 ? (['local', 'local'] as const) : (['above', 'intent'] as const)
  const fitting = candidates.filter((one) => one.voice === voice)
  if (fitting.length === 1) return take
  return pick(random, fitting.length > 0 ? fitting : candidates)?.id ?? take
}

/**
 * Ends all conflicts a zone knows of, by one word or the other.
 * @param random undefined only looks
 * @returns those it had, in words
 */
const settleAll = async (office: Office, zone: Machine, random: Random | undefined): Promise<readonly string[]> => {
  const { world, ledger } = office.scene
  const { scope } = zone.place
  const node = zone.node()
  if (!node) return [`the aggregator of ${scope} is down`]
  const conflicts = (await node.services.conflicts.list(asked)).filter((one) => one.scope === scope)
  for (const conflict of conflicts) {
    const application = applications.find(({ name }) => name === conflict.application)
    // What a word asks for may not be here yet: nobody takes what they cannot read.
    const isUnread = conflict.candidates.some(({ version, retired }) => version === undefined && retired !== true)
    if (!random || !application || isUnread) continue
    const wishFor = ({ voice, version }: { readonly voice: string; readonly version?: string }): Wish => ({
      application: application.name,
      version,
      sites: version === undefined ? new Set() : sitesFor(world.topology, application, voice === 'local' ? scope : '/'),
    })
    const take = takeOf(conflict, random)
    const wishes = conflict.candidates.map(wishFor)
    const isDone = await changeWithin(office, zone, { application, move: `takes ${take} of`, wishes }, async () => {
      const { taken } = await node.services.conflicts.settle(application.name, { ...asked, take })
      // Who follows those above also follows what they said since, and what is still on its way.
      const since = taken.voice === 'intent' ? ledger.candidates(deploymentOf(application)) : []
      return [wishFor(taken), ...since]
    })
    if (isDone) office.acknowledge('settle')
  }
  return conflicts.map(({ application }) => `${scope} has a conflict about ${application} at ${zone.place.name}`)
}

/** An operator of a zone ends its conflicts; in the end there is none left. */
export const settle: MakeMove = (office) => {
  const { world } = office.scene
  const last = world.random.fork('settling')
  const changed = () => zonesOf(world).filter(({ place }) => office.apart.has(place.scope))
  let isBusy = false
  let lookMs = 0
  const settleZone = async (zone: Machine, random: Random | undefined): Promise<readonly string[]> => {
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
      const asked = new Set<string>()
      for (const zone of changed()) {
        // One operator ends what is left of a zone; its other aggregators are to hear of it.
        all.push(...(await settleZone(zone, asked.has(zone.place.scope) ? undefined : last)))
        asked.add(zone.place.scope)
      }
      return all
    },
  }
}
