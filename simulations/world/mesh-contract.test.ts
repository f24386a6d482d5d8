import test from 'ava'
import { createSeededRandom } from '../../base/index.ts'
import { meshContract } from '../../mesh/mesh.contract.ts'
import { createNetwork } from './network.ts'
import { createScheduler } from './scheduler.ts'
import { giveTurn } from './turn.ts'

meshContract(test, 'simulated', async (t) => {
  const scheduler = createScheduler()
  const network = createNetwork({ scheduler, random: createSeededRandom(1), onFrame: () => {} })
  const [nearKey, farKey] = ['aa'.repeat(32), 'bb'.repeat(32)] as const
  let isOver = false
  /** Time goes on by itself, an event a turn, while the test waits for what comes of it. */
  const run = async () => {
    while (!isOver) {
      for (let event = scheduler.take(scheduler.nowMs() + 1); event; event = scheduler.take(scheduler.nowMs() + 1)) {
        event.run()
        await giveTurn()
      }
      await giveTurn()
    }
  }
  const running = run()
  t.teardown(async () => {
    isOver = true
    await running
  })
  return {
    near: network.join({ node: 'near', peer: nearKey }).mesh,
    far: network.join({ node: 'far', peer: farKey }, 'far').mesh,
    nearKey,
    farKey,
    farLog: [],
    address: 'far',
    cut: () => network.reset('near', 'far'),
  }
})
