import test from 'ava'
import fc from 'fast-check'
import { type Hash, keyIdOf, type Signatures, toHex } from './signatures.ts'

const bytesOf = (text: string) => Buffer.from(text)
const seedOf = (filler: number) => new Uint8Array(32).fill(filler)

/** What every `Signatures` holds, whatever it signs with. */
export const signaturesContract = (adapter: string, create: () => Signatures, hash: Hash): void => {
  const title = (sentence: string) => `contract signatures · ${adapter} · ${sentence}`

  test(title('a signature fits its key and its message, and nothing else'), (t) => {
    const signatures = create()
    const signer = signatures.signer(seedOf(1))
    const other = signatures.signer(seedOf(2))
    const signature = signer.sign(bytesOf('yes'))
    t.is(signature.length, 64)
    t.is(signer.publicKey.length, 32)
    t.true(signatures.verify(signer.publicKey, bytesOf('yes'), signature))
    t.false(signatures.verify(signer.publicKey, bytesOf('no'), signature))
    t.false(signatures.verify(other.publicKey, bytesOf('yes'), signature))
    t.false(signatures.verify(signer.publicKey, bytesOf('yes'), other.sign(bytesOf('yes'))))
  })

  test(title('one seed always gives the same key and the same signatures'), (t) => {
    const signatures = create()
    const [one, two] = [signatures.signer(seedOf(3)), signatures.signer(seedOf(3))]
    t.is(one.keyId, two.keyId)
    t.is(one.keyId, keyIdOf(one.publicKey, hash))
    t.is(toHex(one.sign(bytesOf('x'))), toHex(two.sign(bytesOf('x'))))
  })

  test(title('no flipped bit of a signature, key or message is taken'), (t) => {
    const signatures = create()
    const signer = signatures.signer(seedOf(4))
    const parts = [signer.publicKey, bytesOf('message'), signer.sign(bytesOf('message'))] as const
    parts.forEach((part, which) => {
      for (let bit = 0; bit < part.length * 8; bit++) {
        const flipped = Uint8Array.from(part)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const [key, message, signature] = parts.map((one, at) => (at === which ? flipped : one))
        if (signatures.verify(key!, message!, signature!)) t.fail(`bit ${bit} of part ${which}`)
      }
    })
    t.true(signatures.verify(...parts))
  })

  test(title('keys and signatures of any shape are refused without an error'), (t) => {
    const signatures = create()
    const bytes = fc.uint8Array({ maxLength: 80 })
    fc.assert(
      fc.property(bytes, bytes, bytes, (key, message, signature) => !signatures.verify(key, message, signature)),
    )
    t.throws(() => signatures.signer(new Uint8Array(31)), { instanceOf: RangeError })
  })

  test(title('a caller may change its seed after the signer was made'), (t) => {
    const signatures = create()
    const seed = seedOf(5)
    const signer = signatures.signer(seed)
    seed.fill(0)
    t.true(signatures.verify(signer.publicKey, bytesOf('x'), signer.sign(bytesOf('x'))))
  })
}
