import { errorText, SkerryError } from '../../../base/index.ts'
import type { World } from '../../world/index.ts'
import { asked } from '../asked.ts'
import type { MakeMove, Office } from './move.ts'
import { withinPatience } from './within-patience.ts'

const retryMs = 1_000

/** The members desk of the node right above a site. */
const deskAbove = (world: World, site: string) => {
  const edge = world.machines.find(({ place }) => place.role === 'edge' && place.site === site)
  return world.machines.find(({ place }) => place.name === edge?.place.parents[0])?.node()?.services.members
}

/** Lets a site in again; false when it has to be tried once more. */
const letIn = async ({ scene: { world }, blocked, acknowledge }: Office, site: string): Promise<boolean> => {
  try {
    const desk = deskAbove(world, site)
    if (!desk) return false
    await withinPatience(world, desk.allow({ kind: 'site', site }, asked))
    world.note(`operator allowed ${site}`)
  } catch (error) {
    // The block that nobody answered was never done.
    if (!(error instanceof SkerryError) || error.code !== 'not-blocked') {
      world.note(`operator could not allow ${site}: ${errorText(error)}`)
      return false
    }
  }
  blocked.delete(site)
  acknowledge('allow')
  return true
}

/** An operator blocks a site at the node right above it; in the end all are let in again. */
export const block: MakeMove = (office) => {
  const { world } = office.scene
  const { blocked, acknowledge } = office
  return {
    begin: (random) => {
      const free = world.machines.filter(
        ({ place }) =>
          place.role === 'edge' && !blocked.has(place.site ?? '') && deskAbove(world, place.site ?? '') !== undefined,
      )
      const site = free[Math.floor(random.unit() * free.length)]?.place.site
      if (site === undefined) return false
      blocked.add(site)
      world.note(`operator blocks ${site}`)
      deskAbove(world, site)
        ?.block({ kind: 'site', site }, asked)
        .then(
          () => {
            world.note(`operator blocked ${site}`)
            acknowledge('block')
          },
          (error: unknown) => world.note(`operator could not block ${site}: ${errorText(error)}`),
        )
      return true
    },
    settle: async () => {
      for (const site of [...blocked].toSorted())
        while (!(await letIn(office, site))) await world.sleep(retryMs, 'operator tries again')
    },
  }
}

/** An operator lets a blocked site in again. */
export const allow: MakeMove = (office) => ({
  begin: (random) => {
    const { world } = office.scene
    const sites = [...office.blocked].filter((site) => deskAbove(world, site) !== undefined).toSorted()
    const site = sites[Math.floor(random.unit() * sites.length)]
    if (site === undefined) return false
    void letIn(office, site)
    return true
  },
})
