import test from 'ava'
import { compareLane, type HeldEpoch, type HeldLane, type StandsOn } from './compare-lane.ts'

/** The open epoch, and one before it. */
const held = (changes: readonly string[], late: readonly string[] = [], genesis = 'g2'): HeldLane => {
  const before: HeldEpoch = { genesis: 'g1', changes: new Set(['a']), late: new Set() }
  const open: HeldEpoch = { genesis, changes: new Set(changes), late: new Set(late) }
  return new Map([
    [1, before],
    [2, open],
  ])
}

/** What a machine with `own` is said to lack beside one with `other`. */
const compared = (own: HeldLane | undefined, other: HeldLane) =>
  compareLane('n1', own, [...(own === undefined ? [] : [own]), other])

test('who holds the same lacks nothing; who lacks a change, an epoch or a seal is named', (t) => {
  t.deepEqual(compared(held(['b']), held(['b'])), [])
  t.deepEqual(compared(held([]), held(['b'])), ['n1 lacks 1 of 1 changes of epoch 2'])
  t.deepEqual(compared(held(['b'], [], 'other'), held(['b'])), ['n1 holds another seal of epoch 2 than others'])
  const first = held(['b']).get(1)
  t.deepEqual(compared(first && new Map([[1, first]]), held(['b'])), ['n1 lacks epoch 2 and 1 of 1 changes'])
  t.deepEqual(compared(undefined, held(['b'])), ['n1 lacks epoch 2 and 1 of 1 changes'])
  const spared = held([], ['b'], '')
  t.deepEqual(compared(spared, held([], ['b'])), ['n1 lacks epoch 2 and 0 of 0 changes'])
})

test('a change that waits in vain may lie in the open epoch or not, where everybody lists it as late', (t) => {
  t.deepEqual(compared(held(['b'], ['c']), held(['b', 'c'], ['c'])), [])
  // Who neither holds nor lists it lacks it; so does who lists what another holds as one that counts.
  t.deepEqual(compared(held(['b']), held(['b', 'c'], ['c'])), ['n1 lacks 1 of 2 changes of epoch 2'])
  t.deepEqual(compared(held(['b'], ['c']), held(['b', 'c'])), ['n1 lacks 1 of 2 changes of epoch 2'])
})

test('a change that stands on what nobody holds and the epoch did not begin with waits in vain, and what stands on it', (t) => {
  const standsOn: StandsOn = new Map([
    ['b', { change: 'cb', deps: ['base'] }],
    ['c', { change: 'cc', deps: ['another base'] }],
    ['d', { change: 'cd', deps: ['cb', 'cc'] }],
    ['e', { change: 'ce', deps: ['base'] }],
  ])
  const compared = (own: readonly string[], other: readonly string[]) =>
    compareLane('n1', held(own), [held(own), held(other)], standsOn)
  t.deepEqual(compared(['b'], ['b', 'c', 'd']), [])
  t.deepEqual(compared(['b'], ['b', 'e']), ['n1 lacks 1 of 2 changes of epoch 2'])
  // Where nothing is held by all it is not known what the epoch began with.
  t.deepEqual(compared([], ['c']), ['n1 lacks 1 of 1 changes of epoch 2'])
})

test('a sealed epoch is held whole by who keeps it', (t) => {
  const lacking = new Map([...held(['b']), [1, { genesis: 'g1', changes: new Set<string>(), late: new Set(['a']) }]])
  t.deepEqual(compared(lacking, held(['b'])), ['n1 lacks 1 of 1 changes of epoch 1'])
})
