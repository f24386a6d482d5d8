import type { Random } from '../../../base/index.ts'
import type { Machine, World } from '../../world/index.ts'
import { asked } from '../asked.ts'
import type { Wish } from '../ledger.ts'
import { applications, deploymentOf, sitesFor, type WorldApplication } from '../specifications.ts'
import type { MakeMove, Office } from './move.ts'
import { putVersion } from './tower-desk.ts'
import { withinPatience } from './within-patience.ts'
import { allowWhereItGoes, changeWithin, pick, zonesOf } from './zone-operator.ts'

/** How long two aggregators of a zone are apart, in milliseconds: links are lost after 20 s. */
const apartMs = [25_000, 40_000] as const
/** When each operator changes something, counted from when they are apart, in milliseconds. */
const changesByMs = [500, 12_000] as const
/** When one aggregator is started again meanwhile, and after how long, in milliseconds. */
const restart = { byMs: [2_000, 14_000], takesMs: [300, 3_000] } as const
/** How often an operator looks whether an aggregator that was down is back, in milliseconds, and for how often. */
const downEveryMs = 500
const downTimes = 10
/** Once there is a way again, what each says is known to the other after so long at most, in milliseconds. */
const meetWithinMs = 30_000

const within = (random: Random, [least, most]: readonly [number, number]): number =>
  least + Math.floor(random.unit() * (most - least))

/** Two aggregators of one zone, both up, in an order of chance. */
const fellowsOf = (world: World, random: Random): readonly [one: Machine, other: Machine] | undefined => {
  const up = zonesOf(world)
  const one = pick(random, up)
  const other = up.find((fellow) => fellow !== one && fellow.place.scope === one?.place.scope)
  return one && other && [one, other]
}

/** What an operator at one aggregator does to an application: undefined takes it away. */
interface Change {
  readonly application: WorldApplication
  readonly version: string | undefined
}

/** Changes something at one aggregator, as an operator of the zone who has no other at hand. @returns whether that is done */
const changeAt = async (office: Office, gate: Machine, { application, version }: Change): Promise<boolean> => {
  const { world } = office.scene
  for (let times = 0; times < downTimes && gate.node() === undefined; times++)
    await world.sleep(downEveryMs, 'operator waits for an aggregator')
  const node = gate.node()
  if (!node) return false
  const { config } = node.services
  const { name, scope } = gate.place
  const deployment = deploymentOf(application)
  const isThere = (await config.read('application-deployments', deployment, asked)) !== undefined
  if (version === undefined && !isThere) return false
  const wish: Wish = {
    application: application.name,
    version,
    sites: version === undefined ? new Set() : sitesFor(world.topology, application, scope),
  }
  allowWhereItGoes(office, application, wish)
  const move = version === undefined ? `removes at ${name}` : `puts ${version} of`
  return changeWithin(office, gate, { application, move, wishes: [wish] }, async () => {
    const work =
      version === undefined
        ? config.remove('application-deployments', deployment, { ...asked, effect: 'apply' })
        : putVersion(node, application, version)
    await withinPatience<unknown>(world, work)
    return []
  })
}

/**
 * The aggregators of a zone lose each other and the tower, and at each an operator changes something. In half of the
 * times one of them is started again before they meet.
 * @param choose what the two do; undefined where that cannot be done now
 */
const atEach =
  (
    move: string,
    choose: (office: Office, random: Random) => readonly [WorldApplication, WorldApplication] | undefined,
    isRemoving = false,
  ): MakeMove =>
  (office) => {
    const { world, ledger } = office.scene
    let edits = 0
    return {
      begin: (random) => {
        const fellows = fellowsOf(world, random)
        const chosen = fellows && choose(office, random)
        if (!fellows || !chosen || office.fellows.isApart) return false
        const [one, other] = fellows
        const { scope, parents } = one.place
        const ends = [one.place.name, other.place.name, ...parents]
        const ways = ends.flatMap((from) => ends.flatMap((to) => (from === to ? [] : [[from, to] as const])))
        for (const way of ways) world.network.paths.close(...way)
        office.fellows.isApart = true
        office.apart.add(scope)
        const together = ledger.part()
        world.note(`${one.place.name} and ${other.place.name} are apart, and from the tower`)
        const backMs = world.nowMs() + within(random, apartMs)
        world.at(backMs, 'aggregators meet again', () => {
          for (const way of ways) world.network.paths.open(...way)
        })
        world.at(backMs + meetWithinMs, 'aggregators know each other', () => {
          together()
          office.fellows.isApart = false
        })
        if (random.unit() < 0.5) {
          const victim = random.unit() < 0.5 ? one : other
          world.at(world.nowMs() + within(random, restart.byMs), 'an aggregator is started again', () => {
            if (!victim.isRunning()) return
            world.note(`${victim.place.name} is started again`)
            victim.crash('kill')
            world.at(world.nowMs() + within(random, restart.takesMs), 'it is back', victim.start)
          })
        }
        const number = ++edits
        const done = fellows.map(async (gate, at) => {
          await world.sleep(within(random, changesByMs), 'operator at an aggregator')
          const application = chosen[at] ?? chosen[0]
          const version = isRemoving && at === 1 ? undefined : `${move}-${number}-at-${gate.place.name}`
          return changeAt(office, gate, { application, version })
        })
        void Promise.all(done).then(
          (both) => {
            if (both.every(Boolean)) office.acknowledge(move)
          },
          (error: unknown) => world.note(`operator was refused: ${String(error)}`),
        )
        return true
      },
    }
  }

/** With the first that is out everywhere the image is there as well. */
const isBegun = ({ tower }: Office) => applications.some(({ name }) => tower.current(name) !== undefined)

/** Both change one application; or each of them makes one, and they give it the same name. */
export const changeAtEach = atEach('change-at-each', (office, random) => {
  const unmade = applications.filter(({ name }) => office.tower.versions(name).length === 0)
  const application = isBegun(office) ? pick(random, unmade.length > 0 ? unmade : applications) : undefined
  return application && [application, application]
})

/** One changes an application that the other takes away. */
export const removeAtOne = atEach(
  'remove-at-one',
  (office, random) => {
    const out = applications.filter(({ name }) => office.tower.current(name) !== undefined)
    const application = pick(random, out)
    return application && [application, application]
  },
  true,
)

/** Each changes, or makes, another application. */
export const differAtEach = atEach('differ-at-each', (office) => {
  const [one, other] = applications
  return isBegun(office) && one && other ? [one, other] : undefined
})
