import test from 'ava'
import { alignHistory, emptyHistory, recordEvent, recordWaiting, reviveHistory } from './history.ts'
import { lastLineOf } from './last-line.ts'
import { sampleApplication } from './sample-desired.ts'

const app = sampleApplication()
const at = 'web.shop-1/web'

test('a history is bounded: failures are forgotten oldest first, containers with what is wanted', (t) => {
  let history = alignHistory(emptyHistory, app)
  for (let n = 0; n < 1_000; n++)
    history = recordEvent(history, { kind: 'step-failed', key: `remove ${n}`, code: 'x', detail: 'x', nowMs: n })
  t.is(Object.keys(history.failures).length, 256)
  t.true('remove 999' in history.failures)
  t.deepEqual(alignHistory(history, { ...app, instances: [] }).containers, {})
  t.deepEqual(recordEvent(history, { kind: 'ended', at: 'no/body', id: 'x', nowMs: 0 }), history)
})

test('one end is counted once, however often it is seen', (t) => {
  let history = alignHistory(emptyHistory, app)
  for (let n = 0; n < 3; n++) history = recordEvent(history, { kind: 'ended', at, id: 'one', nowMs: n })
  t.is(history.containers[at]?.ends, 1)
})

test('a reason keeps its age while it holds and loses it when it does not', (t) => {
  const waiting = [{ reason: 'crash-loop' as const, detail: '', forMs: 0 }]
  const first = recordWaiting(emptyHistory, waiting, 100)
  t.deepEqual(recordWaiting(first, waiting, 900).waitingSince, first.waitingSince)
  const gone = recordWaiting(first, [], 950)
  t.deepEqual(recordWaiting(gone, waiting, 1_000).waitingSince, { 'crash-loop /': 1_000 })
})

test('after the machine started anew no time lies ahead and no pause is longer than the cap', (t) => {
  let history = alignHistory(emptyHistory, app)
  history = recordEvent(history, { kind: 'started', at, id: 'one', nowMs: 9_000_000 })
  for (let n = 0; n < 9; n++) history = recordEvent(history, { kind: 'ended', at, id: `e${n}`, nowMs: 9_000_000 })
  history = recordEvent(history, { kind: 'started', at, id: 'two', nowMs: 9_000_000 })
  const revived = reviveHistory(JSON.parse(JSON.stringify(history)), 50).containers[at]
  t.is(revived?.running?.sinceMs, 50)
  t.is(revived?.retryAtMs, 300_050)
  t.is(revived?.totalRestarts, 1)
})

test('the last line is the last that says something, plain and short', (t) => {
  t.is(lastLineOf('one\ntwo\r\n\n  \n', 100), 'two')
  t.is(lastLineOf('\u001b[31mred\u0007', 100), '[31mred')
  t.is(lastLineOf('x'.repeat(500), 10), 'x'.repeat(10))
  t.is(lastLineOf('', 10), '')
})
