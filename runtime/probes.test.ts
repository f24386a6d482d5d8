import test from 'ava'
import type { ProbeSpec } from './desired.ts'
import { beginProbes, isAsked, isReady, recordProbe, unhealthyDetail } from './probes.ts'

const spec = (part: Partial<ProbeSpec> = {}): ProbeSpec => ({
  check: { kind: 'http', port: 80, path: '/health' },
  initialDelayMs: 500,
  periodMs: 1_000,
  timeoutMs: 100,
  failureThreshold: 3,
  successThreshold: 1,
  ...part,
})
const good = { ok: true, detail: 'status 200' }
const bad = { ok: false, detail: 'status 503' }

test('without probes a running container is ready', (t) => {
  t.true(isReady(beginProbes({}, 0)))
})

test('the first question comes after the initial delay, the next a period later', (t) => {
  const begun = beginProbes({ readiness: spec() }, 100)
  t.is(begun.readiness?.dueAtMs, 600)
  t.is(recordProbe(begun, 'readiness', good, 650).readiness?.dueAtMs, 1_650)
})

test('until startup succeeded nothing else is asked, and nothing is ready', (t) => {
  const begun = beginProbes({ startup: spec(), readiness: spec(), liveness: spec() }, 0)
  t.deepEqual(
    [isAsked(begun, 'startup'), isAsked(begun, 'readiness'), isAsked(begun, 'liveness')],
    [true, false, false],
  )
  const started = recordProbe(begun, 'startup', good, 5_000)
  t.deepEqual(
    [isAsked(started, 'startup'), isAsked(started, 'readiness'), isAsked(started, 'liveness')],
    [false, true, true],
  )
  t.is(started.liveness?.dueAtMs, 5_000)
  t.false(isReady(started))
  t.true(isReady(recordProbe(started, 'readiness', good, 5_100)))
})

test('thresholds count answers in a row', (t) => {
  let states = beginProbes({ liveness: spec() }, 0)
  for (const answer of [bad, bad, good, bad, bad]) states = recordProbe(states, 'liveness', answer, 0)
  t.is(unhealthyDetail(states), undefined)
  states = recordProbe(states, 'liveness', bad, 0)
  t.is(unhealthyDetail(states), 'liveness probe http 80 /health: status 503')
})

test('readiness needs its successes in a row again after a failure, and never makes unhealthy', (t) => {
  let states = beginProbes({ readiness: spec({ successThreshold: 2, failureThreshold: 1 }) }, 0)
  states = recordProbe(states, 'readiness', good, 0)
  t.false(isReady(states))
  states = recordProbe(states, 'readiness', good, 0)
  t.true(isReady(states))
  states = recordProbe(states, 'readiness', bad, 0)
  t.false(isReady(states))
  t.is(unhealthyDetail(states), undefined)
})

test('a startup that fails too often makes unhealthy', (t) => {
  let states = beginProbes({ startup: spec({ failureThreshold: 2, check: { kind: 'exec', args: ['ok', 'now'] } }) }, 0)
  states = recordProbe(recordProbe(states, 'startup', bad, 0), 'startup', bad, 0)
  t.is(unhealthyDetail(states), 'startup probe exec ok now: status 503')
})
