import test from 'ava'
import { createLog, createManualClock, type LogLine } from '../../base/index.ts'
import { createRefusals } from './refusals.ts'

test('each kind and peer is logged once an hour and counted each time', (t) => {
  const lines: LogLine[] = []
  const clock = createManualClock()
  const refusals = createRefusals(
    clock,
    createLog((line) => void lines.push(line)),
  )
  for (let time = 0; time < 5; time++) {
    refusals.note('garbage', '10.0.0.1', 'it sent garbage')
    refusals.note('garbage', '10.0.0.2', 'it sent garbage')
    refusals.note('too-slow', '10.0.0.1', 'no greeting came')
  }
  t.is(lines.length, 3)
  t.is(refusals.counts().garbage, 10)
  clock.advance(3_600_001)
  refusals.note('garbage', '10.0.0.1', 'it sent garbage')
  t.is(lines.length, 4)
})

test('a crowd of peers fills neither the log nor the memory', (t) => {
  const lines: LogLine[] = []
  const refusals = createRefusals(
    createManualClock(),
    createLog((line) => void lines.push(line)),
  )
  for (let at = 0; at < 5000; at++) refusals.note('garbage', `fd00::${at}`, 'it sent garbage')
  t.is(lines.length, 1001)
  t.regex(lines.at(-1)?.message ?? '', /counted, not logged/)
  t.is(refusals.counts().garbage, 5000)
})
