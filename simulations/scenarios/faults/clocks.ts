import type { Standstill } from '../../world/index.ts'
import { between, done, type Fault, pick, running } from './fault.ts'

const tenYearsMs = 10 * 365.25 * 86_400_000

const wall = (name: string, wallMs: (clock: { wallMs(): number }) => number): Fault => ({
  name,
  lastsMs: [20_000, 120_000],
  begin: (world, random) => {
    const victim = pick(random, world.machines)
    if (!victim) return undefined
    const offMs = wallMs(victim.clock) - victim.clock.wallMs()
    victim.clock.setWall(victim.clock.wallMs() + offMs)
    let isOver = false
    return {
      text: `the clock of ${victim.place.name} is off by ${Math.round(offMs / 1000)} s`,
      end: () => {
        if (!isOver) victim.clock.setWall(victim.clock.wallMs() - offMs)
        isOver = true
      },
    }
  },
})

const standstill = (name: string, how: Standstill, words: string): Fault => ({
  name,
  lastsMs: [3_000, 90_000],
  begin: (world, random) => {
    const victim = pick(random, running(world))
    victim?.sleep(how)
    return victim && { text: `${victim.place.name} ${words}`, end: victim.wake }
  },
})

export const clocks = {
  'wall-1970': wall('wall-1970', () => 0),
  'wall-ahead': wall('wall-ahead', (clock) => clock.wallMs() + tenYearsMs),
  'clock-drift': {
    name: 'clock-drift',
    lastsMs: [30_000, 180_000],
    begin: (world, random) => {
      const victim = pick(random, world.machines)
      const percent = (random.unit() < 0.5 ? -1 : 1) * between(random, 1, 20)
      return (
        victim && {
          text: `the clocks of ${victim.place.name} run ${percent} % too fast`,
          end: victim.clock.drift(1 + percent / 100),
        }
      )
    },
  },
  'clock-leap': {
    name: 'clock-leap',
    lastsMs: [0, 0],
    begin: (world, random) => {
      const victim = pick(random, running(world))
      const aheadMs = between(random, 1_000, 3_600_000)
      victim?.clock.leap(aheadMs)
      return victim && done(`all clocks of ${victim.place.name} leap ${Math.round(aheadMs / 1000)} s ahead`)
    },
  },
  'tower-in-1970': {
    name: 'tower-in-1970',
    lastsMs: [30_000, 120_000],
    begin: (world, random) => {
      const tower = pick(random, running(world, 'tower'))
      if (!tower) return undefined
      const offMs = -tower.clock.wallMs()
      tower.crash('power')
      tower.clock.setWall(0)
      tower.start()
      let isOver = false
      return {
        text: `${tower.place.name} loses power for a moment and its clock for longer: it starts in 1970`,
        end: () => {
          if (!isOver) tower.clock.setWall(tower.clock.wallMs() - offMs)
          isOver = true
        },
      }
    },
  },
  suspend: standstill('suspend', 'suspended', 'is suspended: its monotonic clock stands, its boot clock goes on'),
  stall: standstill('stall', 'stalled', 'does nothing while all its clocks go on'),
} as const satisfies Readonly<Record<string, Fault>>
