import test from 'ava'
import { fixture } from '../fixtures/fixture.contract.ts'
import { nodeSealing } from './node-sealing.ts'
import { sealingContract } from './sealing.contract.ts'
import { toHex } from './signatures.ts'

sealingContract('node', nodeSealing)

test('what was sealed in format 1 opens', (t) => {
  const reader = nodeSealing.reader(new Uint8Array(32).fill(1))
  const context = { networkId: '0a'.repeat(32), use: 'sibling-deposit' } as const
  const make = () => nodeSealing.seal(Buffer.from('deposit'), reader.publicKey, context, new Uint8Array(32).fill(2))
  const sealed = fixture('sealed.1', make)
  t.deepEqual(reader.open(sealed, context), { ok: true, bytes: Uint8Array.from(Buffer.from('deposit')) })
  t.is(toHex(make()), toHex(sealed))
  t.is(toHex(reader.publicKey), '7681cbb04f88fd27b5bebeff7db55d964a9486ba5ad48cc22ded74df44fb8222')
})
