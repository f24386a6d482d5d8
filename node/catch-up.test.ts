import test from 'ava'
import { createManualClock } from '../base/index.ts'
import { createCatchUp } from './catch-up.ts'

const scene = () => {
  const clock = createManualClock()
  const told: string[] = []
  const catchUp = createCatchUp({
    clock,
    withinMs: 10_000,
    onCaughtUp: () => void told.push(`${clock.monotonicMs() / 1000} ${catchUp.isWaiting() ? 'waits' : 'goes on'}`),
  })
  return { clock, told, catchUp }
}

test('what was waited for is told when it came, once', (t) => {
  const { clock, told, catchUp } = scene()
  t.false(catchUp.isWaiting())
  const end = catchUp.begin()
  t.true(catchUp.isWaiting())
  clock.advance(3_000)
  end()
  end()
  clock.advance(20_000)
  t.deepEqual(told, ['3 goes on'])
})

test('who comes while others are waited for adds no time, and the end of the wait is told when it is there', (t) => {
  const { clock, told, catchUp } = scene()
  const first = catchUp.begin()
  clock.advance(4_000)
  catchUp.begin()
  clock.advance(1_000)
  first()
  clock.advance(60_000)
  t.deepEqual(told, ['5 waits', '10 goes on'])
})

test('after a wait the next one has all its time', (t) => {
  const { clock, told, catchUp } = scene()
  catchUp.begin()
  clock.advance(12_000)
  catchUp.begin()
  clock.advance(60_000)
  t.deepEqual(told, ['10 goes on', '22 goes on'])
})
