import type { Random } from '../../base/index.ts'
import type { Machine, World } from '../world/index.ts'

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

const pick = <Value>(random: Random, values: readonly Value[]): Value | undefined =>
  values[Math.floor(random.unit() * values.length)]

const running = (world: World, role?: Machine['place']['role']): readonly Machine[] =>
  world.machines.filter((one) => one.isRunning() && (role === undefined || one.place.role === role))

/** A node and one of its parents. */
const pickLink = (world: World, random: Random): readonly [child: string, parent: string] | undefined => {
  const child = pick(
    random,
    world.machines.filter(({ place }) => place.parents.length > 0),
  )
  const parent = child && pick(random, child.place.parents)
  return child && parent && [child.place.name, parent]
}

const crash = (name: string, kind: 'kill' | 'power', role: Machine['place']['role']): Fault => ({
  name,
  lastsMs: [500, 30_000],
  begin: (world, random) => {
    const victim = pick(random, running(world, role))
    if (!victim) return undefined
    victim.crash(kind)
    return { text: `${victim.place.name}: ${kind}`, end: victim.start }
  },
})

const between = (world: World, ways: readonly (readonly [string, string])[], text: string): Harm => {
  for (const [from, to] of ways) world.network.paths.close(from, to)
  return {
    text,
    end: () => {
      for (const [from, to] of ways) world.network.paths.open(from, to)
    },
  }
}

const wall = (name: string, wallMs: (clock: { wallMs(): number }) => number): Fault => ({
  name,
  lastsMs: [20_000, 120_000],
  begin: (world, random) => {
    const victim = pick(random, world.machines)
    if (!victim) return undefined
    const offMs = wallMs(victim.clock) - victim.clock.wallMs()
    victim.clock.setWall(victim.clock.wallMs() + offMs)
    return {
      text: `the clock of ${victim.place.name} is off by ${Math.round(offMs / 1000)} s`,
      end: () => victim.clock.setWall(victim.clock.wallMs() - offMs),
    }
  },
})

const tenYearsMs = 10 * 365.25 * 86_400_000

/** What can befall a world, by name. */
export const faults = {
  'cut-link': {
    name: 'cut-link',
    lastsMs: [2_000, 60_000],
    begin: (world, random) => {
      const link = pickLink(world, random)
      if (!link) return undefined
      const [child, parent] = link
      const ways = [[child, parent] as const, [parent, child] as const]
      return between(world, ways, `no way between ${child} and ${parent}`)
    },
  },
  'cut-one-way': {
    name: 'cut-one-way',
    lastsMs: [2_000, 60_000],
    begin: (world, random) => {
      const link = pickLink(world, random)
      if (!link) return undefined
      const [from, to] = random.unit() < 0.5 ? link : link.toReversed()
      return from && to ? between(world, [[from, to]], `no way from ${from} to ${to}`) : undefined
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
      const ways = inside.flatMap((a) =>
        outside.flatMap((b) => [[a.place.name, b.place.name] as const, [b.place.name, a.place.name] as const]),
      )
      return between(world, ways, `${gate.place.scope} is cut off`)
    },
  },
  'reset-link': {
    name: 'reset-link',
    lastsMs: [0, 0],
    begin: (world, random) => {
      const link = pickLink(world, random)
      if (!link) return undefined
      world.network.reset(...link)
      return { text: `the connection of ${link.join(' and ')} broke`, end: () => {} }
    },
  },
  'slow-link': {
    name: 'slow-link',
    lastsMs: [10_000, 60_000],
    begin: (world, random) => {
      const link = pickLink(world, random)
      if (!link) return undefined
      const { paths } = world.network
      const quality = { latencyMs: 500 + Math.round(2_500 * random.unit()), bytesPerMs: 2 }
      const set = (value: typeof quality | undefined) => {
        paths.setQuality(link[0], link[1], value)
        paths.setQuality(link[1], link[0], value)
      }
      set(quality)
      return { text: `${quality.latencyMs} ms between ${link.join(' and ')}`, end: () => set(undefined) }
    },
  },
  'kill-tower': crash('kill-tower', 'kill', 'tower'),
  'kill-aggregator': crash('kill-aggregator', 'kill', 'aggregator'),
  'kill-edge': crash('kill-edge', 'kill', 'edge'),
  'power-tower': crash('power-tower', 'power', 'tower'),
  'power-aggregator': crash('power-aggregator', 'power', 'aggregator'),
  'power-edge': crash('power-edge', 'power', 'edge'),
  'wall-1970': wall('wall-1970', () => 0),
  'wall-ahead': wall('wall-ahead', (clock) => clock.wallMs() + tenYearsMs),
  'disk-full': {
    name: 'disk-full',
    lastsMs: [5_000, 40_000],
    begin: (world, random) => {
      const victim = pick(random, world.machines)
      if (!victim) return undefined
      victim.disk.setFull(true)
      return { text: `the disk of ${victim.place.name} is full`, end: () => victim.disk.setFull(false) }
    },
  },
  'engine-down': {
    name: 'engine-down',
    lastsMs: [2_000, 40_000],
    begin: (world, random) => {
      const victim = pick(random, running(world, 'edge'))
      victim?.host?.setEngine('down')
      return victim && { text: `the engine of ${victim.place.name} is away`, end: () => victim.host?.setEngine('up') }
    },
  },
  'container-ends': {
    name: 'container-ends',
    lastsMs: [0, 0],
    begin: (world, random) => {
      const alive = running(world, 'edge').flatMap(({ host, place }) =>
        (host?.containers() ?? [])
          .filter(({ state }) => state === 'running')
          .map(({ id }) => ({ host, id, name: place.name })),
      )
      const victim = pick(random, alive)
      victim?.host?.end(victim.id, 1, 'exited')
      return victim && { text: `${victim.id} on ${victim.name} ended`, end: () => {} }
    },
  },
} as const satisfies Readonly<Record<string, Fault>>

export type FaultName = keyof typeof faults
