import test from 'ava'
import fc from 'fast-check'
import { canonicalJson } from '../../base/index.ts'
import { createNodeSignatures, nodeHash, toHex } from '../authority/index.ts'
import type { Outcome } from '../effective/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import { type Leaf, leavesRoot } from './leaves.ts'
import { openRollUp, type RollUpBody, rollUpLimits, sealRollUp } from './roll-up.ts'
import { addRows, ageRows, compareRows, type RollUpRow } from './rows.ts'
import { mayReplace, sealReport } from './signed-report.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const [one, two, stranger] = [1, 2, 3].map((filler) => powers.signatures.signer(new Uint8Array(32).fill(filler)))
const networkId = '11'.repeat(32)
const zone = '0c'.repeat(24)
const [shop, mail] = ['0b'.repeat(16), '0a'.repeat(16)]
const leaves: readonly Leaf[] = ['n1', 'n2', 'n3'].map((name, at) => ({
  kind: 'host',
  name,
  salt: `0${at}`.repeat(16),
  report: `1${at}`.repeat(32),
}))
const row = (change: Partial<RollUpRow> = {}): RollUpRow => ({
  application: shop,
  version: '0d'.repeat(32),
  wanted: 0,
  running: 0,
  ready: 0,
  failing: 0,
  unknown: 0,
  conflict: 0,
  reportAgeMs: null,
  failingMs: null,
  unknownMs: null,
  conflictMs: null,
  ...change,
})
const outcome: Outcome = {
  application: shop,
  decision: '0e'.repeat(16),
  outcome: 'conflict',
  by: ['0f'.repeat(16)],
}
const said: RollUpBody = {
  zone,
  generation: 2,
  rows: [
    row({ application: mail, version: null, conflict: 1, conflictMs: 90_000, reportAgeMs: 0 }),
    row({ wanted: 3, running: 3, ready: 2, failing: 1, failingMs: 5_000, reportAgeMs: 4_200 }),
  ],
  own: 2,
  outcomes: [outcome],
  leaves: 3,
  root: leavesRoot(leaves, nodeHash),
}
const place = { networkId, zone, generation: 2, keys: new Set([toHex(one!.publicKey), toHex(two!.publicKey)]) }
const seal = (change: Partial<RollUpBody> = {}, signer = one!, network = networkId) =>
  sealRollUp({ networkId: network, session: 1, seq: 7, ...said, ...change }, signer)
const codeOf = (bytes: Uint8Array, at = place) => {
  const opened = openRollUp(bytes, at, powers)
  return opened.ok ? 'opens' : opened.refusal.code
}
/** Signed by the zone as a roll-up, whatever it says. */
const sealAny = (text: string) =>
  sealReport('roll-up', { networkId, session: 1, seq: 7, payload: Buffer.from(text) }, one!)

test('a roll-up of format 1 opens to what the zone said, and is sealed again to the same bytes', (t) => {
  const bytes = fixture('roll-up.1', () => seal())
  const opened = openRollUp(bytes, place, powers)
  if (!opened.ok) return t.fail(opened.refusal.message)
  const { hash, ...rest } = opened.rollUp
  t.deepEqual(rest, { ...said, networkId, key: toHex(one!.publicKey), session: 1, seq: 7 })
  t.regex(hash, /^[0-9a-f]{64}$/)
  t.is(toHex(seal()), toHex(bytes))
  t.true(mayReplace(undefined, opened.rollUp, 1).ok)
})

test('only a key of the owner in its newest generation speaks for its zone', (t) => {
  t.is(codeOf(seal()), 'opens')
  t.is(codeOf(seal({}, two)), 'opens')
  t.is(codeOf(seal({}, stranger)), 'wrong-key')
  t.is(codeOf(seal({}, one, '12'.repeat(32))), 'wrong-network')
  t.is(codeOf(seal({ zone: '0c'.repeat(16) })), 'wrong-zone')
  t.is(codeOf(seal({ generation: 1 })), 'unknown-generation')
  t.is(codeOf(seal().subarray(0, -1)), 'bad-length')
  const newer = openRollUp(Uint8Array.from([2, ...seal().subarray(1)]), place, powers)
  t.regex(newer.ok ? '' : newer.refusal.message, /the roll-up has a newer format than 1: update this node/)
})

test('what is signed in another form than the one is refused, and the same words sealed right open', (t) => {
  t.is(codeOf(sealAny(canonicalJson(said))), 'opens')
  const other: readonly unknown[] = [
    { ...said, rows: said.rows.toReversed() },
    { ...said, rows: [said.rows[0], said.rows[0]] },
    { ...said, rows: [row({ failing: 1 })] },
    { ...said, rows: [row({ failingMs: 1 })] },
    { ...said, rows: [row({ wanted: -1 })] },
    { ...said, rows: [row({ wanted: 0.5 })] },
    { ...said, rows: [{ ...row(), name: ['no list belongs here'] }] },
    { ...said, outcomes: [outcome, outcome] },
    { ...said, outcomes: [{ ...outcome, by: ['0f'.repeat(16), '0e'.repeat(16)] }] },
    { ...said, root: null },
    { ...said, leaves: 0 },
    { ...said, own: undefined },
    [],
    null,
  ]
  for (const body of other) t.is(codeOf(sealAny(canonicalJson(body))), 'bad-report', canonicalJson(body).slice(0, 80))
  t.is(codeOf(sealAny(JSON.stringify(said, null, 1))), 'bad-report')
  t.is(codeOf(sealAny('['.repeat(1_000_000))), 'bad-report')
  t.is(codeOf(sealAny('{"a":1')), 'bad-report')
})

test('a scalar that a later program adds is kept and says nothing else', (t) => {
  const later = { ...said, hash: 'not this', mood: 'fine', rows: said.rows.map((one) => ({ ...one, later: 1 })) }
  const opened = openRollUp(sealAny(canonicalJson(later)), place, powers)
  t.true(opened.ok)
  if (opened.ok) t.regex(opened.rollUp.hash, /^[0-9a-f]{64}$/)
})

test('counts are bounded: nothing is sealed that others would refuse', (t) => {
  const many = Array.from({ length: rollUpLimits.rows + 1 }, (_, at) =>
    row({ application: at.toString(16).padStart(32, '0') }),
  )
  const ids = Array.from({ length: rollUpLimits.by + 1 }, (_, at) => at.toString(16).padStart(32, '0'))
  const refused: readonly Partial<RollUpBody>[] = [
    { rows: many },
    { rows: [row({ wanted: 2 ** 32 })] },
    { outcomes: [{ ...outcome, by: ids }] },
    { leaves: rollUpLimits.leaves + 1 },
    { generation: 0 },
  ]
  for (const change of refused) {
    t.throws(() => seal(change), { instanceOf: RangeError, message: /cannot seal the roll-up/ })
    t.is(codeOf(sealAny(canonicalJson({ ...said, ...change }))), 'bad-report')
  }
  t.is(codeOf(seal({ rows: many.slice(1) })), 'opens')
})

const amount = fc.integer({ min: 0, max: 3 })
const age = fc.integer({ min: 0, max: 1_000_000 })
const drawnRow: fc.Arbitrary<RollUpRow> = fc
  .record({
    application: fc.constantFrom(shop, mail),
    version: fc.constantFrom(null, '0d'.repeat(32), '0e'.repeat(32)),
    counts: fc.tuple(amount, amount, amount, amount, amount, amount),
    ages: fc.tuple(age, age, age, age),
  })
  .map(({ application, version, counts, ages }) => {
    const [wanted, running, ready, failing, unknown, conflict] = counts
    const [reportAgeMs, ...others] = ages
    const [failingMs, unknownMs, conflictMs] = others.map((ms, at) => (counts[at + 3] === 0 ? null : ms))
    return {
      ...{ application, version, wanted, running, ready, failing, unknown, conflict, reportAgeMs },
      failingMs: failingMs ?? null,
      unknownMs: unknownMs ?? null,
      conflictMs: conflictMs ?? null,
    }
  })

test('rows add up in any order and in any grouping, and what they come to can be sealed', (t) => {
  fc.assert(
    fc.property(fc.array(drawnRow), fc.array(drawnRow), (some, others) => {
      const all = addRows([...some, ...others])
      t.deepEqual(addRows([...others.toReversed(), ...some.toReversed()]), all)
      t.deepEqual(addRows([...addRows(some), ...addRows(others)]), all)
      t.deepEqual(all, all.toSorted(compareRows))
      const total = (rows: readonly RollUpRow[]) => rows.reduce((sum, { wanted }) => sum + wanted, 0)
      t.is(total(all), total([...some, ...others]))
      t.is(codeOf(seal({ rows: all })), 'opens')
      t.is(codeOf(seal({ rows: ageRows(all, 1_234.5) })), 'opens')
    }),
    { numRuns: 50 },
  )
  t.deepEqual(ageRows([row({ failing: 1, failingMs: 10 })], 5)[0], row({ failing: 1, failingMs: 15 }))
})
