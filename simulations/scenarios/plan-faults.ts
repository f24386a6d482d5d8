import type { Random } from '../../base/index.ts'
import type { World } from '../world/index.ts'
import { type Fault, type FaultName, faults, type Harm } from './faults/index.ts'
import { within } from './repeat.ts'

/** What befalls a world in one run. */
export interface Misfortune {
  /** Begins one fault, if any can be begun. @param random all it draws comes from there */
  next(random: Random): void
  /** Goes on as if the next one had been begun. */
  skip(): void
  /** Whether each fault was begun. */
  isWhole(): boolean
  healAll(): void
  /** How often each was begun. */
  readonly fired: ReadonlyMap<string, number>
}

/** How often it is tried to find somebody for a fault. */
const draws = 4

/**
 * Draws faults one after the other: each of `names` once, in an order of its own, then any.
 * @param stretch each lasts so many times as long as it says
 */
export const planFaults = (world: World, names: readonly FaultName[], random: Random, stretch = 1): Misfortune => {
  const fired = new Map<string, number>(names.map((name) => [name, 0]))
  const underWay = new Set<Harm>()
  const heal = (harm: Harm) => {
    if (underWay.delete(harm)) harm.end()
  }
  const begin = (fault: Fault, random: Random): boolean => {
    const harm = fault.begin(world, random)
    if (!harm) return false
    fired.set(fault.name, (fired.get(fault.name) ?? 0) + 1)
    world.note(`fault ${fault.name}: ${harm.text}`)
    underWay.add(harm)
    world.at(world.nowMs() + stretch * within(random, fault.lastsMs), `fault ${fault.name} ends`, () => heal(harm))
    return true
  }
  let due = names
    .map((name) => ({ name, order: random.unit() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ name }) => name)
  /** Who is to be harmed is drawn anew each time: what cannot be done to one may be done to another. */
  const beginAny = (of: readonly FaultName[], drawn: Random): FaultName | undefined => {
    for (let draw = 0; draw < draws; draw++) for (const name of of) if (begin(faults[name], drawn)) return name
    return undefined
  }
  return {
    next: (drawn) => {
      const any = names[Math.floor(drawn.unit() * names.length)]
      const begun = beginAny(due.length > 0 || any === undefined ? due : [any], drawn)
      due = due.filter((one) => one !== begun)
    },
    skip: () => {
      due = due.slice(1)
    },
    isWhole: () => due.length === 0,
    healAll: () => {
      for (const harm of [...underWay]) heal(harm)
    },
    fired,
  }
}
