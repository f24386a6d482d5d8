import test from 'ava'
import { createNodeSignatures, fromHex, keyIdOf, nodeHash, signatureBytes, signedMessage } from '../authority/index.ts'
import { actorOf, envelopeLayout, maxChangeBytes, sealEnvelope } from './envelope.ts'
import { forgeChange } from './forge-change.contract.ts'
import { type EnvelopePlace, type EnvelopeRefusal, envelopeGuards, openEnvelope } from './open-envelope.ts'
import { scanEnvelope } from './scan-change.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const author = powers.signatures.signer(new Uint8Array(32).fill(1))
const stranger = powers.signatures.signer(new Uint8Array(32).fill(2))
const place: EnvelopePlace = {
  networkId: '11'.repeat(32),
  documentId: '22'.repeat(16),
  epoch: 3,
  writers: new Map([[author.keyId, author.publicKey]]),
}
const { networkId, documentId, epoch } = place
const incarnation = '33'.repeat(16)
const fields = { networkId, documentId, epoch, incarnation, seq: 7, change: forgeChange() }
const seal = (change: Partial<typeof fields> = {}, signer = author) =>
  sealEnvelope({ ...fields, ...change }, signer, powers)
const codeOf = (bytes: Uint8Array, at = place, without?: keyof typeof envelopeGuards) => {
  const guards = Object.entries(envelopeGuards).flatMap(([name, guard]) => (name === without ? [] : [guard]))
  const opened = openEnvelope(bytes, at, powers, guards)
  return opened.ok ? 'opens' : opened.refusal.code
}

test('what was sealed opens to the same envelope', (t) => {
  const sealed = seal()
  t.deepEqual(openEnvelope(sealed.bytes, place, powers), { ok: true, envelope: sealed })
  t.is(sealed.author, keyIdOf(author.publicKey, nodeHash))
  t.is(sealed.bytes.length, envelopeLayout.change + fields.change.length + signatureBytes)
})

test('an actor differs by document, epoch, key and incarnation', (t) => {
  const base = { documentId, epoch, author: author.keyId, incarnation }
  const others = [
    { documentId: '23'.repeat(16) },
    { epoch: 4 },
    { author: stranger.keyId },
    { incarnation: '34'.repeat(16) },
  ]
  const actors = [base, ...others.map((other) => ({ ...base, ...other }))].map((of) => actorOf(of, nodeHash))
  t.is(new Set(actors).size, 5)
  t.regex(actors[0]!, /^[0-9a-f]{32}$/)
})

/** Bytes with a right signature of the author over whatever they say. */
const resign = (bytes: Uint8Array, signer = author): Uint8Array => {
  const body = bytes.subarray(0, bytes.length - signatureBytes)
  return Buffer.concat([body, signer.sign(signedMessage('envelope', body))])
}
const patched = (bytes: Uint8Array, at: number, patch: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy.set(patch, at)
  return copy
}

test('each guard stops its attack, and without it the attack opens', (t) => {
  const foreign = { ...place, networkId: '12'.repeat(32) }
  const forgedActor = resign(patched(seal().bytes, envelopeLayout.actor, fromHex('aa'.repeat(16))))
  const attacks: Readonly<Record<keyof typeof envelopeGuards, readonly [Uint8Array, EnvelopePlace]>> = {
    'bad-number': [resign(patched(seal().bytes, envelopeLayout.seq, new Uint8Array(4))), place],
    'wrong-network': [seal().bytes, foreign],
    'wrong-document': [resign(seal({ documentId: '24'.repeat(16) }).bytes), place],
    'wrong-epoch': [seal({ epoch: 2 }).bytes, place],
    'not-a-writer': [seal({}, stranger).bytes, place],
    'forged-actor': [forgedActor, place],
    'bad-signature': [patched(seal().bytes, envelopeLayout.change, Uint8Array.of(0)), place],
  }
  for (const [name, [bytes, at]] of Object.entries(attacks)) {
    t.is(codeOf(bytes, at), name as EnvelopeRefusal['code'])
    const left = codeOf(bytes, at, name as keyof typeof envelopeGuards)
    // A stranger has no key to check a signature with: the next guard has to stop it.
    t.is(left, name === 'not-a-writer' ? 'bad-signature' : 'opens', `without ${name}`)
  }
})

test('a writer cannot sign in the name of another writer', (t) => {
  const both = { ...place, writers: new Map([...place.writers, [stranger.keyId, stranger.publicKey]]) }
  t.is(codeOf(resign(seal().bytes, stranger), both), 'bad-signature')
  const swapped = { ...place, writers: new Map([[author.keyId, stranger.publicKey]]) }
  t.is(codeOf(resign(seal().bytes, stranger), swapped), 'bad-signature', 'a key under the id of another')
})

test('a signature for something else does not count', (t) => {
  const { bytes } = seal()
  const body = bytes.subarray(0, bytes.length - signatureBytes)
  for (const kind of ['genesis', 'root', 'actor'])
    t.is(codeOf(Buffer.concat([body, author.sign(signedMessage(kind, body))])), 'bad-signature', kind)
  t.is(codeOf(Buffer.concat([body, author.sign(body)])), 'bad-signature', 'without a tag')
})

test('an envelope cut anywhere, followed by anything or with any bit flipped is refused', (t) => {
  const { bytes } = seal()
  for (let end = 0; end < bytes.length; end++) t.is(codeOf(bytes.subarray(0, end)), 'bad-length', `cut at ${end}`)
  t.is(codeOf(Buffer.concat([bytes, Uint8Array.of(0)])), 'bad-length')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes)
    flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7))
    t.not(codeOf(flipped), 'opens', `bit ${bit}`)
  }
})

test('a newer format is refused in words, an older one as no envelope', (t) => {
  const opened = openEnvelope(patched(seal().bytes, 0, Uint8Array.of(2)), place, powers)
  t.deepEqual(opened, {
    ok: false,
    refusal: {
      code: 'newer-format',
      message: 'the envelope has a newer format than 1: update this node to read it',
    },
  })
  t.is(codeOf(patched(seal().bytes, 0, Uint8Array.of(0))), 'bad-format')
})

test('what cannot be sealed is said at once', (t) => {
  const bad: Partial<typeof fields>[] = [
    { change: new Uint8Array(0) },
    { change: new Uint8Array(maxChangeBytes + 1) },
    { seq: 0 },
    { epoch: 1.5 },
    { epoch: 2 ** 32 },
    { documentId: '22' },
    { networkId: 'zz'.repeat(32) },
    { incarnation: '' },
  ]
  for (const change of bad)
    t.throws(() => seal(change), { instanceOf: RangeError }, JSON.stringify(change).slice(0, 60))
  t.notThrows(() => seal({ change: new Uint8Array(maxChangeBytes) }))
})

test('a change of another actor or sequence number than its envelope is refused', (t) => {
  const actor = [16, ...fromHex(seal().actor)]
  t.true(scanEnvelope(seal({ change: forgeChange({ actor, seq: [7] }) })).ok)
  t.like(scanEnvelope(seal({ change: forgeChange({ actor, seq: [8] }) })), { refusal: { code: 'wrong-sequence' } })
  t.like(scanEnvelope(seal({ change: forgeChange({ seq: [7] }) })), { refusal: { code: 'wrong-actor' } })
  t.like(scanEnvelope(seal({ change: Buffer.from('garbage') })), { refusal: { code: 'not-a-change' } })
})
