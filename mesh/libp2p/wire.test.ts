import test from 'ava'
import { type Clock, createManualClock } from '../../base/index.ts'
import { createFrameReader, encodeFrame, linkVersion } from '../frames.ts'
import { encodeHello } from '../hello.ts'
import { createWire } from './wire.ts'

const heartbeatMs = 10_000

/** One end of a link whose other end says nothing after its greeting; timers of this end fire so much late. */
const createScene = (lateMs: number, dialed = true) => {
  const clock = createManualClock()
  const late: Clock = { ...clock, setTimer: (delayMs, fire) => clock.setTimer(delayMs + lateMs, fire) }
  let heardMs = 0
  const gone: { readonly reason: string; readonly atMs: number }[] = []
  const wire = createWire({
    peer: 'peer',
    dialed,
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

test('a peer that says nothing for two heartbeats is given up', (t) => {
  const { clock, gone } = createScene(0)
  clock.advance(2 * heartbeatMs - 1)
  t.is(gone.length, 0)
  clock.advance(1)
  t.regex(gone[0]?.reason ?? '', /nothing heard for 20s/)
})

test('who was called waits three times as long as who called', (t) => {
  const { clock, gone } = createScene(0, false)
  clock.advance(6 * heartbeatMs - 1)
  t.is(gone.length, 0)
  clock.advance(1)
  t.regex(gone[0]?.reason ?? '', /nothing heard for 1m/)
})

test('an end that was too busy to listen gives its peer the same time of listening', (t) => {
  const lateMs = 20_000
  const { clock, gone, hear } = createScene(lateMs)
  clock.advance(2 * (heartbeatMs + lateMs) - 1)
  t.is(gone.length, 0)
  hear()
  clock.advance(2 * (heartbeatMs + lateMs) - 1)
  t.is(gone.length, 0)
  clock.advance(heartbeatMs + lateMs)
  t.is(gone.length, 1)
})

/** Two ends of one link, each of which hears at once what the other writes. */
const createPair = async () => {
  const clock = createManualClock()
  const said: { readonly by: string; readonly kind: string; readonly atMs: number }[] = []
  const gone: string[] = []
  const heard = { near: 0, far: 0 }
  let isCut = false
  const make = (self: 'near' | 'far', other: 'near' | 'far') => {
    const read = createFrameReader()
    return createWire({
      peer: other,
      dialed: self === 'near',
      clock,
      heartbeatMs,
      version: linkVersion,
      carrier: {
        send: (bytes) => {
          for (const { kind } of read(bytes)) said.push({ by: self, kind, atMs: clock.monotonicMs() })
          if (isCut) return true
          heard[other] = clock.monotonicMs()
          ends[other].take(bytes)
          return true
        },
        destroy: () => {},
        heardMs: () => heard[self],
      },
      onRefused: () => {},
      onJoined: () => {},
      onGone: (reason) => void gone.push(`${self} after ${clock.monotonicMs()}: ${reason}`),
    })
  }
  const ends = { far: make('far', 'near'), near: make('near', 'far') }
  const pass = async (ms: number) => {
    for (let n = 0; n < 100; n++) await Promise.resolve()
    for (let leftMs = ms; leftMs > 0; leftMs -= 100) {
      clock.advance(100)
      for (let n = 0; n < 40; n++) await Promise.resolve()
    }
  }
  await pass(0)
  const cut = () => {
    isCut = true
  }
  return { pass, said, gone, cut }
}

test('a link at rest carries one sign of life each way in a heartbeat', async (t) => {
  const { pass, said, gone } = await createPair()
  said.length = 0
  await pass(6 * heartbeatMs)
  t.deepEqual(gone, [])
  t.is(said.length, 12)
  for (const by of ['near', 'far']) t.is(said.filter((one) => one.by === by && one.kind === 'ping').length, 6)
  const moments = new Set(said.map(({ atMs }) => atMs))
  t.is(moments.size, 6)
})

test('a silence that begins between two beats is noticed when it has lasted two heartbeats, or six where one was called', async (t) => {
  const { pass, gone, cut } = await createPair()
  await pass(1.75 * heartbeatMs)
  cut()
  // Both were heard at the beat before.
  await pass(1.25 * heartbeatMs - 100)
  t.deepEqual(gone, [])
  await pass(100)
  t.deepEqual(gone, ['near after 30000: nothing heard for 20s'])
  await pass(4 * heartbeatMs)
  t.deepEqual(gone.slice(1), ['far after 70000: nothing heard for 1m'])
})
