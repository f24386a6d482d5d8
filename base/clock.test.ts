import test from 'ava'
import { createManualClock, sleep } from './clock.ts'

test('timers fire in order of their time, then of their making', (t) => {
  const clock = createManualClock()
  const fired: string[] = []
  clock.setTimer(20, () => fired.push(`late at ${clock.monotonicMs()}`))
  clock.setTimer(10, () => fired.push(`first at ${clock.monotonicMs()}`))
  clock.setTimer(10, () => fired.push(`second at ${clock.monotonicMs()}`))
  clock.advance(15)
  t.deepEqual(fired, ['first at 10', 'second at 10'])
  t.is(clock.nextTimerMs(), 5)
  clock.advance(5)
  t.deepEqual(fired.at(-1), 'late at 20')
  t.is(clock.nextTimerMs(), undefined)
})

test('a timer set while time moves fires in the same move when it is due', (t) => {
  const clock = createManualClock()
  const fired: number[] = []
  clock.setTimer(10, () => clock.setTimer(10, () => fired.push(clock.monotonicMs())))
  clock.advance(30)
  t.deepEqual(fired, [20])
  t.is(clock.monotonicMs(), 30)
})

test('a timer taken back does not fire, and taking it back twice is harmless', (t) => {
  const clock = createManualClock()
  const timer = clock.setTimer(10, () => t.fail())
  timer.cancel()
  timer.cancel()
  clock.advance(20)
  t.is(clock.nextTimerMs(), undefined)
})

test('wall time starts where it was told and moves with the rest', (t) => {
  const clock = createManualClock(1_000_000)
  clock.advance(5)
  t.deepEqual([clock.wallMs(), clock.monotonicMs(), clock.bootNowMs()], [1_000_005, 5, 5])
})

test('sleep ends after its time and leaves no timer', async (t) => {
  const clock = createManualClock()
  const sleeping = sleep(clock, 100)
  clock.advance(100)
  await sleeping
  t.is(clock.nextTimerMs(), undefined)
})

test('sleep ends at once when aborted, before or during it', async (t) => {
  const clock = createManualClock()
  await sleep(clock, 100, AbortSignal.abort())
  const controller = new AbortController()
  const sleeping = sleep(clock, 100, controller.signal)
  controller.abort()
  await sleeping
  t.is(clock.nextTimerMs(), undefined)
})
