import type { Random } from '../../base/index.ts'
import type { Scene } from './checker.ts'
import type { Office } from './moves/move.ts'
import { type MoveName, moves } from './moves/moves.ts'
import { createTowerDesk } from './moves/tower-desk.ts'

export interface Workload {
  /** Does one move that can be done now, more often than others one that was never acknowledged. */
  move(random: Random): void
  /** Does what was never acknowledged, and takes back what must not stay; resolves when both are done. */
  settle(random: Random): Promise<void>
  /** What operators still have to do before the world can be as wanted. */
  lacking(): Promise<readonly string[]>
  /** How often each move was acknowledged. */
  done(): ReadonlyMap<string, number>
}

/** An operator who has something left to do at the end does it as often, in milliseconds. */
const tickMs = 2_000

/** How far a move that is due is drawn before the others, of 1: what it needs may have to be done first. */
const dueLead = 0.7

/** @param names of the moves operators make; each is to be acknowledged once at least */
export const createWorkload = (scene: Scene, names: readonly MoveName[]): Workload => {
  const { world } = scene
  const done = new Map<string, number>(names.map((name) => [name, 0]))
  const acknowledge = (name: string) => done.set(name, (done.get(name) ?? 0) + 1)
  const office: Office = { scene, tower: createTowerDesk(scene, acknowledge), blocked: new Set(), acknowledge }
  const made = names.map((name) => ({ name, move: moves[name](office) }))
  const isDue = (name: string) => done.get(name) === 0

  const move = (random: Random) => {
    const drawn = made.map((one) => ({ ...one, order: random.unit() - (isDue(one.name) ? dueLead : 0) }))
    drawn.toSorted((a, b) => a.order - b.order).find((one) => one.move.begin(random))
  }
  return {
    move,
    settle: async (random) => {
      while (names.some(isDue)) {
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
