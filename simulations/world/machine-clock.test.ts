import test from 'ava'
import { createMachineClock } from './machine-clock.ts'
import { createScheduler } from './scheduler.ts'

const begin = () => {
  const scheduler = createScheduler()
  const clock = createMachineClock({ scheduler, name: 'one', rate: 1, startWallMs: 1_000, upMs: 50 })
  const fired: string[] = []
  return {
    clock,
    fired,
    timer: (name: string, delayMs: number) =>
      clock.setTimer(delayMs, () => fired.push(`${Math.round(scheduler.nowMs())} ${name}`)),
    run: (untilMs: number) => {
      for (let event = scheduler.take(untilMs); event; event = scheduler.take(untilMs)) event.run()
    },
    all: () => [clock.monotonicMs(), clock.bootNowMs(), clock.wallMs()].map(Math.round),
  }
}

test('a suspended machine: the monotonic clock stands and no timer fires, boot and wall clock go on', (t) => {
  const { clock, fired, timer, run, all } = begin()
  timer('soon', 10)
  timer('late', 100)
  run(40)
  clock.stop('suspended')
  run(1_040)
  timer('set meanwhile', 5)
  run(2_040)
  t.deepEqual(fired, ['10 soon'])
  t.deepEqual(all(), [90, 2_090, 3_040])
  clock.wake()
  run(3_000)
  t.deepEqual(fired, ['10 soon', '2045 set meanwhile', '2100 late'])
  t.deepEqual(all(), [1_050, 3_050, 4_000])
})

test('a stalled machine: all clocks go on, and what was due meanwhile fires at once, in the order of its times', (t) => {
  const { clock, fired, timer, run, all } = begin()
  timer('second', 200)
  timer('first', 100)
  timer('later', 1_500)
  clock.stop('stalled')
  run(1_000)
  t.deepEqual(fired, [])
  clock.wake()
  run(2_000)
  t.deepEqual(fired, ['1000 first', '1000 second', '1500 later'])
  t.deepEqual(all(), [2_050, 2_050, 3_000])
})

test('a clock that drifts takes its timers along, those set before too, and none fires early by it', (t) => {
  const { clock, fired, timer, run } = begin()
  timer('slow', 100)
  const right = clock.drift(0.5)
  run(100)
  t.deepEqual(fired, [])
  right()
  right()
  run(200)
  t.deepEqual(fired, ['150 slow'])
  const again = clock.drift(2)
  timer('fast', 100)
  run(300)
  again()
  t.deepEqual(fired, ['150 slow', '250 fast'])
})

test('clocks that leap ahead make due what was to wait, and a timer taken back stays away', (t) => {
  const { clock, fired, timer, run, all } = begin()
  timer('due', 5_000)
  timer('not yet', 20_000)
  timer('never', 6_000).cancel()
  clock.leap(10_000)
  t.deepEqual(all(), [10_050, 10_050, 11_000])
  run(9_999)
  t.deepEqual(fired, ['0 due'])
  run(10_001)
  t.deepEqual(fired, ['0 due', '10000 not yet'])
})

test('a machine that starts anew begins at zero, also out of suspension; what its parts wait for goes on', (t) => {
  const { clock, fired, timer, run, all } = begin()
  timer('of the engine', 100)
  run(60)
  clock.stop('suspended')
  clock.reboot()
  t.deepEqual(all(), [0, 0, 1_060])
  run(101)
  t.deepEqual(fired, ['100 of the engine'])
})
