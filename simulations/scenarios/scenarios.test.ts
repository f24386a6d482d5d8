import test from 'ava'
import { nodesOf } from '../../topologies/index.ts'
import { digestOfRun, sumDigests } from './digest-sum.ts'
import { faults } from './faults/index.ts'
import { moves } from './moves/moves.ts'
import { planSeed } from './plan-seed.ts'
import { runScenario } from './run-scenario.ts'
import { scenarios } from './scenarios.ts'

test('every fault and every move is in some scenario, and there are at least 25 under names of their own', (t) => {
  const [harmed, done] = [scenarios.flatMap((one) => one.faults), scenarios.flatMap((one) => one.workload)]
  t.deepEqual(
    Object.keys(faults).filter((name) => !harmed.some((one) => one === name)),
    [],
  )
  t.deepEqual(
    Object.keys(moves).filter((name) => !done.some((one) => one === name)),
    [],
  )
  t.true(new Set(scenarios.map(({ name }) => name)).size >= 25)
  t.is(new Set(scenarios.map(({ name }) => name)).size, scenarios.length)
})

test('each scenario has seeds that are signed by Ed25519, and seeds that are run twice', (t) => {
  const plans = Array.from({ length: 20 * scenarios.length }, (_, seed) => planSeed(seed, scenarios))
  for (const scenario of scenarios) {
    const own = plans.filter((plan) => plan.scenario === scenario)
    t.true(
      own.some(({ signatures }) => signatures === 'ed25519'),
      scenario.name,
    )
    t.true(
      own.some(({ isTwice }) => isTwice),
      scenario.name,
    )
    t.true(own.filter(({ signatures }) => signatures === 'keyed').length > own.length / 2, scenario.name)
  }
})

test('digests of ranges add up, in any order and however they are cut', (t) => {
  const runs = Array.from({ length: 9 }, (_, seed) => digestOfRun({ scenario: 'one', seed, digest: 'f'.repeat(64) }))
  const whole = sumDigests(runs)
  t.is(sumDigests([sumDigests(runs.slice(5)), sumDigests(runs.slice(0, 5))]), whole)
  t.not(sumDigests(runs.slice(1)), whole)
  t.is(sumDigests([]), '0'.repeat(64))
})

for (const [at, scenario] of scenarios.entries()) {
  // The largest has a test of its own, over shorter times.
  if (nodesOf(scenario.topology).length > 12) continue
  test.serial(`${scenario.name} holds every invariant`, async (t) => {
    const result = await runScenario(scenario, { seed: 1 })
    t.deepEqual(result.violations, [])
    if (at % 4 === 0) t.is((await runScenario(scenario, { seed: 1 })).digest, result.digest, 'the same seed twice')
    t.deepEqual((await runScenario(scenario, { seed: 2, signatures: 'ed25519' })).violations, [])
  })
}
