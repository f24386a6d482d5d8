import type { CrashKind, Machine } from '../../world/index.ts'
import { type Fault, pick, running } from './fault.ts'

const crash = (name: string, kind: CrashKind, role: Machine['place']['role']): Fault => ({
  name,
  lastsMs: [500, 30_000],
  begin: (world, random) => {
    const victim = pick(random, running(world, role))
    if (!victim) return undefined
    victim.crash(kind)
    return { text: `${victim.place.name}: ${kind}`, end: victim.start }
  },
})

export const crashes = {
  'kill-tower': crash('kill-tower', 'kill', 'tower'),
  'kill-aggregator': crash('kill-aggregator', 'kill', 'aggregator'),
  'kill-edge': crash('kill-edge', 'kill', 'edge'),
  'power-tower': crash('power-tower', 'power', 'tower'),
  'power-aggregator': crash('power-aggregator', 'power', 'aggregator'),
  'power-edge': crash('power-edge', 'power', 'edge'),
  'die-writing': {
    name: 'die-writing',
    lastsMs: [10_000, 40_000],
    begin: (world, random) => {
      const victim = pick(random, running(world))
      if (!victim) return undefined
      const kind: CrashKind = random.unit() < 0.5 ? 'kill' : 'power'
      const name = victim.place.name
      const forget = victim.disk.crashInWrite(() => {
        world.note(`fault die-writing: ${name} dies in a write: ${kind}`)
        victim.crash(kind)
      })
      return {
        text: `${name} dies in the middle of its next write: ${kind}`,
        end: () => {
          forget()
          victim.start()
        },
      }
    },
  },
} as const satisfies Readonly<Record<string, Fault>>
