import type { Random } from '../../base/index.ts'
import type { Scene } from './checker.ts'
import type { Office } from './moves/move.ts'
import { moves } from './moves/moves.ts'
import { createTowerDesk } from './moves/tower-desk.ts'
import type { Scenario } from './scenario.ts'

export interface Workload {
  /** Does one move that can be done now, more often than others one that was never acknowledged. */
  move(random: Random): void
  /** Does what was never acknowledged, where that is asked for, and takes back what must not stay; resolves when both are done. */
  settle(random: Random, isFinished: boolean): Promise<void>
  /** What operators still have to do before the world can be as wanted. */
  lacking(): Promise<readonly string[]>
  /** How often each move was acknowledged. */
  done(): ReadonlyMap<string, number>
}

/** An operator who has something left to do at the end does it as often, in milliseconds. */
const tickMs = 2_000

/** How far a move that is due is drawn before the others, of 1: what it needs may have to be done first. */
const dueLead = 0.7

/** Each move of the workload is to be acknowledged once at least. */
export const createWorkload = (
  scene: Scene,
  { workload: names, spares }: Pick<Scenario, 'workload' | 'spares'>,
): Workload => {
  const { world } = scene
  const done = new Map<string, number>(names.map((name) => [name, 0]))
  const acknowledge = (name: string) => {
    const before = done.get(name)
    if (before !== undefined) done.set(name, before + 1)
  }
  const office: Office = {
    scene,
    tower: createTowerDesk(scene, acknowledge),
    blocked: new Set(),
    spares: new Set(spares),
    apart: new Set(),
    fellows: { isApart: false },
    acknowledge,
  }
  const made = names.map((name) => ({ name, move: moves[name](office) }))
  const isDue = (name: string) => done.get(name) === 0

  const move = (random: Random) => {
    const drawn = made.map((one) => ({ ...one, order: random.unit() - (isDue(one.name) ? dueLead : 0) }))
    drawn.toSorted((a, b) => a.order - b.order).find((one) => one.move.begin(random))
  }
  return {
    move,
    settle: async (random, isFinished) => {
      while (isFinished && names.some(isDue)) {
        move(random)
        await world.sleep(tickMs, 'operator')
      }
      for (const one of made) await one.move.settle?.()
    },
    lacking: async () => {
      const all: string[] = []
      for (const one of made) all.push(...((await one.move.lacking?.()) ?? []))
      return all
    },
    done: () => done,
  }
}
