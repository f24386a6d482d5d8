import test from 'ava'
import { dyingWriters } from './catalogue/dying-writers.ts'
import { fellowsApart } from './catalogue/fellows-apart.ts'
import { fullDisks } from './catalogue/full-disks.ts'
import { hangingContainers } from './catalogue/hanging-containers.ts'
import { wornTower } from './catalogue/worn-tower.ts'
import { runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'

const holds = async (t: { deepEqual(a: unknown, b: unknown): void }, scenario: Scenario, seed: number) =>
  t.deepEqual((await runScenario(scenario, { seed })).violations, [])

// What a full disk had refused was asked for in a meeting that one after it overtook: the two ends stopped comparing for good.
test.serial('a lane that a full disk refused comes once there is room', (t) => holds(t, fullDisks, 4003))

// A rollback was refused though it was written and counted, as what sites had been told found no room; and what was acknowledged
// while the disk was full was not decided once it had room.
test.serial('what a tower acknowledged as its disk filled up is decided once there is room', (t) =>
  holds(t, fullDisks, 357),
)

// Operators had each ill container started again before its probe gave it up: nothing was judged.
test.serial('containers that hang are given up by their probes, however often operators upgrade', (t) =>
  holds(t, hangingContainers, 502),
)

// A probe that had asked while a container hung was answered after the fault had ended: who removes it then is right.
test.serial('a container that hung when it was asked may be started again though it hangs no more', (t) =>
  holds(t, hangingContainers, 4366),
)

// A bit flipped in what an aggregator had signed for a site that was away, which nobody else had: the site's lane stayed read-only
// for good.
test.serial('what an aggregator signed for a site that is away outlives a bit that flips', (t) =>
  holds(t, wornTower, 1520),
)

// A deployment was taken away, and the tower died before it could answer: its operator went on asking for what was not there.
test.serial('an operator who is told that a deployment is not there knows that it was taken away', (t) =>
  holds(t, dyingWriters, 5084),
)

// Two operators ended one conflict by different words at two aggregators; as these met, each took half of what the other had told
// a site for a mistake, and the site lost both.
test.serial('aggregators that meet tell sites nothing before each has heard what the other decided', (t) =>
  holds(t, fellowsApart, 6102),
)
