import type { Random } from '../../../base/index.ts'
import type { Machine, World } from '../../world/index.ts'

/** Harm under way. */
export interface Harm {
  /** In words, for the trace. */
  readonly text: string
  /** Mends it; harmless when it is mended already. */
  readonly end: () => void
}

export interface Fault {
  readonly name: string
  /** Shortest and longest time it lasts, in milliseconds. */
  readonly lastsMs: readonly [number, number]
  /** Begins harm; undefined when nothing here can be harmed so just now. */
  readonly begin: (world: World, random: Random) => Harm | undefined
}

type Role = Machine['place']['role']

export const pick = <Value>(random: Random, values: readonly Value[]): Value | undefined =>
  values[Math.floor(random.unit() * values.length)]

export const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random.unit() * (most - least + 1))

/** Machines whose process is there and goes on; all of them, or those of one role. */
export const running = (world: World, role?: Role): readonly Machine[] =>
  world.machines.filter((one) => one.isRunning() && !one.isAsleep() && (role === undefined || one.place.role === role))

/** A node and one of its parents. */
export const pickLink = (world: World, random: Random): readonly [child: string, parent: string] | undefined => {
  const child = pick(
    random,
    world.machines.filter(({ place }) => place.parents.length > 0),
  )
  const parent = child && pick(random, child.place.parents)
  return child && parent && [child.place.name, parent]
}

/** The same, one way or the other. */
export const pickWay = (world: World, random: Random): readonly [from: string, to: string] | undefined => {
  const link = pickLink(world, random)
  return link && random.unit() < 0.5 ? [link[1], link[0]] : link
}

/** What is done at once and needs no mending. */
export const done = (text: string): Harm => ({ text, end: () => {} })
