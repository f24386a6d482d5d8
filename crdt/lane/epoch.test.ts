import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { type ScopePath, SkerryError } from '../../base/index.ts'
import { countersign, nothingBlocked, type RecordKind, readRecord, sealRecord, toHex } from '../authority/index.ts'
import {
  closingKind,
  formatLaneName,
  genesisKind,
  type LaneName,
  openClosing,
  openGenesis,
  parseLaneName,
  sealGenesis,
  stateHash,
} from './index.ts'
import {
  entryText,
  hexOf,
  intentLane,
  laneScene,
  localLane,
  memberLane,
  networkId,
  shop,
  tenant,
} from './lane-scene.ts'
import { canonicalState, sortValues } from './state-hash.ts'

const scene = laneScene()
const { epoch, owner, powers, signers } = scene
const context = { networkId, owner, blocked: nothingBlocked }
const base = { genesis: epoch.id, heads: ['22'.repeat(32), '11'.repeat(32)], state: '33'.repeat(32) }
const fields = { networkId, documentId: epoch.documentId, lane: epoch.lane, owner }
const second = sealGenesis({ ...fields, after: { epoch: 1, base } }, signers.slice(1, 2), powers)

const codeOf = (result: { ok: true } | { ok: false; refusal: { code: string } }) =>
  result.ok ? 'ok' : result.refusal.code

test('a genesis is the same record whoever of its owner signs it and however its lists come', (t) => {
  const writers = [...owner.keys.values()]
  const one = sealGenesis({ ...fields, writers }, signers.slice(0, 1), powers)
  const two = sealGenesis({ ...fields, writers: [...writers.toReversed(), ...writers] }, signers.slice(1, 2), powers)
  t.is(one.id, two.id)
  t.deepEqual(one.body, two.body)
  t.is(codeOf(openGenesis(two.bytes, context, powers)), 'ok')
})

test('a genesis counts only for the owner, the generation and the epoch it follows', (t) => {
  t.is(codeOf(openGenesis(second.bytes, { ...context, previous: epoch }, powers)), 'ok')
  t.is(codeOf(openGenesis(scene.genesis, { ...context, previous: epoch }, powers)), 'wrong-document')
  t.is(
    codeOf(openGenesis(second.bytes, { ...context, previous: { ...epoch, id: 'ab'.repeat(32) } }, powers)),
    'wrong-document',
  )
  t.is(codeOf(openGenesis(second.bytes, { ...context, owner: { ...owner, generation: 2 } }, powers)), 'wrong-owner')
  t.is(
    codeOf(openGenesis(second.bytes, { ...context, owner: { ...owner, list: '00'.repeat(32) } }, powers)),
    'wrong-owner',
  )
  t.is(codeOf(openGenesis(second.bytes, { ...context, owner: { ...owner, scope: '/de' } }, powers)), 'not-entitled')
  t.is(codeOf(openGenesis(second.bytes, { ...context, networkId: '00'.repeat(32) }, powers)), 'wrong-network')
  const blocked = { ...nothingBlocked, keys: new Set([signers[0]!.keyId]) }
  t.is(codeOf(openGenesis(second.bytes, { ...context, blocked }, powers)), 'blocked')
})

test('a genesis that a stranger signed, or that gives a stranger the pen, is refused', (t) => {
  const stranger = powers.signatures.signer(new Uint8Array(32).fill(77))
  t.is(codeOf(openGenesis(sealGenesis(fields, [stranger], powers).bytes, context, powers)), 'not-enough-signatures')
  t.is(codeOf(openGenesis(sealGenesis(fields, [], powers).bytes, context, powers)), 'not-enough-signatures')
  const widened = sealGenesis({ ...fields, writers: [stranger.publicKey] }, signers.slice(0, 1), powers)
  t.is(codeOf(openGenesis(widened.bytes, context, powers)), 'not-entitled')
  // A closing record with the same words is another kind: its signature is over another tag.
  const flipped = Uint8Array.from(scene.genesis)
  flipped[flipped.length - 1] = flipped[flipped.length - 1]! ^ 1
  t.is(codeOf(openGenesis(flipped, context, powers)), 'not-enough-signatures')
})

test('a genesis of a newer format, or not in its one form, is refused without an error', (t) => {
  t.is(codeOf(openGenesis(Uint8Array.of(2, ...scene.genesis.subarray(1)), context, powers)), 'newer-format')
  t.is(codeOf(openGenesis(scene.genesis.subarray(0, 80), context, powers)), 'bad-length')
  const bad = (change: object) => () =>
    sealRecord(genesisKind, { ...second.body, ...change }, signers.slice(0, 1), powers)
  t.notThrows(bad({}))
  for (const change of [
    { base: null },
    { epoch: 1 },
    { epoch: 0 },
    { lane: 'intent/.de' },
    { writers: [] },
    { writers: second.body.writers.toReversed() },
    { base: { ...second.body.base, heads: ['22'.repeat(32), '11'.repeat(32)] } },
    { base: { ...second.body.base, state: 'x' } },
    { document: '00' },
  ])
    t.throws(bad(change), { instanceOf: RangeError }, JSON.stringify(change))
})

const closing = {
  network: networkId,
  document: epoch.documentId,
  epoch: 1,
  genesis: epoch.id,
  closer: owner.id,
  generation: 1,
  list: owner.list,
  heads: ['11'.repeat(32)],
  state: '33'.repeat(32),
}

test('a closing record counts only for its epoch and when its closer signed it', (t) => {
  const sealed = (change: object, by = signers.slice(0, 1)) =>
    codeOf(
      openClosing(
        sealRecord(closingKind, { ...closing, ...change }, by, powers).bytes,
        { epoch, closer: owner },
        powers,
      ),
    )
  t.is(sealed({}), 'ok')
  t.is(sealed({ heads: [] }), 'ok')
  t.is(sealed({}, []), 'not-enough-signatures')
  t.is(sealed({ epoch: 2 }), 'wrong-document')
  t.is(sealed({ genesis: 'ab'.repeat(32) }), 'wrong-document')
  t.is(sealed({ document: 'ab'.repeat(16) }), 'wrong-document')
  t.is(sealed({ closer: 'ab'.repeat(16) }), 'wrong-owner')
  t.is(sealed({ generation: 2 }), 'wrong-owner')
  t.is(codeOf(openClosing(scene.genesis, { epoch, closer: owner }, powers)), 'bad-record')
})

test('every lane has one written form', (t) => {
  const scope = '/de/bavaria/munich-7' as ScopePath
  const names: readonly LaneName[] = [
    intentLane,
    localLane,
    memberLane,
    { kind: 'tenant', tenant, section: 'applications' },
    { kind: 'local', scope: '/' as ScopePath, tenant: 'ab'.repeat(24) },
    { kind: 'zone', scope, side: 'parent' },
    { kind: 'zone', scope: '/' as ScopePath, side: 'own' },
    { kind: 'access', scope, tenant },
    { kind: 'report', scope },
  ]
  const texts = names.map(formatLaneName)
  t.is(new Set(texts).size, names.length)
  t.deepEqual(texts.map(parseLaneName), names)
  t.is(formatLaneName(intentLane), `intent/.de/${tenant}/.`)
})

test('what names no lane, or one that nobody may write, is refused', (t) => {
  for (const text of [
    '',
    'intent',
    'intent/.de',
    `intent/.de/${tenant}`,
    `intent/.de/${tenant}/.de`,
    `intent/./${tenant}/.`,
    `intent/.de.bavaria/${tenant}/.`,
    `intent/.de/${tenant}/./x`,
    `intent//de/${tenant}/.`,
    `local/de/${tenant}`,
    'local/.de/shop',
    'zone/./parent',
    'zone/.de/both',
    'member/.',
    'member/..de',
    'member/.de.',
    'member/.De',
    'report/.de/x',
    `tenant/${tenant}`,
    `tenant/${tenant}/A`,
    'other/.de',
    `INTENT/.de/${tenant}/.`,
  ])
    t.throws(() => parseLaneName(text), { instanceOf: SkerryError }, text)
})

test('a state hash covers fences, what entries saw, and every value that stands', (t) => {
  const state = (texts: readonly string[], n = 7) => ({
    lane: intentLane,
    values: new Map([[shop, sortValues(texts)]]),
    fence: { generation: 1, n },
  })
  const one = entryText({ n: 7 })
  const hashes = [
    state([one]),
    state([one], 8),
    state([one, entryText({ n: 7, step: 2 })]),
    state([entryText({ n: 7, seen: [hexOf('d1', 16)] })]),
    { ...state([one]), lane: localLane },
  ].map((found) => stateHash(found, powers.hash))
  t.is(new Set(hashes).size, hashes.length)
  t.is(
    stateHash(state([one, entryText({ n: 8 })]), powers.hash),
    stateHash(state([entryText({ n: 8 }), one, one]), powers.hash),
  )
})

test('the fixtures of format 1 read and write to the same bytes', (t) => {
  const file = new URL('../fixtures/epoch-records.1.txt', import.meta.url)
  const closed = sealRecord(closingKind, closing, signers.slice(0, 1), powers)
  const state = {
    lane: intentLane,
    values: new Map<string, readonly (string | number | boolean)[]>([
      [shop, sortValues([entryText({ n: 7 }), entryText({ n: 8 })])],
    ]),
    fence: { generation: 1, n: 8 },
  }
  const written = [
    `genesis ${toHex(scene.genesis)}`,
    `genesis ${toHex(second.bytes)}`,
    `closing ${toHex(closed.bytes)}`,
    `state ${stateHash(state, powers.hash)} ${canonicalState(state)}`,
  ]
  if (process.env.GOLDEN === 'write') writeFileSync(file, `${written.join('\n')}\n`)
  const kept = readFileSync(file, 'utf8').trimEnd().split('\n')
  // What is signed is the format; the signatures are those of simulations, which are none.
  const signed = (line: string) => {
    const [kind = '', digits = ''] = line.split(' ')
    const found = readRecord<unknown>(
      (kind === 'genesis' ? genesisKind : closingKind) as RecordKind<unknown>,
      Buffer.from(digits, 'hex'),
      powers,
    )
    return found.ok
      ? { id: found.record.id, body: found.record.body, by: found.record.signatures.map(({ keyId }) => keyId) }
      : found.refusal
  }
  t.deepEqual(written.slice(0, 3).map(signed), kept.slice(0, 3).map(signed))
  t.deepEqual(written.slice(3), kept.slice(3))
  const rewritten = <Body>(kind: RecordKind<Body>, bytes: Uint8Array) => {
    const found = readRecord(kind, bytes, powers)
    return found.ok ? toHex(countersign(kind, found.record, []).bytes) : found.refusal.code
  }
  for (const line of kept.slice(0, 3)) {
    const [kind, digits = ''] = line.split(' ')
    const bytes = Buffer.from(digits, 'hex')
    t.is(kind === 'genesis' ? rewritten(genesisKind, bytes) : rewritten(closingKind, bytes), digits)
  }
})
