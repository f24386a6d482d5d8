import test from 'ava'
import { createSeededRandom, randomHex } from './random.ts'

const draw = (seed: number) => Array.from({ length: 5 }, createSeededRandom(seed).unit)

test('the same seed draws the same, another seed something else', (t) => {
  t.deepEqual(draw(1), draw(1))
  t.notDeepEqual(draw(1), draw(2))
})

test('numbers lie in [0, 1) and are spread over it', (t) => {
  const random = createSeededRandom(7)
  const numbers = Array.from({ length: 10_000 }, () => random.unit())
  t.true(numbers.every((number) => number >= 0 && number < 1))
  const tenths = new Array<number>(10).fill(0)
  for (const number of numbers) tenths[Math.floor(number * 10)]!++
  t.true(
    tenths.every((count) => count > 850 && count < 1150),
    String(tenths),
  )
})

test('a fork is a stream of its own: drawing more from one never changes the other', (t) => {
  const one = createSeededRandom(3)
  one.unit()
  const late = one.fork('disk').unit()
  t.is(late, createSeededRandom(3).fork('disk').unit())
  t.not(late, createSeededRandom(3).fork('net').unit())
})

test('hexadecimal text has two digits for each byte', (t) => {
  t.regex(randomHex(createSeededRandom(1), 16), /^[0-9a-f]{32}$/)
  t.is(createSeededRandom(1).bytes(0).byteLength, 0)
})
