import test from 'ava'
import { createManualClock } from '../base/index.ts'
import type { BeaconState, BookRecord, Trust } from '../crdt/index.ts'
import { createTrustedTime } from './trusted-time.ts'

const startMs = 1_000_000

/** A node that has heard beacons, by their numbers and the times they told. @param atStart what its disk holds */
const scene = (atStart?: readonly [number, number]) => {
  const clock = createManualClock()
  let listener: (records: readonly BookRecord[]) => void = () => {}
  const stateOf = ([counter, timeMs]: readonly [number, number]) => ({ counter, timeMs }) as BeaconState
  let beacon = atStart && stateOf(atStart)
  let isOwnTrusted = false
  const time = createTrustedTime({
    clock,
    book: {
      trust: () => (beacon === undefined ? undefined : ({} as Trust)),
      beacon: () => beacon,
      onChange: (given) => {
        listener = given
        return () => {}
      },
    },
    isOwnTrusted: () => isOwnTrusted,
  })
  return {
    clock,
    nowMs: time.nowMs,
    hear: (...told: readonly [number, number]) => {
      beacon = stateOf(told)
      listener([])
    },
    trustOwn: (isTrusted: boolean) => {
      isOwnTrusted = isTrusted
    },
  }
}

test('the time that a beacon told goes on with the clock; without one, or at a node that trusts its own, it is none or that', (t) => {
  const { clock, nowMs, hear, trustOwn } = scene()
  t.is(nowMs(), undefined)
  hear(1, 0)
  t.is(nowMs(), undefined, 'a tower that never knew the time says 0')
  hear(2, startMs)
  clock.advance(500)
  t.is(nowMs(), startMs + 500)
  trustOwn(true)
  t.is(nowMs(), clock.wallMs())
})

test('a beacon that tells the time of the one before tells none', (t) => {
  const { clock, nowMs, hear } = scene()
  hear(1, startMs)
  clock.advance(600)
  hear(2, startMs)
  t.is(nowMs(), startMs + 600)
  clock.advance(600)
  hear(3, startMs)
  t.is(nowMs(), startMs + 1_200)
  hear(4, startMs + 2_000)
  t.is(nowMs(), startMs + 2_000)
})

test('what the disk holds tells no time, nor does a beacon that says it again', (t) => {
  const { nowMs, hear } = scene([7, startMs])
  hear(7, startMs)
  t.is(nowMs(), undefined)
  hear(8, startMs)
  t.is(nowMs(), undefined)
  hear(9, startMs + 5)
  t.is(nowMs(), startMs + 5)
})

test('of a clock that runs fast the time stands until it is right, and never goes back', (t) => {
  const { clock, nowMs, hear } = scene()
  hear(1, startMs)
  clock.advance(1_000)
  hear(2, startMs + 600)
  t.is(nowMs(), startMs + 1_000)
  clock.advance(300)
  t.is(nowMs(), startMs + 1_000)
  clock.advance(300)
  t.is(nowMs(), startMs + 1_200)
})
