import test from 'ava'
import { createManualClock, createSeededRandom } from '../../base/index.ts'
import { parseTopology } from '../../topologies/index.ts'
import { bringUp } from './bring-up.ts'
import { createDisk, type DiskWrite } from './disk.ts'
import { createIncarnation, PowerRevokedError } from './incarnation.ts'
import { createMachineClock } from './machine-clock.ts'
import { createScheduler } from './scheduler.ts'
import { giveTurn } from './turn.ts'
import { createWorld, type World } from './world.ts'

const topology = parseTopology(
  `version: 1
network: test
towers:
  site: head
  hosts: [{ name: tower }]
sites:
  - name: near
    hosts: [{ name: near-a }]
zones:
  - name: north
    aggregators:
      hosts: [{ name: north-agg }]
    sites:
      - name: far
        hosts: [{ name: far-a }]
`,
  'test.yaml',
)
const asked = { caller: { tenant: 'default', user: 'test' }, signal: new AbortController().signal }

const start = async (seed: number): Promise<World> => {
  const world = await createWorld({ seed, topology, images: [] })
  let isUp = false
  void bringUp(world).then(() => {
    isUp = true
  })
  await world.runUntil(30_000, () => isUp)
  return world
}

test('every node of a topology joins, with the program of production', async (t) => {
  const world = await start(1)
  t.deepEqual(world.network.connections().toSorted(), ['far-a>north-agg', 'near-a>tower', 'north-agg>tower'])
  const seen = async () => world.node('tower')?.services.state.hosts(asked)
  await world.runUntil(world.nowMs() + 10_000)
  const hosts = await world.settled(seen())
  t.deepEqual(hosts?.map((host) => `${host.name} ${host['oper-status']}`).toSorted(), ['far-a up', 'near-a up'])
})

test('the same seed gives the same trace twice, also through crashes; another seed gives another', async (t) => {
  const digestOf = async (seed: number) => {
    const world = await start(seed)
    world.at(world.nowMs() + 1_000, 'crash', () => world.machine('north-agg').crash('power'))
    world.at(world.nowMs() + 4_000, 'crash', () => world.machine('north-agg').start())
    world.at(world.nowMs() + 5_000, 'crash', () => world.machine('far-a').crash('kill'))
    world.at(world.nowMs() + 6_000, 'crash', () => world.machine('far-a').start())
    await world.runUntil(world.nowMs() + 60_000)
    t.is(world.network.connections().length, 3)
    return world.digest()
  }
  const [one, again, other] = [await digestOf(1), await digestOf(1), await digestOf(2)]
  t.is(one, again)
  t.not(one, other)
})

test('events run in the order of their time, then of their making; one taken back does not run', (t) => {
  const scheduler = createScheduler()
  const ran: string[] = []
  const add = (atMs: number, name: string) => scheduler.at(atMs, name, () => ran.push(name))
  add(20, 'late')
  add(10, 'first')
  add(10, 'second')
  add(5, 'never').cancel()
  for (let event = scheduler.take(15); event; event = scheduler.take(15)) event.run()
  t.deepEqual(ran, ['first', 'second'])
  t.is(scheduler.nowMs(), 15)
  t.is(scheduler.nextMs(), 20)
})

test('a clock that runs fast fires its timers early; a wall clock is set without the other two', (t) => {
  const scheduler = createScheduler()
  const clock = createMachineClock({ scheduler, name: 'fast', rate: 2, startWallMs: 1_000, upMs: 50 })
  let firedAtMs = 0
  clock.setTimer(100, () => {
    firedAtMs = clock.monotonicMs()
  })
  scheduler.take(1_000)?.run()
  t.is(Math.round(scheduler.nowMs()), 50)
  t.true(firedAtMs >= 150 && firedAtMs < 150.01)
  clock.setWall(7)
  t.is(clock.wallMs(), 7)
  t.is(Math.round(clock.bootNowMs()), 150)
  clock.reboot()
  t.is(clock.monotonicMs(), 0)
})

test('what a process began goes nowhere once it has ended', async (t) => {
  const scheduler = createScheduler()
  const clock = createMachineClock({ scheduler, name: 'one', rate: 1, startWallMs: 0, upMs: 0 })
  const life = createIncarnation()
  const said: string[] = []
  const answer = Promise.withResolvers<string>()
  const power = life.guard('power', { ask: () => answer.promise, tell: () => 'told', later: 'text' })
  life.clock(clock).setTimer(10, () => said.push('timer'))
  void power.ask().then((text) => said.push(text))
  life.log(({ message }) => said.push(message)).info('before')
  t.is(power.tell(), 'told')
  life.end()
  answer.resolve('answered')
  scheduler.take(100)?.run()
  life.clock(clock).setTimer(10, () => said.push('later timer'))
  scheduler.take(100)?.run()
  life.log(({ message }) => said.push(message)).info('after')
  await giveTurn()
  t.deepEqual(said, ['before'])
  t.throws(() => power.tell(), { instanceOf: PowerRevokedError })
})

test('a killed process leaves all it wrote; a power cut leaves what was synced and a beginning of the rest', async (t) => {
  const keptAfter = async (kind: 'kill' | 'power', seed: number) => {
    const disk = createDisk({
      machine: 'one',
      random: createSeededRandom(seed),
      clock: createManualClock(),
      onWrite: () => {},
    })
    const store = disk.store()
    await store.open()
    const put = (key: string, sync: boolean) => store.write([{ kind: 'put', key, value: Buffer.from(key) }], { sync })
    await put('a', true)
    for (const key of ['b', 'c', 'd']) await put(key, false)
    disk.crash(kind)
    const next = disk.store()
    await next.open()
    return [...(await disk.scan('')).keys()].join('')
  }
  t.is(await keptAfter('kill', 1), 'abcd')
  const kept = new Set(await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9].map((seed) => keptAfter('power', seed))))
  t.true(kept.size > 1)
  for (const keys of kept) t.true('abcd'.startsWith(keys) && keys.startsWith('a'), keys)
})

test('a full disk takes nothing and keeps what it had', async (t) => {
  const writes: DiskWrite[] = []
  const disk = createDisk({
    machine: 'one',
    random: createSeededRandom(1),
    clock: createManualClock(),
    onWrite: (write) => writes.push(write),
  })
  const file = disk.stateFile<number>('count')
  const store = disk.store()
  await store.open()
  file.save(1)
  file.save(1)
  disk.setFull(true)
  t.throws(() => file.save(2), { code: 'disk-full' })
  await t.throwsAsync(store.write([{ kind: 'put', key: 'a', value: new Uint8Array() }], { sync: true }), {
    code: 'disk-full',
  })
  t.is(file.load(), 1)
  t.deepEqual(
    writes.map(({ name, isSame }) => `${name} ${isSame}`),
    ['state/count false', 'state/count true'],
  )
})
