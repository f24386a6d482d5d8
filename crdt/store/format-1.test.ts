import test from 'ava'
import { toHex } from '../authority/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import { decodeFormat, decodeValue, encodeFormat, encodeValue, formatKey } from './stored-value.ts'

const payload = new TextEncoder().encode('payload')

test('stored-value.1 is read under its key, and written to the same bytes', (t) => {
  const bytes = fixture('stored-value.1', () => encodeValue('a/key', payload))
  t.is(new TextDecoder().decode(decodeValue('a/key', bytes)), 'payload')
  t.is(toHex(encodeValue('a/key', payload)), toHex(bytes))
  // Version, CRC-32 (IEEE 802.3) of "a/keypayload", big-endian, payload.
  t.is(toHex(bytes.subarray(0, 1)), '01')
  t.is(toHex(bytes.subarray(5)), toHex(payload))
})

test('stored-format.1 says format 1 under the key format', (t) => {
  const bytes = fixture('stored-format.1', () => encodeFormat(1))
  t.is(formatKey, 'format')
  t.is(decodeFormat(bytes), 1)
  t.is(decodeFormat(encodeFormat(12)), 12)
  t.is(decodeFormat(encodeValue(formatKey, payload)), undefined)
})

test('no flipped bit, cut or other key passes', (t) => {
  const bytes = encodeValue('a/key', payload)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    t.is(decodeValue('a/key', flipped), undefined, `bit ${bit}`)
  }
  for (let length = 0; length < bytes.length; length++)
    t.is(decodeValue('a/key', bytes.subarray(0, length)), undefined, `${length} bytes`)
  t.is(decodeValue('a/kez', bytes), undefined)
  t.is(decodeValue('a/keyp', encodeValue('a/key', payload)), undefined)
  t.is(decodeValue('a/key', encodeValue('a/key', new Uint8Array()))?.length, 0)
})
