import { type Refused, refuse } from './refusal.ts'

/** What bytes are sealed for: another use, another network or another reader, and they do not open. */
export interface SealingContext {
  /** 64 hexadecimal digits. */
  readonly networkId: string
  /** What the bytes are, like `sibling-deposit`. */
  readonly use: 'sibling-deposit'
}

export type Opened = { readonly ok: true; readonly bytes: Uint8Array } | Refused

/** One key others seal to, with its secret half. */
export interface SealingReader {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Opens what was sealed to this key. Never throws: bytes of any shape are refused in words. */
  open(sealed: Uint8Array, context: SealingContext): Opened
}

/** Sealing to a public key as a power (docs/adr/0031-siblings.md). */
export interface Sealing {
  /**
   * The reader of a node: its key follows from the seed of the node's signing key.
   * @param seed 32 secret bytes
   * @throws {RangeError} when the seed has another length
   */
  reader(seed: Uint8Array): SealingReader
  /**
   * Seals bytes to one reader. The same arguments always give the same bytes.
   * @param publicKey 32 bytes, the reader's
   * @param once 32 random bytes, drawn for this call and used for no other
   * @throws {RangeError} over `sealingLimits.plainBytes`, or where the key is none that can be sealed to
   */
  seal(plain: Uint8Array, publicKey: Uint8Array, context: SealingContext, once: Uint8Array): Uint8Array
}

export const sealingVersion = 1
export const sealingLimits = {
  /** What one sealed piece may hold, in bytes. */
  plainBytes: 1024 * 1024,
  /** Version, ephemeral key and tag. */
  overheadBytes: 1 + 32 + 16,
} as const
export const sealingKeyBytes = 32

/** What every adapter asks of sealed bytes before it does any arithmetic with them; undefined when they may be opened. */
export const sealedProblem = (sealed: Uint8Array): Refused | undefined => {
  const version = sealed[0] ?? 0
  if (version > sealingVersion)
    return refuse(
      'newer-format',
      `the sealed bytes have a newer format than ${sealingVersion}: update this node to read them`,
    )
  const { overheadBytes, plainBytes } = sealingLimits
  return version < sealingVersion || sealed.length < overheadBytes || sealed.length > overheadBytes + plainBytes
    ? refuse('bad-length', 'the sealed bytes are cut short, too long or not sealed')
    : undefined
}
