import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import {
  type Hash,
  keyIdOf,
  publicKeyBytes,
  type Signatures,
  type Signer,
  seedBytes,
  signatureBytes,
  toHex,
} from './signatures.ts'
import { isWeakKey } from './weak-keys.ts'

/** DER around a raw Ed25519 key (RFC 8410): PKCS #8 before a seed, SubjectPublicKeyInfo before a public key. */
const seedPrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex')
/** Parsing a key costs about as much as half a verification; a hub sees the same keys again and again. */
const maxCachedKeys = 1024

/** SHA-256 of node:crypto, synchronous: no thread pool between two simulated events. */
export const nodeHash: Hash = {
  // In one call: half of what the three of `createHash` cost for the short texts that are hashed most.
  sha256: (bytes) => hash('sha256', bytes, 'buffer'),
}

/** Ed25519 of node:crypto, synchronous. Keeps the last 1,024 public keys parsed. */
export const createNodeSignatures = (): Signatures => {
  const parsed = new Map<string, KeyObject>()
  const parse = (publicKey: Uint8Array): KeyObject => {
    const name = toHex(publicKey)
    const known = parsed.get(name)
    if (known) return known
    const key = createPublicKey({ key: Buffer.concat([publicPrefix, publicKey]), format: 'der', type: 'spki' })
    const oldest = parsed.size >= maxCachedKeys ? parsed.keys().next().value : undefined
    if (oldest !== undefined) parsed.delete(oldest)
    parsed.set(name, key)
    return key
  }
  return {
    signer: (seed): Signer => {
      if (seed.length !== seedBytes) throw new RangeError(`a signing seed has ${seedBytes} bytes, not ${seed.length}`)
      const secret = createPrivateKey({ key: Buffer.concat([seedPrefix, seed]), format: 'der', type: 'pkcs8' })
      const publicKey = Uint8Array.from(
        createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-publicKeyBytes),
      )
      return { keyId: keyIdOf(publicKey, nodeHash), publicKey, sign: (message) => sign(null, message, secret) }
    },
    verify: (publicKey, message, signature) => {
      if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes || isWeakKey(publicKey))
        return false
      try {
        return verify(null, message, parse(publicKey), signature)
      } catch {
        // Not a point of the curve.
        return false
      }
    },
  }
}
