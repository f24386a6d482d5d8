import test from 'ava'
import fc from 'fast-check'
import { reportEveryMs, reportRestMs } from './report-rest.ts'

test('reports take at most a fifth of the time of a node, and one that changes is never silent for long', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60_000 }), (tookMs) => {
      const restMs = reportRestMs(tookMs)
      t.true(restMs >= 100 && restMs <= reportEveryMs)
      t.true(restMs === reportEveryMs || tookMs <= (tookMs + restMs) / 5)
    }),
  )
  t.is(reportRestMs(0), 100)
})
