import test from 'ava'
import fc from 'fast-check'
import { createNodeSignatures, nodeHash, toHex } from '../authority/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import { type Envelope, encodeProof, openProof, proofGuards, sealEnvelope } from './index.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const signer = powers.signatures.signer(new Uint8Array(32).fill(1))
const other = powers.signatures.signer(new Uint8Array(32).fill(2))
const networkId = '4e'.repeat(32)

const envelope = (change: number, given: Partial<Parameters<typeof sealEnvelope>[0]> = {}, by = signer): Envelope =>
  sealEnvelope(
    {
      networkId,
      documentId: '0d'.repeat(16),
      epoch: 3,
      incarnation: '01'.repeat(16),
      seq: 5,
      change: Uint8Array.of(change, 2, 3),
      ...given,
    },
    by,
    powers,
  )
const a = envelope(1)
const b = envelope(2)
const proof = encodeProof(signer.publicKey, [a, b])
const codeOf = (bytes: Uint8Array, guards = Object.values(proofGuards)) => {
  const opened = openProof(bytes, networkId, powers, guards)
  return opened.ok ? 'ok' : opened.refusal.code
}

test('two changes of one number are a proof, in one form whichever comes first', (t) => {
  t.is(codeOf(proof), 'ok')
  t.is(toHex(encodeProof(signer.publicKey, [b, a])), toHex(proof))
  t.like(openProof(proof, networkId, powers), { ok: true, proof: { author: signer.keyId, epoch: 3, seq: 5 } })
})

test('what is no proof is refused; without its guard each would be one', (t) => {
  const others: Readonly<Record<string, Envelope>> = {
    'another number': envelope(2, { seq: 6 }),
    'another epoch': envelope(2, { epoch: 4 }),
    'another document': envelope(2, { documentId: '0e'.repeat(16) }),
    'another life': envelope(2, { incarnation: '02'.repeat(16) }),
  }
  const unguarded = (name: keyof typeof proofGuards) =>
    Object.entries(proofGuards).flatMap(([key, guard]) => (key === name ? [] : [guard]))
  for (const [name, one] of Object.entries(others)) {
    t.is(codeOf(encodeProof(signer.publicKey, [a, one])), 'other-number', name)
    t.is(codeOf(encodeProof(signer.publicKey, [a, one]), unguarded('sameNumber')), 'ok', name)
  }
  t.is(codeOf(encodeProof(signer.publicKey, [a, a])), 'same-envelope')
  t.is(codeOf(encodeProof(signer.publicKey, [a, a]), unguarded('different')), 'ok')
  t.is(codeOf(encodeProof(signer.publicKey, [a, envelope(2, {}, other)])), 'bad-envelope')
  t.is(codeOf(encodeProof(other.publicKey, [a, b])), 'bad-envelope')
  t.is(codeOf(encodeProof(signer.publicKey, [envelope(1, { networkId: '00'.repeat(32) }), b])), 'bad-envelope')
})

test('bytes of any kind are read without an error, and only the whole proof is one', (t) => {
  t.is(codeOf(Uint8Array.of(2, ...proof.subarray(1))), 'newer-format')
  t.is(codeOf(Uint8Array.of()), 'bad-proof')
  for (let at = 0; at < proof.length; at++) t.not(codeOf(proof.subarray(0, at)), 'ok')
  t.not(codeOf(Uint8Array.of(...proof, 0)), 'ok')
  fc.assert(
    fc.property(fc.nat(proof.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bent = Uint8Array.from(proof)
      bent[at] = bent[at]! ^ flip
      return codeOf(bent) !== 'ok'
    }),
  )
})

test('the fixture of format 1 opens, and is written to the same bytes', (t) => {
  const bytes = fixture('equivocation-proof.1', () => proof)
  t.is(codeOf(bytes), 'ok')
  t.is(toHex(bytes), toHex(proof))
})
