import test from 'ava'
import fc from 'fast-check'
import { createNodeSignatures, fromHex, nodeHash, signatureBytes, signedMessage, toHex } from '../authority/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import {
  isNewer,
  maxPayloadBytes,
  mayReplace,
  openReport,
  type ReportPlace,
  type ReportRefusal,
  reportGuards,
  reportLayout,
} from './signed-report.ts'
import { openSnapshot, sealSnapshot } from './snapshot.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const host = powers.signatures.signer(new Uint8Array(32).fill(1))
const stranger = powers.signatures.signer(new Uint8Array(32).fill(2))
const networkId = '11'.repeat(32)
const key = toHex(host.publicKey)
const payload = Buffer.from('{"running":3}')
const fields = { networkId, session: 4, seq: 9, payload }
const seal = (change: Partial<typeof fields> = {}, signer = host) => sealSnapshot({ ...fields, ...change }, signer)
const open = (bytes: Uint8Array) => openSnapshot(bytes, { networkId, key }, powers)
const codeOf = (bytes: Uint8Array, place = { networkId, key }) => {
  const opened = openSnapshot(bytes, place, powers)
  return opened.ok ? 'opens' : opened.refusal.code
}
/** Bytes with a right signature over whatever they say. */
const resign = (bytes: Uint8Array, signer = host, kind = 'snapshot'): Uint8Array => {
  const body = bytes.subarray(0, bytes.length - signatureBytes)
  return Buffer.concat([body, signer.sign(signedMessage(kind, body))])
}
const patched = (bytes: Uint8Array, at: number, patch: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy.set(patch, at)
  return copy
}

test('a snapshot of format 1 opens to what its host said, and is sealed again to the same bytes', (t) => {
  const bytes = fixture('snapshot.1', () => seal())
  const opened = open(bytes)
  if (!opened.ok) return t.fail(opened.refusal.message)
  const { hash, ...rest } = opened.snapshot
  t.deepEqual({ ...rest, payload: Buffer.from(rest.payload) }, { ...fields, key })
  t.is(hash, toHex(nodeHash.sha256(signedMessage('snapshot', bytes.subarray(0, -signatureBytes)))))
  t.is(toHex(seal()), toHex(bytes))
})

test('each guard stops its attack, and without it the attack opens', (t) => {
  const foreign = '12'.repeat(32)
  const attacks: Readonly<Record<keyof typeof reportGuards, Uint8Array>> = {
    'bad-number': resign(patched(seal(), reportLayout.session, new Uint8Array(8))),
    'wrong-network': seal({ networkId: foreign }),
    'wrong-key': seal({}, stranger),
    'bad-signature': patched(seal(), reportLayout.payload, Uint8Array.of(0x5b)),
  }
  const place: ReportPlace = { networkId, keys: new Set([key]) }
  for (const [name, bytes] of Object.entries(attacks)) {
    const all = openReport('snapshot', bytes, place, powers)
    t.is(all.ok ? 'opens' : all.refusal.code, name as ReportRefusal['code'])
    const others = Object.entries(reportGuards).flatMap(([other, guard]) => (other === name ? [] : [guard]))
    t.true(openReport('snapshot', bytes, place, powers, others).ok, `without ${name}`)
  }
})

test('a number that no program can count to is refused', (t) => {
  t.is(codeOf(resign(patched(seal(), reportLayout.seq, new Uint8Array(8).fill(0xff)))), 'bad-number')
  t.is(codeOf(seal({ seq: Number.MAX_SAFE_INTEGER })), 'opens')
})

test('a signature of another kind does not count', (t) => {
  t.is(codeOf(resign(seal(), host, 'roll-up')), 'bad-signature')
  const asRollUp = openReport('roll-up', seal(), { networkId, keys: new Set([key]) }, powers)
  t.is(asRollUp.ok ? 'opens' : asRollUp.refusal.code, 'bad-signature')
})

test('the payload is exactly what was signed: no flipped bit, no cut and no added byte opens', (t) => {
  const bytes = seal()
  for (let at = 0; at < bytes.length; at++) {
    const flipped = patched(bytes, at, Uint8Array.of((bytes[at] ?? 0) ^ 1))
    if (open(flipped).ok) t.fail(`byte ${at}`)
    t.is(codeOf(bytes.subarray(0, at)), 'bad-length')
  }
  t.is(codeOf(Buffer.concat([bytes, Uint8Array.of(0)])), 'bad-length')
  t.is(codeOf(bytes), 'opens')
})

test('a payload of one mebibyte opens, one byte more is neither sealed nor opened', (t) => {
  const largest = seal({ payload: Buffer.alloc(maxPayloadBytes) })
  t.is(codeOf(largest), 'opens')
  t.throws(() => seal({ payload: Buffer.alloc(maxPayloadBytes + 1) }), { instanceOf: RangeError, message: /at most/ })
  const longer = Buffer.concat([largest.subarray(0, -signatureBytes), Buffer.alloc(1 + signatureBytes)])
  longer.writeUInt32BE(maxPayloadBytes + 1, reportLayout.payloadLength)
  t.is(codeOf(resign(longer)), 'bad-length')
  t.throws(() => seal({ session: 0 }), { instanceOf: RangeError, message: /count from 1/ })
  t.throws(() => seal({ seq: 1.5 }), { instanceOf: RangeError })
})

test('a newer format is refused in words, and garbage without an error', (t) => {
  const newer = open(patched(seal(), 0, Uint8Array.of(2)))
  t.deepEqual(newer.ok ? undefined : newer.refusal, {
    code: 'newer-format',
    message: 'the snapshot has a newer format than 1: update this node to read it',
  })
  t.is(codeOf(patched(seal(), 0, Uint8Array.of(0))), 'bad-format')
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => !open(bytes).ok))
  const tail = fc.uint8Array({ minLength: 148, maxLength: 300 })
  fc.assert(fc.property(tail, (bytes) => !open(Buffer.concat([Uint8Array.of(1), fromHex(networkId), bytes])).ok))
})

test('the last one wins by session, then by number', (t) => {
  const turn = (session: number, seq: number, hash = `${session}/${seq}`) => ({ session, seq, hash })
  t.true(isNewer(undefined, turn(1, 1)))
  t.true(isNewer(turn(1, 9), turn(2, 1)))
  t.true(isNewer(turn(2, 1), turn(2, 2)))
  t.false(isNewer(turn(2, 2), turn(2, 2)))
  t.false(isNewer(turn(2, 1), turn(1, 9)))
  t.true(isNewer({ ...turn(9, 9), generation: 1 }, { ...turn(1, 1), generation: 2 }))
  const reports = fc.array(fc.record({ session: fc.integer({ min: 1, max: 3 }), seq: fc.integer({ min: 1, max: 3 }) }))
  fc.assert(
    fc.property(reports, (all) => {
      let held: ReturnType<typeof turn> | undefined
      for (const { session, seq } of all) if (isNewer(held, turn(session, seq))) held = turn(session, seq)
      const last = all.toSorted((a, b) => a.session - b.session || a.seq - b.seq).at(-1)
      t.is(held?.hash, last && `${last.session}/${last.seq}`)
    }),
  )
})

test('a replay, an older session and one this node never gave are stale', (t) => {
  const turn = (session: number, seq: number, hash = 'a') => ({ session, seq, hash })
  const code = (...asked: Parameters<typeof mayReplace>) => {
    const may = mayReplace(...asked)
    return may.ok ? 'takes' : may.refusal.code
  }
  t.is(code(turn(4, 9), turn(4, 10), 4), 'takes')
  t.is(code(undefined, turn(4, 1), 4), 'takes')
  t.is(code(turn(4, 9), turn(4, 9), 4), 'stale')
  t.is(code(turn(4, 9), turn(4, 8), 4), 'stale')
  t.is(code(turn(4, 9), turn(3, 12), 4), 'stale')
  t.is(code(turn(4, 9), turn(5, 1), 4), 'stale', 'a session of its own making')
  t.is(code(turn(4, 9), turn(5, 1), undefined), 'takes', 'another node gave the session')
  t.is(code(turn(4, 9), turn(3, 1), undefined), 'stale')
  t.is(code(turn(4, 9, 'a'), turn(4, 9, 'b'), 4), 'rival')
})
