import { done, type Fault, pick, running } from './fault.ts'

export const storms = {
  'reconnect-storm': {
    name: 'reconnect-storm',
    lastsMs: [0, 0],
    begin: (world, random) => {
      const hubs = running(world).filter(({ place }) => place.role !== 'edge')
      const hub = pick(random, hubs)?.place.name
      if (hub === undefined) return undefined
      const children = running(world).filter(({ place }) => place.parents.some((parent) => parent === hub))
      const lost = children.filter(({ place }) => world.network.reset(place.name, hub))
      return lost.length > 1 ? done(`${lost.length} connections to ${hub} broke at once`) : undefined
    },
  },
  'hub-restarts': {
    name: 'hub-restarts',
    lastsMs: [100, 2_000],
    begin: (world, random) => {
      const hub = pick(
        random,
        running(world).filter(({ place }) => place.role !== 'edge'),
      )
      hub?.crash('kill')
      return hub && { text: `${hub.place.name} restarts, and all below call at once`, end: hub.start }
    },
  },
} as const satisfies Readonly<Record<string, Fault>>
