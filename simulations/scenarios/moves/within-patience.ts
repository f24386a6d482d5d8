import type { World } from '../../world/index.ts'
import { patienceMs } from './tower-desk.ts'

/** What a node answers, unless it takes too long: one whose process ended meanwhile never does. @throws {Error} then */
export const withinPatience = <Value>(world: World, answer: Promise<Value>): Promise<Value> =>
  Promise.race([
    answer,
    world.sleep(patienceMs, 'operator gives up').then((): never => {
      throw new Error('no answer came')
    }),
  ])
