import test from 'ava'
import { createNodeSignatures, nodeHash, toHex } from '../authority/index.ts'
import { formatEntry } from '../effective/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import { sealRollUp } from './roll-up.ts'
import { openZoneView, sealZoneView, type ZoneWish } from './zone-view.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const owner = powers.signatures.signer(new Uint8Array(32).fill(1))
const stranger = powers.signatures.signer(new Uint8Array(32).fill(2))
const networkId = '11'.repeat(32)
const zone = 'a0'.repeat(16)
const place = { networkId, zone, generation: 3, keys: new Set([toHex(owner.publicKey)]) }
const wish = (application: string): ZoneWish => ({
  tenant: 'b0'.repeat(16),
  application,
  entry: formatEntry({
    decision: 'd0'.repeat(16),
    version: 'e0'.repeat(32),
    step: 0,
    share: null,
    fence: { generation: 3, n: 1 },
    seen: ['d1'.repeat(16)],
    retired: false,
  }),
  revision: 'f0'.repeat(32),
  deployment: 'shop-all',
})
const fields = {
  networkId,
  session: 4,
  seq: 9,
  zone,
  generation: 3,
  wishes: [wish('01'.repeat(16)), wish('02'.repeat(16))],
}
const codeOf = (bytes: Uint8Array, at = place) => {
  const opened = openZoneView(bytes, at, powers)
  return opened.ok ? 'opens' : opened.refusal.code
}

test('a view of format 1 opens to what the zone said, and is sealed again to the same bytes', (t) => {
  const bytes = fixture('zone-view.1', () => sealZoneView(fields, owner))
  const opened = openZoneView(bytes, place, powers)
  if (!opened.ok) return t.fail(opened.refusal.message)
  t.deepEqual(
    opened.wishes.map(({ read: _, ...rest }) => rest),
    fields.wishes,
  )
  t.is(opened.wishes[0]?.read.decision, 'd0'.repeat(16))
  t.is(toHex(sealZoneView(fields, owner)), toHex(bytes))
})

test('what another key, zone or generation signed, a roll-up, and a changed byte do not count', (t) => {
  t.is(codeOf(sealZoneView(fields, stranger)), 'wrong-key')
  t.is(codeOf(sealZoneView({ ...fields, zone: 'a1'.repeat(16) }, owner)), 'wrong-zone')
  t.is(codeOf(sealZoneView({ ...fields, generation: 2 }, owner)), 'unknown-generation')
  t.is(codeOf(sealZoneView({ ...fields, networkId: '12'.repeat(32) }, owner)), 'wrong-network')
  const rollUp = { rows: [], own: 0, outcomes: [], leaves: 0, root: null }
  t.is(codeOf(sealRollUp({ networkId, session: 4, seq: 9, zone, generation: 3, ...rollUp }, owner)), 'bad-signature')
  const bytes = sealZoneView(fields, owner)
  bytes[200] = (bytes[200] ?? 0) ^ 1
  t.is(codeOf(bytes), 'bad-signature')
})

test('wishes that are no entries, twice there or out of order are not sealed, and refused where another program did', (t) => {
  const twice = { ...fields, wishes: [wish('02'.repeat(16)), wish('02'.repeat(16))] }
  t.throws(() => sealZoneView(twice, owner), { instanceOf: RangeError, message: /twice/ })
  const none = { ...fields, wishes: [{ ...wish('01'.repeat(16)), entry: '{}' }] }
  t.is(codeOf(sealZoneView(none, owner)), 'bad-report')
})
