import test from 'ava'
import fc from 'fast-check'
import * as z from 'zod'
import { record as shape } from './fields.ts'
import {
  countersign,
  isSignedBy,
  keysOf,
  type RecordKind,
  readRecord,
  recordLimits,
  sealRecord,
  signersOf,
} from './record.ts'
import { toHex } from './signatures.ts'
import { keyNamed, powers, publicKeys } from './world.contract.ts'

interface Note {
  readonly kind: 'note'
  readonly words: string
}
const noteKind: RecordKind<Note> = { kind: 'note', schema: shape({ kind: z.literal('note'), words: z.string() }) }
const names = ['a', 'b', 'c', 'd', 'e']
const keys = keysOf(publicKeys(names), powers.hash)
const seal = (words: string, ...signers: string[]) => sealRecord(noteKind, { words }, signers.map(keyNamed), powers)
const codeOf = (bytes: Uint8Array, kind: RecordKind<Note> = noteKind) => {
  const read = readRecord(kind, bytes, powers)
  return read.ok ? 'reads' : read.refusal.code
}

/** Bytes of format 1 around any body text. */
const frame = (text: string, version = 1): Uint8Array => {
  const body = Buffer.from(text)
  const head = Buffer.alloc(5)
  head.writeUInt8(version)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body, Uint8Array.of(0)])
}

test('what was sealed reads back the same', (t) => {
  const sealed = seal('hello', 'b', 'a')
  const read = readRecord(noteKind, sealed.bytes, powers)
  t.true(read.ok && toHex(read.record.bytes) === toHex(sealed.bytes))
  t.deepEqual(read.ok && { ...read.record, bytes: null, signatures: read.record.signatures.length }, {
    ...sealed,
    bytes: null,
    signatures: 2,
  })
})

test('the order of signing, and signing twice, leave no trace', (t) => {
  const order = fc.shuffledSubarray(names, { minLength: 1 })
  fc.assert(
    fc.property(order, fc.array(fc.constantFrom(...names), { maxLength: 3 }), (signers, again) => {
      const atOnce = seal('x', ...signers.toSorted())
      const oneByOne = [...signers, ...again.filter((name) => signers.includes(name))].reduce(
        (record, name) => countersign(noteKind, record, [keyNamed(name)]),
        seal('x'),
      )
      t.is(toHex(oneByOne.bytes), toHex(atOnce.bytes))
      t.is(oneByOne.id, atOnce.id)
    }),
  )
})

test('a threshold is met by so many different keys of the quorum, never by one twice', (t) => {
  fc.assert(
    fc.property(fc.subarray([...names, 'stranger']), fc.integer({ min: 1, max: 6 }), (signers, threshold) => {
      const counted = signers.filter((name) => name !== 'stranger').length
      t.is(isSignedBy(noteKind, seal('x', ...signers), { keys, threshold }, powers), counted >= threshold)
    }),
  )
  t.false(isSignedBy(noteKind, seal('x'), { keys, threshold: 0 }, powers), 'nobody signed')
  const doubled = seal('x', 'a').bytes
  const slot = doubled.subarray(-96)
  const forged = Buffer.concat([doubled, slot])
  forged[forged.length - 2 * 96 - 1] = 2
  t.is(codeOf(forged), 'bad-length', 'one key in two slots')
})

test('a signature of another record, of another kind or moved to another key does not count', (t) => {
  const [yes, no] = [seal('yes', 'a'), seal('no', 'a')]
  const swapped = { ...yes, signatures: no.signatures }
  t.is(signersOf(noteKind, swapped, keys, powers).size, 0)
  const other: RecordKind<Note> = { ...noteKind, kind: 'letter' }
  t.is(signersOf(other, yes, keys, powers).size, 0)
  const moved = { ...yes, signatures: [{ ...yes.signatures[0]!, keyId: keyNamed('b').keyId }] }
  t.is(signersOf(noteKind, moved, keys, powers).size, 0)
})

test('a record has one form: any other text of the same statement is refused', (t) => {
  t.is(codeOf(frame('{"kind":"note","words":"x"}')), 'reads')
  for (const text of [
    '{"words":"x","kind":"note"}',
    '{"kind":"note", "words":"x"}',
    '{"kind":"note","words":"\\u0078"}',
    '{"kind":"note","words":"y","words":"x"}',
    '\ufeff{"kind":"note","words":"x"}',
    '{"kind":"note","words":"x","__proto__":{"a":1}}',
    '{"kind":"note","words":"x","more":[1]}',
    '{"kind":"note","words":1}',
    '{"kind":"letter","words":"x"}',
    '["note"]',
    'null',
    '',
    `{"kind":"note","words":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    `{"kind":"note","more":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)},"words":"x"}`,
  ])
    t.is(codeOf(frame(text)), 'bad-record', text.slice(0, 60))
})

test('an unknown key with a scalar is kept and ignored', (t) => {
  const read = readRecord(noteKind, frame('{"added-later":true,"kind":"note","words":"x"}'), powers)
  t.is(read.ok && read.record.body.words, 'x')
  const signed = read.ok ? countersign(noteKind, read.record, [keyNamed('a')]) : undefined
  t.true(signed !== undefined && Buffer.from(signed.bytes).includes('added-later'))
})

test('a newer format is refused in words', (t) => {
  t.deepEqual(readRecord(noteKind, frame('{}', 2), powers), {
    ok: false,
    refusal: { code: 'newer-format', message: 'the note has a newer format than 1: update this node to read it' },
  })
})

test('a record cut anywhere or with any bit flipped reads as nothing, or is no longer signed', (t) => {
  const sealed = seal('words', 'a')
  for (let end = 0; end < sealed.bytes.length; end++) t.not(codeOf(sealed.bytes.subarray(0, end)), 'reads')
  t.is(codeOf(Buffer.concat([sealed.bytes, Uint8Array.of(0)])), 'bad-length')
  for (let bit = 0; bit < sealed.bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(sealed.bytes)
    flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7))
    const read = readRecord(noteKind, flipped, powers)
    t.false(read.ok && isSignedBy(noteKind, read.record, { keys, threshold: 1 }, powers), `bit ${bit}`)
  }
})

test('any bytes read without an error', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => codeOf(bytes) !== 'reads'),
    { numRuns: 500 },
  )
  t.is(codeOf(new Uint8Array(recordLimits.bodyBytes * 2).fill(1)), 'bad-length')
})

test('what cannot be sealed is said at once', (t) => {
  t.throws(() => seal('x'.repeat(recordLimits.bodyBytes)), { instanceOf: RangeError, message: /at most 65536/ })
  t.throws(() => sealRecord(noteKind, { words: 5 as never }, [], powers), { message: /cannot seal the note: words/ })
  const many = Array.from({ length: 33 }, (_, n) => `k${n}`)
  t.throws(() => seal('x', ...many), { message: /more than 32 signatures/ })
})

test('a signature that was found good counts for those bytes, that kind and who verified it, and for nothing else', (t) => {
  const note = seal('yes', 'a')
  const other = seal('no', 'a')
  const signer = keyNamed('a').keyId
  t.true(signersOf(noteKind, note, keys, powers).has(signer))
  t.true(signersOf(noteKind, note, keys, powers).has(signer))
  t.false(signersOf(noteKind, { ...other, signatures: note.signatures }, keys, powers).has(signer))
  t.false(signersOf({ ...noteKind, kind: 'other' }, note, keys, powers).has(signer))
  const believesNothing = { ...powers, signatures: { ...powers.signatures, verify: () => false } }
  t.false(signersOf(noteKind, note, keys, believesNothing).has(signer))
})
