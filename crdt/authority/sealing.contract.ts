import test from 'ava'
import fc from 'fast-check'
import { type Sealing, type SealingContext, sealingLimits } from './sealing.ts'
import { toHex } from './signatures.ts'

const seedOf = (filler: number) => new Uint8Array(32).fill(filler)
const context: SealingContext = { networkId: '0a'.repeat(32), use: 'sibling-deposit' }
const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text))

/** What every `Sealing` holds, whatever it seals with. */
export const sealingContract = (adapter: string, sealing: Sealing): void => {
  const title = (sentence: string) => `contract sealing · ${adapter} · ${sentence}`

  test(title('bytes of any content open at their reader, and at no other'), (t) => {
    const [reader, other] = [sealing.reader(seedOf(1)), sealing.reader(seedOf(2))]
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2_000 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (plain, once) => {
          const sealed = sealing.seal(plain, reader.publicKey, context, once)
          const opened = reader.open(sealed, context)
          t.is(sealed.length, plain.length + sealingLimits.overheadBytes)
          t.deepEqual(opened, { ok: true, bytes: Uint8Array.from(plain) })
          t.false(other.open(sealed, context).ok)
        },
      ),
      { numRuns: 50 },
    )
  })

  test(title('bytes open in their network alone'), (t) => {
    const reader = sealing.reader(seedOf(1))
    const sealed = sealing.seal(bytesOf('x'), reader.publicKey, context, seedOf(9))
    t.like(reader.open(sealed, { ...context, networkId: '0b'.repeat(32) }), { refusal: { code: 'not-for-this-key' } })
    t.false(reader.open(sealed, { ...context, use: 'other' as 'sibling-deposit' }).ok)
  })

  test(title('no flipped bit of what is sealed opens'), (t) => {
    const reader = sealing.reader(seedOf(1))
    const sealed = sealing.seal(bytesOf('a secret of some length'), reader.publicKey, context, seedOf(9))
    // The top bit of an X25519 key is not part of it (RFC 7748 section 5): the head is authenticated, so it counts here.
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Uint8Array.from(sealed)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      if (reader.open(flipped, context).ok) t.fail(`bit ${bit}`)
    }
    for (let length = 0; length < sealed.length; length++)
      if (reader.open(sealed.subarray(0, length), context).ok) t.fail(`${length} bytes`)
    t.false(reader.open(Buffer.concat([sealed, Uint8Array.of(0)]), context).ok)
    t.true(reader.open(sealed, context).ok)
  })

  test(title('bytes of any shape are refused without an error'), (t) => {
    const reader = sealing.reader(seedOf(1))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !reader.open(bytes, context).ok))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !reader.open(Uint8Array.of(1, ...bytes), context).ok),
    )
    t.like(reader.open(Uint8Array.of(2, 0), context), { refusal: { code: 'newer-format' } })
    t.like(reader.open(new Uint8Array(0), context), { refusal: { code: 'bad-length' } })
  })

  test(title('nothing is sealed to a key of small order, or over the limit'), (t) => {
    const reader = sealing.reader(seedOf(1))
    for (const weak of [seedOf(0), Uint8Array.of(1, ...new Uint8Array(31))])
      t.throws(() => sealing.seal(bytesOf('x'), weak, context, seedOf(9)), { instanceOf: RangeError })
    t.throws(() => sealing.seal(bytesOf('x'), new Uint8Array(31), context, seedOf(9)), { instanceOf: RangeError })
    const most = new Uint8Array(sealingLimits.plainBytes)
    t.true(reader.open(sealing.seal(most, reader.publicKey, context, seedOf(9)), context).ok)
    const more = new Uint8Array(sealingLimits.plainBytes + 1)
    t.throws(() => sealing.seal(more, reader.publicKey, context, seedOf(9)), { instanceOf: RangeError })
    const long = Buffer.concat([Uint8Array.of(1), new Uint8Array(48), more])
    t.like(reader.open(long, context), { refusal: { code: 'bad-length' } })
  })

  test(title('one seed always gives the same key, which is not the seed'), (t) => {
    const [one, two] = [sealing.reader(seedOf(3)), sealing.reader(seedOf(3))]
    t.is(toHex(one.publicKey), toHex(two.publicKey))
    t.not(toHex(one.publicKey), toHex(sealing.reader(seedOf(4)).publicKey))
    t.throws(() => sealing.reader(new Uint8Array(31)), { instanceOf: RangeError })
  })
}
