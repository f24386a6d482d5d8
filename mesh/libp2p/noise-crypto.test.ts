import { randomBytes } from 'node:crypto'
import { pureJsCrypto } from '@chainsafe/libp2p-noise'
import test from 'ava'
import { noiseCrypto } from './noise-crypto.ts'

type List = Exclude<Parameters<typeof noiseCrypto.hashSHA256>[0], Uint8Array>
/** As the library hands on what came in several pieces: all of it is asked for at once. */
const list = (...pieces: Uint8Array[]): List => {
  const whole = Buffer.concat(pieces)
  return { byteLength: whole.length, length: whole.length, subarray: () => whole } as unknown as List
}
const bytes = (data: Uint8Array | List): Uint8Array => new Uint8Array(data.subarray())
const sizes = [0, 1, 15, 16, 17, 300, 1_200, 65_519]

test('seals and opens as the implementation in plain JavaScript does, in one piece and in several', (t) => {
  const key = randomBytes(32)
  for (const size of sizes)
    for (const said of [new Uint8Array(), randomBytes(32)]) {
      const nonce = randomBytes(12)
      const text = randomBytes(size)
      const pieces = list(text.subarray(0, size >> 1), text.subarray(size >> 1))
      const expected = bytes(pureJsCrypto.chaCha20Poly1305Encrypt(text, nonce, said, key))
      t.deepEqual(bytes(noiseCrypto.chaCha20Poly1305Encrypt(text, nonce, said, key)), expected)
      t.deepEqual(bytes(noiseCrypto.chaCha20Poly1305Encrypt(pieces, nonce, said, key)), expected)
      t.deepEqual(bytes(noiseCrypto.chaCha20Poly1305Decrypt(expected, nonce, said, key)), bytes(text))
      t.deepEqual(bytes(noiseCrypto.chaCha20Poly1305Decrypt(list(expected), nonce, said, key)), bytes(text))
    }
})

test('opens nothing that was changed, cut short, sealed with another key, number or word beside it', (t) => {
  const [key, nonce, said] = [randomBytes(32), randomBytes(12), randomBytes(8)]
  const sealed = bytes(noiseCrypto.chaCha20Poly1305Encrypt(randomBytes(100), nonce, said, key))
  const open =
    (data: Uint8Array, n = nonce, ad: Uint8Array = said, k = key) =>
    () =>
      noiseCrypto.chaCha20Poly1305Decrypt(data, n, ad, k)
  t.notThrows(open(sealed))
  for (const at of [0, 50, sealed.length - 1]) t.throws(open(sealed.map((byte, i) => (i === at ? byte ^ 1 : byte))))
  for (const length of [0, 15, 16, sealed.length - 1]) t.throws(open(sealed.subarray(0, length)))
  t.throws(open(sealed, randomBytes(12)))
  t.throws(open(sealed, nonce, new Uint8Array()))
  t.throws(open(sealed, nonce, said, randomBytes(32)))
})

test('derives, agrees and hashes as the implementation in plain JavaScript does', (t) => {
  for (const material of [new Uint8Array(), randomBytes(32)]) {
    const chainingKey = randomBytes(32)
    t.deepEqual(
      noiseCrypto.getHKDF(chainingKey, material).map(bytes),
      pureJsCrypto.getHKDF(chainingKey, material).map(bytes),
    )
  }
  const [one, two] = [noiseCrypto.generateX25519KeyPair(), pureJsCrypto.generateX25519KeyPair()]
  t.is(one.privateKey.length, 32)
  t.is(one.publicKey.length, 32)
  t.deepEqual(
    bytes(noiseCrypto.generateX25519SharedKey(one.privateKey, two.publicKey)),
    bytes(pureJsCrypto.generateX25519SharedKey(two.privateKey, one.publicKey)),
  )
  const seed = randomBytes(32)
  t.deepEqual(
    bytes(noiseCrypto.generateX25519KeyPairFromSeed(seed).publicKey),
    bytes(pureJsCrypto.generateX25519KeyPairFromSeed(seed).publicKey),
  )
  t.throws(() => noiseCrypto.generateX25519SharedKey(one.privateKey, new Uint8Array(32)))
  const data = randomBytes(1_000)
  t.deepEqual(bytes(noiseCrypto.hashSHA256(list(data))), bytes(pureJsCrypto.hashSHA256(data)))
})
