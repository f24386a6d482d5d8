import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import test from 'ava'
import { createSeededRandom } from '../../../base/index.ts'
import { drawWord, wordsIn } from './needles.ts'
import { deflateChange, unfold } from './unfold.ts'

const word = drawWord(createSeededRandom(4))
const text = Buffer.from(`${'a long line before it, '.repeat(80)}${word}${', and after it'.repeat(80)}`)

const foundBy = (bytes: Uint8Array) =>
  unfold(bytes).pieces.flatMap(({ bytes: piece, folds }) => (wordsIn(piece).length > 0 ? [folds.join(' in ')] : []))

const packers: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  'deflated change': deflateChange,
  gzip: gzipSync,
  zlib: deflateSync,
  zstd: zstdCompressSync,
}

for (const [fold, pack] of Object.entries(packers))
  test(`what is packed as ${fold} is found, also amid other bytes and as text`, (t) => {
    const packed = pack(text)
    t.true(foundBy(packed).includes(fold))
    // zstd leaves words that do not repeat as they are.
    if (fold !== 'zstd') t.deepEqual(foundBy(packed), [fold], 'the search alone sees nothing')
    t.true(foundBy(Buffer.concat([Buffer.from('before '), packed, Buffer.from(' after')])).includes(fold))
    const encoded = Buffer.from(JSON.stringify({ v: 1, body: Buffer.from(packed).toString('base64') }))
    t.true(foundBy(encoded).includes(`base64 in ${fold}`))
    const hex = Buffer.from(JSON.stringify({ v: 1, body: Buffer.from(packed).toString('hex') }))
    t.true(foundBy(hex).includes(`hex in ${fold}`))
  })

test('layers inside layers are opened', (t) => {
  t.true(foundBy(gzipSync(Buffer.from(Buffer.from(deflateChange(text)).toString('base64')))).length > 0)
})

test('a chunk of Automerge that cannot be opened is said, not passed over', (t) => {
  const broken = deflateChange(text).slice(0, -4)
  t.is(unfold(broken).closed.length, 1)
  const saved = Buffer.from(deflateChange(text))
  saved[8] = 0
  t.regex(unfold(saved).closed[0] ?? '', /of kind 0/)
  t.is(unfold(gzipSync(text).subarray(0, 30)).closed.length, 1)
  t.deepEqual(unfold(text).closed, [])
  t.deepEqual(unfold(Buffer.from('1f8b08ffffffffffffff00', 'hex')).closed, [], 'chance')
})
