import { between, type Fault, pick, running } from './fault.ts'

export const disks = {
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
  'slow-sync': {
    name: 'slow-sync',
    lastsMs: [5_000, 40_000],
    begin: (world, random) => {
      const victim = pick(random, running(world))
      const delayMs = between(random, 50, 3_000)
      victim?.disk.setSync(delayMs)
      return (
        victim && {
          text: `the disk of ${victim.place.name} takes ${delayMs} ms to sync`,
          end: () => victim.disk.setSync(undefined),
        }
      )
    },
  },
} as const satisfies Readonly<Record<string, Fault>>
