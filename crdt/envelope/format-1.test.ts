import * as A from 'automerge'
import test from 'ava'
import { createNodeSignatures, nodeHash, toHex } from '../authority/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import { actorOf, type Envelope, type EnvelopeFields, envelopeLayout, sealEnvelope } from './envelope.ts'
import { forgeChunk } from './forge-change.contract.ts'
import { openEnvelope } from './open-envelope.ts'
import { scanEnvelope } from './scan-change.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const author = powers.signatures.signer(new Uint8Array(32).fill(7))
const base: Omit<EnvelopeFields, 'change'> = {
  networkId: '01'.repeat(32),
  documentId: '02'.repeat(16),
  epoch: 3,
  incarnation: '04'.repeat(16),
  seq: 1,
}
const place = { ...base, writers: new Map([[author.keyId, author.publicKey]]) }
const makeChange = (actor: string): Uint8Array => {
  const doc = A.change(A.init<Record<string, unknown>>({ actor }), { time: 0 }, (map) => {
    map['02'.repeat(16)] = new A.ImmutableString('{"decision":"x"}'.repeat(20))
    map.n = 5
  })
  return A.getLastLocalChange(doc)!
}
const actor = () => actorOf({ ...base, author: author.keyId }, nodeHash)
const bodyOf = (change: Uint8Array) => change.subarray(change.findIndex((byte, at) => at >= 9 && byte < 128) + 1)
const fixtures = {
  'envelope.1': () => sealEnvelope({ ...base, change: makeChange(actor()) }, author, powers).bytes,
  'envelope-deflated.1': () =>
    sealEnvelope({ ...base, change: forgeChunk(bodyOf(makeChange(actor())), { deflate: true }) }, author, powers).bytes,
} as const

for (const [name, make] of Object.entries(fixtures))
  test(`${name} opens, passes the scan and is sealed again to the same bytes`, (t) => {
    const bytes = fixture(name, make)
    const opened = openEnvelope(bytes, place, powers)
    if (!opened.ok) return t.fail(opened.refusal.message)
    t.like(opened.envelope, { ...base, author: author.keyId } satisfies Partial<Envelope>)
    const again = sealEnvelope({ ...base, change: opened.envelope.change }, author, powers)
    t.is(toHex(again.bytes), toHex(bytes))
    t.like(scanEnvelope(opened.envelope), { ok: true, header: { opCount: 2, startOp: 1, deps: [] } })
  })

test('both forms of the change are one change with one hash', (t) => {
  const hashes = Object.entries(fixtures).map(([name, make]) => {
    const opened = openEnvelope(fixture(name, make), place, powers)
    const scanned = opened.ok ? scanEnvelope(opened.envelope) : undefined
    return scanned?.ok ? scanned.header.hash : undefined
  })
  t.is(hashes[0], hashes[1])
  t.regex(hashes[0]!, /^[0-9a-f]{64}$/)
})

test('the layout of format 1 stays', (t) => {
  t.deepEqual(envelopeLayout, {
    version: 0,
    networkId: 1,
    documentId: 33,
    epoch: 49,
    author: 53,
    incarnation: 85,
    actor: 101,
    seq: 117,
    changeLength: 121,
    change: 125,
  })
})
