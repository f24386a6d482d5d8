import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { asCrypto } from '@chainsafe/libp2p-noise/crypto'

type Bytes = Parameters<ICryptoInterface['hashSHA256']>[0]

const cipher = 'chacha20-poly1305'
const tagBytes = 16
const keyBytes = 32
/** Shorter messages are left to the library's WebAssembly: a sign of life takes 3 µs there, and 12 µs to make Node's cipher. */
const shortBytes = 600
/** What DER puts before the 32 bytes of an X25519 key (RFC 8410): private as PKCS #8, public as SPKI. */
const privatePrefix = Buffer.from('302e020100300506032b656e04220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b656e032100', 'hex')

const privateKeyOf = (raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([privatePrefix, raw]), type: 'pkcs8', format: 'der' })
const publicKeyOf = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([publicPrefix, raw]), type: 'spki', format: 'der' })
const rawPublic = (key: KeyObject): Uint8Array =>
  key.export({ type: 'spki', format: 'der' }).subarray(publicPrefix.length)

/** Keys of a session as Node wants them: parsing one anew for every message costs thrice what the message does. */
const parsed = new WeakMap<Uint8Array, KeyObject>()
const sessionKey = (raw: Uint8Array): KeyObject => {
  const known = parsed.get(raw)
  if (known !== undefined) return known
  const made = createSecretKey(raw)
  parsed.set(raw, made)
  return made
}

/** What Noise_XX_25519_ChaChaPoly_SHA256 needs, of node:crypto. The library's own parses the key for every message. */
export const noiseCrypto: ICryptoInterface = {
  hashSHA256: (data: Bytes) => createHash('sha256').update(data.subarray()).digest(),
  getHKDF: (chainingKey, material) => {
    const out = new Uint8Array(hkdfSync('sha256', material, chainingKey, new Uint8Array(), 3 * keyBytes))
    return [out.subarray(0, keyBytes), out.subarray(keyBytes, 2 * keyBytes), out.subarray(2 * keyBytes)]
  },
  generateX25519KeyPair: () => {
    const { privateKey, publicKey } = generateKeyPairSync('x25519')
    return {
      publicKey: rawPublic(publicKey),
      privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(privatePrefix.length),
    }
  },
  generateX25519KeyPairFromSeed: (seed) => ({
    publicKey: rawPublic(createPublicKey(privateKeyOf(seed))),
    privateKey: seed,
  }),
  generateX25519SharedKey: (own: Bytes, theirs: Bytes) =>
    diffieHellman({ privateKey: privateKeyOf(own.subarray()), publicKey: publicKeyOf(theirs.subarray()) }),
  chaCha20Poly1305Encrypt: (plaintext: Bytes, nonce, said, key) => {
    if (plaintext.byteLength < shortBytes) return asCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, said, key)
    const seal = createCipheriv(cipher, sessionKey(key), nonce, { authTagLength: tagBytes })
    if (said.length > 0) seal.setAAD(said, { plaintextLength: plaintext.byteLength })
    const sealed = seal.update(plaintext.subarray())
    seal.final()
    return Buffer.concat([sealed, seal.getAuthTag()], sealed.length + tagBytes)
  },
  chaCha20Poly1305Decrypt: (ciphertext: Bytes, nonce, said, key, dst) => {
    const bytes = ciphertext.subarray()
    if (bytes.length < tagBytes) throw new Error('a message of Noise is shorter than its tag')
    if (bytes.length < shortBytes) return asCrypto.chaCha20Poly1305Decrypt(bytes, nonce, said, key, dst)
    const open = createDecipheriv(cipher, sessionKey(key), nonce, { authTagLength: tagBytes })
    if (said.length > 0) open.setAAD(said, { plaintextLength: bytes.length - tagBytes })
    open.setAuthTag(bytes.subarray(-tagBytes))
    const text = open.update(bytes.subarray(0, -tagBytes))
    open.final()
    return text
  },
}
