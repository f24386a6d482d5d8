import test from 'ava'
import { bringUp, createWorld, enrol, type WorldOptions } from '../world/index.ts'
import { canaryOf } from './canaries.ts'
import { putVersion } from './moves/tower-desk.ts'
import { smallScenario } from './small-scene.contract.ts'
import { applications, imageName } from './specifications.ts'

const minuteMs = 60_000
const shop = applications[0]!
const dayMs = 24 * 60 * minuteMs
const spare = canaryOf('n2a')
const near = canaryOf('a1a')

/** A world that is up but for one host, where operators put versions of the shop. @param watched whose containers are counted */
const startWorld = async (watched: string, doctor: WorldOptions['doctor'] = (_, powers) => powers) => {
  const world = await createWorld({
    seed: 1,
    topology: smallScenario.topology,
    images: [{ name: imageName, bytes: Buffer.from(imageName) }],
    doctor,
  })
  await world.settled(bringUp(world, [spare]))
  let starts = 0
  world.observe({
    act: (machine, { kind }) => {
      if (machine === watched && kind === 'start') starts += 1
    },
  })
  const tower = world.machine('tower')
  const node = () => {
    const found = tower.node()
    if (found === undefined) throw new RangeError('the tower is down')
    return found
  }
  return {
    world,
    tower,
    enrolSpare: () => world.settled(enrol(world, world.machine(spare), node().networkId)),
    /** @returns how many containers that host started for it within a minute */
    put: async (version: string): Promise<number> => {
      starts = 0
      await world.settled(putVersion(node(), shop, version))
      await world.runUntil(world.nowMs() + minuteMs)
      return starts
    },
  }
}

// Its certificate was dated by the beacon before, carried on; a tower that starts with a clock it does not believe says the time
// of that beacon again, and the time of the zone went back. The host was told nothing any more, and kept what was removed.
test('a host that was enrolled between two beacons is told what is decided after the tower started with a wrong clock', async (t) => {
  t.timeout(120_000)
  const { world, tower, enrolSpare, put } = await startWorld(spare)
  await world.runUntil(world.nowMs() + 5 * minuteMs)
  await enrolSpare()
  t.true((await put('1')) > 0)
  tower.crash('kill')
  tower.clock.setWall(0)
  tower.start()
  await world.runUntil(world.nowMs() + minuteMs)
  t.true((await put('2')) > 0)
})

// A certificate ends while its host stays linked: until the host would ask for another by itself, weeks may pass.
test('a host whose certificate does not hold any more by what the tower believes gets another one and is told what is decided', async (t) => {
  t.timeout(120_000)
  const { world, tower, put } = await startWorld(near, (machine, powers) => ({
    ...powers,
    isTimeTrusted: () => machine === 'tower',
  }))
  t.true((await put('1')) > 0)
  tower.clock.setWall(tower.clock.wallMs() + 100 * dayMs)
  await world.runUntil(world.nowMs() + 2 * minuteMs)
  t.true((await put('2')) > 0)
  tower.clock.setWall(tower.clock.wallMs() - 100 * dayMs)
  await world.runUntil(world.nowMs() + 2 * minuteMs)
  t.true((await put('3')) > 0)
})

// Its certificates are dated 1970, and so do not hold any more once it has the time.
test('what was enrolled before the tower had the time is told what is decided after it got it', async (t) => {
  t.timeout(120_000)
  let isTimeTrusted = false
  const { world, enrolSpare, put } = await startWorld(spare, (machine, powers) => ({
    ...powers,
    isTimeTrusted: () => machine === 'tower' && isTimeTrusted,
  }))
  await enrolSpare()
  t.true((await put('1')) > 0)
  isTimeTrusted = true
  await world.runUntil(world.nowMs() + 12 * minuteMs)
  t.true((await put('2')) > 0)
})
