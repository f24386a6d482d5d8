import test from 'ava'
import { twentyNodes } from './catalogue/twenty-nodes.ts'
import { runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { smallScenario } from './small-scene.contract.ts'

/** A shorter run of the same, so that a test of each change takes no minutes: `npm run simulate` runs it whole. */
const short: Scenario = {
  ...twentyNodes,
  harmMs: 90_000,
  faultEveryMs: [2_000, 5_500],
  moveEveryMs: [2_000, 8_000],
  settleMs: 75_000,
  quietMs: 30_000,
}

for (const seed of [1, 12])
  test.serial(`seed ${seed} holds every invariant, and twice alike`, async (t) => {
    const result = await runScenario(short, { seed })
    t.deepEqual(result.violations, [])
    t.is((await runScenario(short, { seed })).digest, result.digest)
  })

test('a change that came while the disk was full is asked for again once there is room, on the same link', async (t) => {
  const full: Scenario = {
    ...smallScenario,
    faults: ['disk-full'],
    faultEveryMs: [3_000, 8_000],
    moveEveryMs: [2_000, 5_000],
    quietMs: 1_000,
  }
  for (const seed of [2, 11]) t.deepEqual((await runScenario(full, { seed })).violations, [])
})
