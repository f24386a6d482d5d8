import type { Random } from '../../base/index.ts'
import type { World } from '../world/index.ts'

/** A time drawn between two, in milliseconds. */
export const within = (random: Random, [leastMs, mostMs]: readonly [number, number]): number =>
  leastMs + Math.floor(random.unit() * (mostMs - leastMs))

/** Calls `act` again and again, with the number of calls before it, and with pauses drawn from `everyMs`, until `isOver` says so. */
export const repeat = (
  world: World,
  random: Random,
  plan: {
    readonly label: string
    readonly fromMs: number
    readonly everyMs: readonly [number, number]
    readonly isOver: () => boolean
  },
  act: (index: number) => void,
): void => {
  const again = (atMs: number, index: number) =>
    world.at(atMs, plan.label, () => {
      if (plan.isOver()) return
      act(index)
      again(world.nowMs() + within(random, plan.everyMs), index + 1)
    })
  again(plan.fromMs, 0)
}
