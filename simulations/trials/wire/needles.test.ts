import test from 'ava'
import fc from 'fast-check'
import { createSeededRandom } from '../../../base/index.ts'
import { createKeySearch, drawWord, wordLength, wordsIn } from './needles.ts'

const random = createSeededRandom(3)
const word = drawWord(random)

const writings: Readonly<Record<string, (text: string) => Buffer>> = {
  'utf-8': (text) => Buffer.from(text),
  'utf-16': (text) => Buffer.from(text, 'utf16le'),
  'utf-16, the other way round': (text) => Buffer.from(text, 'utf16le').swap16(),
  hex: (text) => Buffer.from(Buffer.from(text).toString('hex')),
  'hex in capitals': (text) => Buffer.from(Buffer.from(text).toString('hex').toUpperCase()),
  base64: (text) => Buffer.from(Buffer.from(text).toString('base64')),
  base64url: (text) => Buffer.from(Buffer.from(text).toString('base64url')),
}

test('a canary is a word that fits a name', (t) => {
  t.regex(word, /^[a-z]+$/)
  t.is(word.length, wordLength)
})

for (const [name, write] of Object.entries(writings))
  test(`a word is found in ${name}, whatever stands around it`, (t) => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (before, after) => {
        const found = wordsIn(write(before + word + after)).map(({ needle }) => needle)
        t.deepEqual([...new Set(found)], [word])
      }),
      { numRuns: 200 },
    )
  })

test('half a word, and another one, are not it', (t) => {
  t.deepEqual(wordsIn(Buffer.from(word.slice(0, -1))), [])
  const other = drawWord(random)
  t.deepEqual(
    wordsIn(Buffer.from(`${other}${word}`)).map(({ needle }) => needle),
    [other, word],
  )
})

test('raw bytes are found as they are, in hexadecimal and in base64', (t) => {
  const key = random.bytes(64)
  const find = createKeySearch(new Map([['key', key]]))
  for (const before of ['', 'a', 'ab', 'abc']) {
    const whole = Buffer.concat([Buffer.from(before), key, Buffer.from('after')])
    t.is(find(whole)[0]?.needle, 'key')
    t.is(find(Buffer.from(whole.toString('hex')))[0]?.needle, 'key')
    t.is(find(Buffer.from(whole.toString('base64')))[0]?.needle, 'key', before)
  }
  t.deepEqual(find(random.bytes(4_096)), [])
})
