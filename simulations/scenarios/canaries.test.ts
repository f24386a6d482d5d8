import test from 'ava'
import { canariesIn, canaryOf } from './canaries.ts'

test('a mark is found in plain bytes, in base64 at each place of a group, and in hexadecimal digits', (t) => {
  for (const thing of ['a', 'n1', 'gold', 'northgate', 'n1label'])
    for (let before = 0; before < 6; before++) {
      const text = `${'x'.repeat(before)}${canaryOf(thing)} and other words`
      for (const encoding of ['latin1', 'base64', 'hex'] as const) {
        const written = Buffer.from(text).toString(encoding)
        t.deepEqual(canariesIn(`"v":"${written}"`), [canaryOf(thing)], `${encoding} of ${text}`)
      }
    }
})

test('two marks behind each other are two, also in base64', (t) => {
  const text = `${canaryOf('n1')}/${canaryOf('n1a')}`
  t.deepEqual([...canariesIn(Buffer.from(text).toString('base64'))].toSorted(), [canaryOf('n1'), canaryOf('n1a')])
})

test('words that begin like a mark are none', (t) => {
  t.deepEqual(canariesIn('q7- and nothing after it'), [])
  t.deepEqual(canariesIn('xNyE3LcTct71372d'), [])
})
