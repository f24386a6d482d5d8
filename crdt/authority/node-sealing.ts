import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { refuse } from './refusal.ts'
import {
  type Sealing,
  type SealingContext,
  sealedProblem,
  sealingKeyBytes,
  sealingLimits,
  sealingVersion,
} from './sealing.ts'

/** DER around a raw X25519 key (RFC 8410): PKCS #8 before a secret, SubjectPublicKeyInfo before a public key. */
const secretPrefix = Buffer.from('302e020100300506032b656e04220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b656e032100', 'hex')
const cipher = 'aes-256-gcm'
const tagBytes = 16
/** Each key of the cipher is used for one message alone, so its nonce may stand. */
const nonce = Buffer.alloc(12)
const headBytes = 1 + sealingKeyBytes

const secretOf = (raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([secretPrefix, raw]), format: 'der', type: 'pkcs8' })
const publicOf = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: 'der', type: 'spki' })
const rawOf = (secret: KeyObject): Uint8Array =>
  Uint8Array.from(createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-sealingKeyBytes))

/** HKDF-SHA256 (RFC 5869). */
const derive = (secret: Uint8Array, salt: Uint8Array, info: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, 32))

/**
 * The key of one message. Both public keys are part of it, as in RFC 9180: a message that was sealed to another reader opens
 * at none. OpenSSL refuses a public key of small order, with which the secret would be no secret.
 */
const keyOf = (
  own: KeyObject,
  other: KeyObject,
  { ephemeral, reader }: { readonly ephemeral: Uint8Array; readonly reader: Uint8Array },
  { networkId, use }: SealingContext,
): Buffer =>
  derive(
    diffieHellman({ privateKey: own, publicKey: other }),
    Buffer.concat([ephemeral, reader]),
    `skerry/sealed/${sealingVersion}\n${use}\n${networkId}`,
  )

/** X25519, HKDF-SHA256 and AES-256-GCM of node:crypto, synchronous. */
export const nodeSealing: Sealing = {
  reader: (seed) => {
    if (seed.length !== 32) throw new RangeError(`a seed has 32 bytes, not ${seed.length}`)
    const secret = secretOf(derive(seed, new Uint8Array(0), 'skerry/sealing-key/1'))
    const publicKey = rawOf(secret)
    return {
      publicKey,
      open: (sealed, context) => {
        const problem = sealedProblem(sealed)
        if (problem !== undefined) return problem
        const head = sealed.subarray(0, headBytes)
        const ephemeral = head.subarray(1)
        try {
          const key = keyOf(secret, publicOf(ephemeral), { ephemeral, reader: publicKey }, context)
          const opener = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
          opener.setAAD(head)
          opener.setAuthTag(sealed.subarray(-tagBytes))
          const bytes = Buffer.concat([opener.update(sealed.subarray(headBytes, -tagBytes)), opener.final()])
          return { ok: true, bytes: Uint8Array.from(bytes) }
        } catch {
          return refuse('not-for-this-key', 'the sealed bytes are not whole, or were sealed to another key or use')
        }
      },
    }
  },
  seal: (plain, publicKey, context, once) => {
    if (plain.length > sealingLimits.plainBytes)
      throw new RangeError(`cannot seal ${plain.length} bytes, at most ${sealingLimits.plainBytes}`)
    if (publicKey.length !== sealingKeyBytes || once.length !== 32)
      throw new RangeError('cannot seal: the key and what is drawn for it have 32 bytes each')
    const secret = secretOf(once)
    const ephemeral = rawOf(secret)
    const head = Buffer.concat([Uint8Array.of(sealingVersion), ephemeral])
    let key: Buffer
    try {
      key = keyOf(secret, publicOf(publicKey), { ephemeral, reader: publicKey }, context)
    } catch (error) {
      throw new RangeError('cannot seal: the key is none that can be sealed to', { cause: error })
    }
    const sealer = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes })
    sealer.setAAD(head)
    const body = Buffer.concat([sealer.update(plain), sealer.final()])
    return Uint8Array.from(Buffer.concat([head, body, sealer.getAuthTag()]))
  },
}
