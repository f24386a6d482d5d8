import { nodeHash } from './node-signatures.ts'
import { keyIdOf, publicKeyBytes, type Signatures, seedBytes, signatureBytes, toHex } from './signatures.ts'

const hashOf = (...parts: readonly Uint8Array[]): Uint8Array => nodeHash.sha256(Buffer.concat(parts))
const [tagWord, publicWord] = [Buffer.from('tag'), Buffer.from('public')]

/**
 * Signatures for simulations: a keyed hash, many times cheaper than a curve. Only what shares this value can verify, as
 * it keeps the seed of every signer it made; so all nodes of one simulated world share one. Never for real nodes.
 */
export const createKeyedSignatures = (): Signatures => {
  const seeds = new Map<string, Uint8Array>()
  const tagOf = (seed: Uint8Array, message: Uint8Array): Buffer => {
    const first = hashOf(tagWord, seed, message)
    return Buffer.concat([first, nodeHash.sha256(first)])
  }
  return {
    signer: (given) => {
      if (given.length !== seedBytes) throw new RangeError(`a signing seed has ${seedBytes} bytes, not ${given.length}`)
      const seed = Uint8Array.from(given)
      const publicKey = Uint8Array.from(hashOf(publicWord, seed))
      seeds.set(toHex(publicKey), seed)
      return { keyId: keyIdOf(publicKey, nodeHash), publicKey, sign: (message) => tagOf(seed, message) }
    },
    verify: (publicKey, message, signature) => {
      if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false
      const seed = seeds.get(toHex(publicKey))
      return seed !== undefined && tagOf(seed, message).equals(signature)
    },
  }
}
