import test from 'ava'
import { createChangeLedger } from './change-ledger.ts'

const ledger = () => createChangeLedger(new Map([['shop', '1' as const]]))

test('an acknowledged change is all that may hold', (t) => {
  const changes = ledger()
  changes.ask('shop', '2')('acknowledged')
  t.deepEqual(changes.candidates('shop'), ['2'])
  t.is(changes.learn('shop', '2'), undefined)
  t.is(changes.learn('shop', '1'), 'shop is 1 although what was acknowledged is 2')
})

test('a change without an answer may hold or not, and is settled by what is found', (t) => {
  const changes = ledger()
  changes.ask('shop', '2')('unknown')
  t.deepEqual(changes.candidates('shop'), ['1', '2'])
  t.is(changes.learn('shop', undefined), 'shop is removed although what was acknowledged is 1 or 2')
  const others = ledger()
  others.ask('shop', undefined)('unknown')
  t.is(others.learn('shop', undefined), undefined)
  t.deepEqual(others.candidates('shop'), [undefined])
})

test('a change that is asked for while nobody answers counts as one without an answer', (t) => {
  const changes = ledger()
  const answer = changes.ask('shop', '2')
  t.deepEqual(changes.candidates('shop'), ['1', '2'])
  answer('acknowledged')
  t.deepEqual(changes.candidates('shop'), ['2'])
})

test('a refused change touches nothing, an unanswered one may have', (t) => {
  const changes = ledger()
  const mark = changes.mark()
  changes.ask('shop', undefined)('refused')
  t.deepEqual(changes.candidates('shop'), ['1'])
  t.deepEqual(changes.touchedSince(mark, 'shop'), { changed: false, removed: false })
  changes.ask('shop', undefined)('unknown')
  t.deepEqual(changes.touchedSince(mark, 'shop'), { changed: true, removed: true })
  t.deepEqual(changes.touchedSince(changes.mark(), 'shop'), { changed: false, removed: false })
  t.deepEqual(changes.touchedSince(mark, 'depot'), { changed: false, removed: false })
})

test('answers are counted without what was there from the beginning', (t) => {
  const changes = ledger()
  changes.ask('shop', '2')('acknowledged')
  changes.ask('shop', '1')('unknown')
  t.is(changes.count('acknowledged'), 1)
  t.is(changes.count('unknown'), 1)
})
