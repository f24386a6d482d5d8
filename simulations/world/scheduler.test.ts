import test from 'ava'
import fc from 'fast-check'
import { createScheduler } from './scheduler.ts'

test('whatever is added, taken back and taken, events come in the order of their time and then of their making', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(20), fc.constantFrom('keep', 'cancel', 'take')), { maxLength: 200 }),
      (steps) => {
        const scheduler = createScheduler()
        const waiting: { atMs: number; order: number }[] = []
        const ran: string[] = []
        const expected: string[] = []
        const take = (untilMs: number) => {
          const [next] = waiting.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)
          const event = scheduler.take(untilMs)
          event?.run()
          if (!next || next.atMs > untilMs) return
          waiting.splice(waiting.indexOf(next), 1)
          expected.push(`${next.atMs} ${next.order}`)
        }
        for (const [order, [delayMs, then]] of steps.entries()) {
          const atMs = scheduler.nowMs() + delayMs
          const timer = scheduler.at(atMs, 'test', () => ran.push(`${atMs} ${order}`))
          if (then === 'cancel') timer.cancel()
          else waiting.push({ atMs, order })
          if (then === 'take') take(scheduler.nowMs() + 5)
        }
        while (waiting.length > 0) take(Number.POSITIVE_INFINITY)
        t.deepEqual(ran, expected)
        t.is(scheduler.nextMs(), undefined)
      },
    ),
    { numRuns: 200 },
  )
})
