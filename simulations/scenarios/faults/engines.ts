import type { Random } from '../../../base/index.ts'
import type { Engine, World } from '../../world/index.ts'
import { between, done, type Fault, pick, running } from './fault.ts'

const pickEngine = (world: World, random: Random): { readonly engine: Engine; readonly name: string } | undefined => {
  const victim = pick(random, running(world, 'edge'))
  return victim?.engine && { engine: victim.engine, name: victim.place.name }
}

/** Something wrong with one engine for a while. */
const ill = (
  name: string,
  lastsMs: Fault['lastsMs'],
  words: string,
  begin: (engine: Engine, random: Random) => () => void,
): Fault => ({
  name,
  lastsMs,
  begin: (world, random) => {
    const victim = pickEngine(world, random)
    return victim && { text: `the engine of ${victim.name} ${words}`, end: begin(victim.engine, random) }
  },
})

interface Victim {
  readonly engine: Engine
  readonly id: string
  readonly owner: ReturnType<Engine['host']['containers']>[number]['owner']
  /** Of the machine. */
  readonly name: string
}

const pickContainer = (
  world: World,
  random: Random,
  isFit: (victim: Victim) => boolean = () => true,
): Victim | undefined =>
  pick(
    random,
    running(world, 'edge').flatMap(({ engine, place }) =>
      (engine?.host.containers() ?? [])
        .filter(({ state }) => state === 'running')
        .map(({ id, owner }) => ({ engine: engine as Engine, id, owner, name: place.name }))
        .filter(isFit),
    ),
  )

/** How often a container that crashes again and again does so, in milliseconds. */
const crashEveryMs = [200, 2_000] as const

export const engines = {
  'engine-down': ill('engine-down', [2_000, 40_000], 'is away', ({ host }) => {
    host.setEngine('down')
    return () => host.setEngine('up')
  }),
  // Its shims keep the containers; whoever watched it hears nothing until somebody lists again.
  'engine-restarts': ill('engine-restarts', [1_000, 4_000], 'restarts, and its watchers hear nothing', ({ host }) => {
    host.setEngine('down')
    host.setEvents('lost')
    return () => {
      host.setEngine('up')
      host.setEvents('flow')
    }
  }),
  'engine-loses-answers': ill(
    'engine-loses-answers',
    [1_000, 10_000],
    'does what it is told and does not answer',
    (engine) => {
      engine.setAnswers('lost')
      return () => engine.setAnswers('given')
    },
  ),
  'engine-loses-events': ill('engine-loses-events', [10_000, 60_000], 'tells nobody what changes', ({ host }) => {
    host.setEvents('lost')
    return () => host.setEvents('flow')
  }),
  'engine-lists-stale': ill(
    'engine-lists-stale',
    [5_000, 40_000],
    'gives lists of how it was seconds ago',
    (engine, random) => {
      engine.setListDelay(between(random, 200, 8_000))
      return () => engine.setListDelay(0)
    },
  ),
  'slow-import': ill('slow-import', [10_000, 60_000], 'takes long to take images in', (engine, random) => {
    engine.setImports({ kind: 'slow', delayMs: between(random, 5_000, 40_000) })
    return () => engine.setImports({ kind: 'well' })
  }),
  'failing-import': ill('failing-import', [5_000, 40_000], 'takes no images in', (engine, random) => {
    const code = pick(random, ['bad-image', 'disk-full', 'engine-unavailable'] as const) ?? 'bad-image'
    engine.setImports({ kind: 'failing', code })
    return () => engine.setImports({ kind: 'well' })
  }),
  'starts-fail': ill('starts-fail', [5_000, 30_000], 'starts nothing', ({ host }) => {
    host.failStarts(() => 'start-failed')
    return () => host.failStarts()
  }),
  'container-ends': {
    name: 'container-ends',
    lastsMs: [0, 0],
    begin: (world, random) => {
      const victim = pickContainer(world, random)
      victim?.engine.host.end(victim.id, 1, 'exited')
      return victim && done(`${victim.id} on ${victim.name} ended`)
    },
  },
  'container-crashes': {
    name: 'container-crashes',
    lastsMs: [5_000, 20_000],
    begin: (world, random) => {
      const victim = pickContainer(world, random)
      if (!victim) return undefined
      const { engine, owner } = victim
      let isOver = false
      const again = () => {
        if (isOver) return
        const one = engine.host
          .containers()
          .find(
            ({ owner: its, state }) =>
              state === 'running' && its.instance === owner.instance && its.container === owner.container,
          )
        if (one) engine.host.end(one.id, 1, 'exited')
        world.at(world.nowMs() + between(random, ...crashEveryMs), 'container crashes', again)
      }
      again()
      return {
        text: `${owner.instance}/${owner.container} on ${victim.name} crashes again and again`,
        end: () => {
          isOver = true
        },
      }
    },
  },
  'container-refuses': {
    name: 'container-refuses',
    lastsMs: [25_000, 60_000],
    begin: (world, random) => {
      const victim = pickContainer(world, random, ({ engine, id }) => engine.isAsked(id))
      return (
        victim && {
          text: `${victim.id} on ${victim.name} lets nobody connect`,
          end: victim.engine.refuse(victim.id),
        }
      )
    },
  },
  'container-hangs': {
    name: 'container-hangs',
    lastsMs: [25_000, 60_000],
    begin: (world, random) => {
      const victim = pickContainer(world, random, ({ engine, id }) => engine.isAsked(id))
      return (
        victim && {
          text: `${victim.id} on ${victim.name} answers nothing`,
          end: victim.engine.hang(victim.id),
        }
      )
    },
  },
} as const satisfies Readonly<Record<string, Fault>>
