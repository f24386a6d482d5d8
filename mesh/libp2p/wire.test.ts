import test from 'ava'
import { type Clock, createManualClock } from '../../base/index.ts'
import { encodeFrame, linkVersion } from '../frames.ts'
import { encodeHello } from '../hello.ts'
import { createWire } from './wire.ts'

const heartbeatMs = 5_000

/** One end of a link whose other end says nothing after its greeting; timers of this end fire so much late. */
const createScene = (lateMs: number) => {
  const clock = createManualClock()
  const late: Clock = { ...clock, setTimer: (delayMs, fire) => clock.setTimer(delayMs + lateMs, fire) }
  let heardMs = 0
  const gone: { readonly reason: string; readonly atMs: number }[] = []
  const wire = createWire({
    peer: 'peer',
    dialed: true,
    clock: late,
    heartbeatMs,
    version: linkVersion,
    carrier: { send: () => true, destroy: () => {}, heardMs: () => heardMs },
    onRefused: () => {},
    onJoined: () => {},
    onGone: (reason) => void gone.push({ reason, atMs: clock.monotonicMs() }),
  })
  wire.take(encodeFrame({ kind: 'hello', stream: 0, payload: encodeHello(linkVersion) }))
  return {
    clock,
    gone,
    hear: () => {
      heardMs = clock.monotonicMs()
    },
  }
}

test('a peer that says nothing for three heartbeats is given up', (t) => {
  const { clock, gone } = createScene(0)
  clock.advance(3 * heartbeatMs - 1)
  t.is(gone.length, 0)
  clock.advance(1)
  t.regex(gone[0]?.reason ?? '', /nothing heard for 15s/)
})

test('an end that was too busy to listen gives its peer the same time of listening', (t) => {
  const lateMs = 20_000
  const { clock, gone, hear } = createScene(lateMs)
  clock.advance(3 * (heartbeatMs + lateMs) - 1)
  t.is(gone.length, 0)
  hear()
  clock.advance(3 * (heartbeatMs + lateMs) - 1)
  t.is(gone.length, 0)
  clock.advance(heartbeatMs + lateMs)
  t.is(gone.length, 1)
})
