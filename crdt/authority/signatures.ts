/** SHA-256 as a power. */
export interface Hash {
  /** 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array
}

/** Signatures as a power: Ed25519 (RFC 8032) in production, a keyed hash of the same sizes in simulations. */
export interface Signatures {
  /**
   * The signer of a secret seed.
   * @param seed 32 secret random bytes
   * @throws {RangeError} when the seed has another length
   */
  signer(seed: Uint8Array): Signer
  /** Whether the key signed exactly these bytes. False, never an error, for keys and signatures of any shape. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** One key that can sign. Holds its secret; what it shows is public. */
export interface Signer {
  /** 64 hexadecimal digits: `keyIdOf(publicKey)`. */
  readonly keyId: KeyId
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 64 bytes; the same message always gives the same ones. */
  sign(message: Uint8Array): Uint8Array
}

/** What verifying needs. */
export interface AuthorityPowers {
  readonly signatures: Signatures
  readonly hash: Hash
}

/** 64 lower-case hexadecimal digits: the SHA-256 of a raw public key. */
export type KeyId = string

export const seedBytes = 32
export const publicKeyBytes = 32
export const signatureBytes = 64

export const toHex = (bytes: Uint8Array): string =>
  (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).toString('hex')

/** @throws {RangeError} when the text is not pairs of lower-case hexadecimal digits. */
export const fromHex = (text: string): Uint8Array => {
  if (text.length % 2 !== 0 || /[^0-9a-f]/.test(text))
    throw new RangeError('not pairs of lower-case hexadecimal digits')
  return new Uint8Array(Buffer.from(text, 'hex'))
}

export const keyIdOf = (publicKey: Uint8Array, hash: Hash): KeyId => toHex(hash.sha256(publicKey))

/**
 * What is signed for a record of this kind: the tag `skerry/<kind>/1\n`, then the exact bytes. The tag keeps a signature
 * of one kind from ever counting for another.
 */
export const signedMessage = (kind: string, bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`skerry/${kind}/1\n`), bytes])
