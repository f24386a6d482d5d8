import { type AuthorityPowers, keysOf, publicKeyBytes, toHex } from '../authority/index.ts'
import { type Envelope, envelopeEpoch, maxEnvelopeBytes } from './envelope.ts'
import { openEnvelope } from './open-envelope.ts'

/**
 * Two envelopes one key signed with one number of one document, epoch and life: whoever reads it needs nothing else to
 * know that the key, or a copy of it, is not to be relied on (docs/adr/0035-equivocation.md).
 */
export interface EquivocationProof extends Pick<Envelope, 'networkId' | 'documentId' | 'epoch' | 'actor' | 'seq'> {
  /** The key that signed both. */
  readonly author: string
  /** By hash. */
  readonly envelopes: readonly [Envelope, Envelope]
}

export const proofVersion = 1
const headBytes = 1 + publicKeyBytes

/**
 * The one form of a proof: format version, public key (32), and each envelope after its length (4, big-endian), the one
 * with the lower hash first. Says nothing of whether it is one: `openProof` does.
 */
export const encodeProof = (publicKey: Uint8Array, envelopes: readonly [Envelope, Envelope]): Uint8Array => {
  const sorted = envelopes.toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
  const blocks = sorted.flatMap(({ bytes }) => {
    const size = Buffer.alloc(4)
    size.writeUInt32BE(bytes.length)
    return [size, bytes]
  })
  return Uint8Array.from(Buffer.concat([Uint8Array.of(proofVersion), publicKey, ...blocks]))
}

export interface ProofRefusal {
  readonly code: 'bad-proof' | 'newer-format' | 'bad-envelope' | 'other-number' | 'same-envelope'
  readonly message: string
}
export type OpenedProof =
  | { readonly ok: true; readonly proof: EquivocationProof }
  | { readonly ok: false; readonly refusal: ProofRefusal }

type ProofGuard = (a: Envelope, b: Envelope) => ProofRefusal | undefined

/** Each alone stops its forgery (equivocation-proof.test.ts takes it out). */
export const proofGuards = {
  sameNumber: (a, b) =>
    a.documentId === b.documentId && a.epoch === b.epoch && a.actor === b.actor && a.seq === b.seq
      ? undefined
      : { code: 'other-number', message: 'the two envelopes do not carry one number of one document and epoch' },
  different: (a, b) =>
    a.hash < b.hash ? undefined : { code: 'same-envelope', message: 'a proof has two envelopes, the lower hash first' },
} as const satisfies Readonly<Record<string, ProofGuard>>

const refuse = (code: ProofRefusal['code'], message: string): OpenedProof => ({ ok: false, refusal: { code, message } })

/** Bytes of the two envelopes; undefined when they are not laid out as two. */
const split = (bytes: Uint8Array): readonly Uint8Array[] | undefined => {
  const blocks: Uint8Array[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = headBytes; at < bytes.length; ) {
    const size = at + 4 <= bytes.length ? view.getUint32(at) : 0
    if (size === 0 || size > maxEnvelopeBytes || at + 4 + size > bytes.length || blocks.length === 2) return undefined
    blocks.push(bytes.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  return blocks.length === 2 ? blocks : undefined
}

/**
 * Judges a proof by itself: both envelopes are of this network, well signed by the key it carries, with one number, and
 * not the same. Never an error.
 *
 * @param guards @default all; tests take one out to show what it stops
 */
export const openProof = (
  bytes: Uint8Array,
  networkId: string,
  powers: AuthorityPowers,
  guards: readonly ProofGuard[] = Object.values(proofGuards),
): OpenedProof => {
  const version = bytes[0] ?? 0
  if (version > proofVersion)
    return refuse('newer-format', `the proof has a newer format than ${proofVersion}: update this node to read it`)
  const blocks = version === proofVersion ? split(bytes) : undefined
  if (blocks === undefined) return refuse('bad-proof', 'the proof is cut short, too long or of no known format')
  const writers = keysOf([toHex(bytes.subarray(1, headBytes))], powers.hash)
  const opened = blocks.map((block) => {
    const documentId = toHex(block.subarray(33, 49))
    return openEnvelope(block, { networkId, documentId, epoch: envelopeEpoch(block) ?? 0, writers }, powers)
  })
  const bad = opened.find((result) => !result.ok)
  if (bad?.ok === false) return refuse('bad-envelope', bad.refusal.message)
  const [a, b] = opened.flatMap((result) => (result.ok ? [result.envelope] : []))
  if (a === undefined || b === undefined) return refuse('bad-proof', 'a proof has two envelopes')
  for (const guard of guards) {
    const refusal = guard(a, b)
    if (refusal !== undefined) return { ok: false, refusal }
  }
  const { documentId, epoch, actor, seq, author } = a
  return { ok: true, proof: { networkId, documentId, epoch, actor, seq, author, envelopes: [a, b] } }
}
