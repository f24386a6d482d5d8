import { errorText, type Random, SkerryError } from '../../base/index.ts'
import type { Machine, World } from '../world/index.ts'
import { asked } from './asked.ts'

/** Operators who block sites and let them in again, at the node right above each. */
export interface Blocks {
  /** Begins one; false when there is nothing to do it to. */
  block(random: Random): boolean
  allow(random: Random): boolean
  /** Lets in again whoever is or may be blocked; resolves when the last one is. */
  allowAll(): Promise<void>
  /** Acknowledged ones, by name. */
  done(): ReadonlyMap<string, number>
}

const retryMs = 1_000

export const createBlocks = (world: World): Blocks => {
  /** Sites that are blocked, or may be because nobody answered. */
  const blocked = new Set<string>()
  const done = new Map<string, number>()
  const pick = (random: Random, machines: readonly Machine[]) => machines[Math.floor(random.unit() * machines.length)]
  const membersAbove = (site: string) => {
    const edge = world.machines.find(({ place }) => place.role === 'edge' && place.site === site)
    return world.machines.find(({ place }) => place.name === edge?.place.parents[0])?.node()?.services.members
  }
  const count = (name: string) => done.set(name, (done.get(name) ?? 0) + 1)

  const letIn = async (site: string): Promise<boolean> => {
    try {
      await membersAbove(site)?.allow({ kind: 'site', site }, asked)
      if (!membersAbove(site)) return false
      world.note(`operator allowed ${site}`)
    } catch (error) {
      // The block that nobody answered was never done.
      if (!(error instanceof SkerryError) || error.code !== 'not-blocked') {
        world.note(`operator could not allow ${site}: ${errorText(error)}`)
        return false
      }
    }
    blocked.delete(site)
    count('allow')
    return true
  }

  return {
    block: (random) => {
      const free = world.machines.filter(
        ({ place }) => place.role === 'edge' && !blocked.has(place.site ?? '') && membersAbove(place.site ?? ''),
      )
      const site = pick(random, free)?.place.site
      if (site === undefined) return false
      blocked.add(site)
      world.note(`operator blocks ${site}`)
      membersAbove(site)
        ?.block({ kind: 'site', site }, asked)
        .then(
          () => {
            world.note(`operator blocked ${site}`)
            count('block')
          },
          (error: unknown) => world.note(`operator could not block ${site}: ${errorText(error)}`),
        )
      return true
    },
    allow: (random) => {
      const sites = [...blocked].filter(membersAbove).toSorted()
      const site = sites[Math.floor(random.unit() * sites.length)]
      if (site === undefined) return false
      void letIn(site)
      return true
    },
    allowAll: async () => {
      for (const site of [...blocked].toSorted())
        while (!(await letIn(site))) await world.sleep(retryMs, 'operator tries again')
    },
    done: () => done,
  }
}
