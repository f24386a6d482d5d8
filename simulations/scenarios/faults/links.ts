import type { Random } from '../../../base/index.ts'
import type { World } from '../../world/index.ts'
import { between, done, type Fault, type Harm, pick, pickLink, pickWay } from './fault.ts'

type Way = readonly [from: string, to: string]

const closed = (world: World, ways: readonly Way[], text: string): Harm => {
  const { paths } = world.network
  for (const [from, to] of ways) paths.close(from, to)
  let isOver = false
  return {
    text,
    end: () => {
      if (isOver) return
      isOver = true
      for (const [from, to] of ways) paths.open(from, to)
    },
  }
}

const worse = (
  world: World,
  ways: readonly Way[],
  change: { readonly latencyMs?: number; readonly bytesPerMs: number },
  text: string,
): Harm => {
  const { paths } = world.network
  const undo = ways.map(([from, to]) => paths.setQuality(from, to, { ...paths.quality(from, to), ...change }))
  return {
    text,
    end: () => {
      for (const one of undo) one()
    },
  }
}

const bothWays = ([a, b]: Way): readonly Way[] => [
  [a, b],
  [b, a],
]

/** Two groups, each with at least one machine. */
const draw = (world: World, random: Random): readonly [here: readonly string[], there: readonly string[]] => {
  const names = world.machines.map(({ place }) => place.name as string)
  const sides = names.map(() => random.unit() < 0.5)
  sides[0] = true
  sides[1 + Math.floor(random.unit() * (names.length - 1))] = false
  return [names.filter((_, at) => sides[at]), names.filter((_, at) => !sides[at])]
}

/** Between how many ways swizzling chooses, and when it opens the last, in milliseconds. */
const swizzled = { least: 4, most: 12, closedByMs: 12_000, openByMs: 30_000 }

export const links = {
  'cut-link': {
    name: 'cut-link',
    lastsMs: [2_000, 60_000],
    begin: (world, random) => {
      const link = pickLink(world, random)
      return link && closed(world, bothWays(link), `no way between ${link.join(' and ')}`)
    },
  },
  'cut-one-way': {
    name: 'cut-one-way',
    lastsMs: [2_000, 60_000],
    begin: (world, random) => {
      const way = pickWay(world, random)
      return way && closed(world, [way], `no way from ${way.join(' to ')}`)
    },
  },
  'cut-zone': {
    name: 'cut-zone',
    lastsMs: [10_000, 120_000],
    begin: (world, random) => {
      const gate = pick(
        random,
        world.machines.filter(({ place }) => place.role === 'aggregator'),
      )
      if (!gate) return undefined
      const inside = world.machines.filter(
        ({ place }) => place.scope === gate.place.scope || place.scope.startsWith(`${gate.place.scope}/`),
      )
      const outside = world.machines.filter((one) => !inside.includes(one))
      const ways = inside.flatMap((a) => outside.flatMap((b) => bothWays([a.place.name, b.place.name])))
      return closed(world, ways, `${gate.place.scope} is cut off`)
    },
  },
  split: {
    name: 'split',
    lastsMs: [10_000, 90_000],
    begin: (world, random) => {
      const [here, there] = draw(world, random)
      const ways = here.flatMap((a) => there.flatMap((b) => bothWays([a, b])))
      return closed(world, ways, `no way between ${here.join(' ')} and ${there.join(' ')}`)
    },
  },
  'split-one-way': {
    name: 'split-one-way',
    lastsMs: [10_000, 90_000],
    begin: (world, random) => {
      const [here, there] = draw(world, random)
      const [from, to] = random.unit() < 0.5 ? [here, there] : [there, here]
      const ways = from.flatMap((a) => to.map((b) => [a, b] as const))
      return closed(world, ways, `no way from ${from.join(' ')} to ${to.join(' ')}`)
    },
  },
  // "Swizzle-clogging" of FoundationDB's simulation: closing and opening in different orders finds what neither finds.
  swizzle: {
    name: 'swizzle',
    lastsMs: [swizzled.openByMs, swizzled.openByMs + 1_000],
    begin: (world, random) => {
      const { paths } = world.network
      const ways = world.machines
        .flatMap(({ place }) => place.parents.flatMap((parent) => bothWays([place.name, parent])))
        .map((way) => ({ way, order: random.unit() }))
        .toSorted((a, b) => a.order - b.order)
        .slice(0, between(random, swizzled.least, swizzled.most))
        .map(({ way }) => way)
      if (ways.length === 0) return undefined
      const shut = new Set<Way>()
      const open = (way: Way) => {
        if (shut.delete(way)) paths.open(...way)
      }
      let isOver = false
      for (const way of ways) {
        world.at(world.nowMs() + between(random, 0, swizzled.closedByMs), 'swizzle', () => {
          if (isOver) return
          shut.add(way)
          paths.close(...way)
        })
        world.at(world.nowMs() + between(random, swizzled.closedByMs, swizzled.openByMs), 'swizzle', () => open(way))
      }
      return {
        text: `${ways.length} ways close and open in different orders: ${ways.map((way) => way.join('>')).join(' ')}`,
        end: () => {
          isOver = true
          for (const way of [...shut]) open(way)
        },
      }
    },
  },
  'slow-link': {
    name: 'slow-link',
    lastsMs: [10_000, 60_000],
    begin: (world, random) => {
      const link = pickLink(world, random)
      const latencyMs = between(random, 500, 3_000)
      return (
        link &&
        worse(world, bothWays(link), { latencyMs, bytesPerMs: 2 }, `${latencyMs} ms between ${link.join(' and ')}`)
      )
    },
  },
  'narrow-link': {
    name: 'narrow-link',
    lastsMs: [20_000, 90_000],
    begin: (world, random) => {
      const link = pickLink(world, random)
      const bytesPerMs = 0.5 + 3.5 * random.unit()
      const text = `${Math.round(1_000 * bytesPerMs)} bytes a second between ${link?.join(' and ')}`
      return link && worse(world, bothWays(link), { bytesPerMs }, text)
    },
  },
  'clog-way': {
    name: 'clog-way',
    lastsMs: [5_000, 40_000],
    begin: (world, random) => {
      const way = pickWay(world, random)
      const bytesPerMs = 0.02 + 0.1 * random.unit()
      const text = `${Math.round(1_000 * bytesPerMs)} bytes a second from ${way?.join(' to ')}`
      return way && worse(world, [way], { bytesPerMs }, text)
    },
  },
  'reset-link': {
    name: 'reset-link',
    lastsMs: [0, 0],
    begin: (world, random) => {
      const link = pickLink(world, random)
      return link && isUp(world, link) && world.network.reset(...link)
        ? done(`the connection of ${link.join(' and ')} broke`)
        : undefined
    },
  },
  'half-open': {
    name: 'half-open',
    lastsMs: [0, 0],
    begin: (world, random) => {
      const way = pickWay(world, random)
      return way && isUp(world, way) && world.network.forget(...way)
        ? done(`${way[0]} lost its connection to ${way[1]}, which does not know`)
        : undefined
    },
  },
  'broken-link': {
    name: 'broken-link',
    lastsMs: [0, 0],
    begin: (world, random) => {
      const link = pickLink(world, random)
      return link && isUp(world, link) && world.network.lose(...link)
        ? done(`the connection of ${link.join(' and ')} carries nothing any more, and neither is told`)
        : undefined
    },
  },
} as const satisfies Readonly<Record<string, Fault>>

const isUp = (world: World, [a, b]: Way): boolean => !world.machine(a).isAsleep() && !world.machine(b).isAsleep()
