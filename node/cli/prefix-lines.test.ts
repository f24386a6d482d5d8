import test from 'ava'
import fc from 'fast-check'
import { createPrefixer } from './prefix-lines.ts'

const bytes = (text: string) => Buffer.from(text)
const text = (parts: readonly Uint8Array[]) => Buffer.concat(parts).toString()

test('each line gets the prefix however the bytes were cut', (t) => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[aé☃]{0,4}$/), { maxLength: 5 }), fc.array(fc.nat(6)), (lines, cuts) => {
      const all = bytes(lines.map((line) => `${line}\n`).join(''))
      const prefixer = createPrefixer('x| ')
      const parts: Uint8Array[] = []
      let at = 0
      for (const cut of [...cuts, all.length]) {
        parts.push(prefixer.add(all.subarray(at, at + cut)))
        at = Math.min(all.length, at + cut)
      }
      return text([...parts, prefixer.end()]) === lines.map((line) => `x| ${line}\n`).join('')
    }),
  )
  t.pass()
})

test('a last line without an end is shown, an endless one is cut', (t) => {
  const prefixer = createPrefixer('> ')
  t.is(text([prefixer.add(bytes('a\nb')), prefixer.end()]), '> a\n> b\n')
  const long = text([prefixer.add(new Uint8Array(150_000).fill(97)), prefixer.end()])
  t.deepEqual(
    long.split('\n').map((line) => line.length),
    [65_538, 65_538, 18_930, 0],
  )
})
