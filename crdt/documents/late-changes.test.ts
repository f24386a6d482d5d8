import test from 'ava'
import { createNodeSignatures, nodeHash, toHex } from '../authority/index.ts'
import { sealEnvelope } from '../envelope/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import { decodeLate, encodeLate } from './late-changes.ts'

const signer = createNodeSignatures().signer(new Uint8Array(32).fill(1))
const envelope = sealEnvelope(
  {
    networkId: '4e'.repeat(32),
    documentId: '0d'.repeat(16),
    epoch: 3,
    incarnation: '01'.repeat(16),
    seq: 5,
    change: Uint8Array.of(1, 2, 3),
  },
  signer,
  { hash: nodeHash },
)

test('the fixture of format 1 of a late change is read, and written to the same bytes', (t) => {
  const bytes = fixture('late-change.1', () => encodeLate('unsure', envelope.bytes))
  const late = decodeLate(bytes)
  t.is(late?.reason, 'unsure')
  t.is(toHex(late?.envelope ?? new Uint8Array()), toHex(envelope.bytes))
  t.is(toHex(encodeLate('unsure', envelope.bytes)), toHex(bytes))
})

test('each reason is read back, and what is of another version or reason is none', (t) => {
  for (const reason of ['cut', 'rival', 'unsure', 'excluded'] as const)
    t.is(decodeLate(encodeLate(reason, envelope.bytes))?.reason, reason)
  t.is(decodeLate(Uint8Array.of(2, 0, 1)), undefined)
  t.is(decodeLate(Uint8Array.of(1, 4, 1)), undefined)
  t.is(decodeLate(Uint8Array.of()), undefined)
})
