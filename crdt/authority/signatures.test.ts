import test from 'ava'
import { createKeyedSignatures } from './keyed-signatures.ts'
import { createNodeSignatures, nodeHash } from './node-signatures.ts'
import { signaturesContract } from './signatures.contract.ts'
import { fromHex, signedMessage, toHex } from './signatures.ts'
import { isWeakKey } from './weak-keys.ts'

signaturesContract('node', createNodeSignatures, nodeHash)
signaturesContract('keyed', createKeyedSignatures, nodeHash)

test('Ed25519 of node is RFC 8032: its first test vector', (t) => {
  const signer = createNodeSignatures().signer(
    fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
  )
  t.is(toHex(signer.publicKey), 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
  t.is(
    toHex(signer.sign(new Uint8Array(0))),
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  )
})

test('a key of small order, which one signature would fit for many messages, is refused', (t) => {
  const signatures = createNodeSignatures()
  // The neutral point: with R neutral and S zero the equation S·B = R + k·A holds for every message.
  const neutral = fromHex(`01${'00'.repeat(31)}`)
  const signature = fromHex(`01${'00'.repeat(63)}`)
  t.true(isWeakKey(neutral))
  t.false(signatures.verify(neutral, Buffer.from('anything'), signature))
  t.true(isWeakKey(fromHex(`01${'00'.repeat(30)}80`)), 'the other sign of x')
  t.false(isWeakKey(signatures.signer(new Uint8Array(32)).publicKey))
})

test('a world of keyed signatures knows only its own keys', (t) => {
  const [here, there] = [createKeyedSignatures(), createKeyedSignatures()]
  const signer = here.signer(new Uint8Array(32))
  t.false(there.verify(signer.publicKey, Buffer.from('x'), signer.sign(Buffer.from('x'))))
})

test('a message is tagged with its kind and the version', (t) => {
  t.is(Buffer.from(signedMessage('envelope', Buffer.from('x'))).toString(), 'skerry/envelope/1\nx')
})
