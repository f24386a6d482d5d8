import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { createManualClock } from '../../base/index.ts'
import { rangeCount } from '../digest/index.ts'
import { inBatches } from './batches.ts'
import { decodeMessage, encodeMessage, type Holding, type Message } from './message.ts'
import { createTokenBucket } from './token-bucket.ts'

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((found) => Buffer.from(found).toString('hex'))
const hashes = fc.uniqueArray(hex(32), { maxLength: 5 }).map((all) => all.toSorted())
const blocks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 4 })

/** Of the first epoch nothing is said. */
const later = fc.option(
  hex(32).map((genesis) => ({ later: { epoch: 2, genesis } })),
  { nil: {} },
)

const holdings: fc.Arbitrary<readonly Holding[]> = fc.uniqueArray(hex(16), { maxLength: 4 }).chain((ids) =>
  fc.tuple(
    ...ids.toSorted().map(
      (documentId): fc.Arbitrary<Holding> =>
        fc.oneof(
          fc.constant({ documentId, state: 'absent' } as const),
          fc.tuple(hashes, later).map(([some, of]) => ({ documentId, state: 'whole', hashes: some, ...of }) as const),
          hashes
            .filter((some) => (some[0] ?? '1') > '0'.repeat(64))
            .map(
              (some) =>
                ({ documentId, state: 'part', after: '0'.repeat(64), until: 'f'.repeat(64), hashes: some }) as const,
            ),
        ),
    ),
  ),
)

const messages: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant('meet' as const),
    round: fc.integer({ min: 1, max: 0xffffffff }),
    root: hex(32),
    records: hex(32),
    gives: fc.boolean(),
    again: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('digest' as const),
    isLast: fc.boolean(),
    messages: fc.oneof(
      fc
        .uniqueArray(fc.nat(rangeCount - 1))
        .chain((at) =>
          hex(32).map((hash) => [{ kind: 'ranges', ranges: new Map(at.map((range) => [range, hash])) } as const]),
        ),
      fc
        .uniqueArray(fc.nat(rangeCount - 1), { minLength: 1, maxLength: 5 })
        .map((at) => at.toSorted((a, b) => a - b).map((range) => ({ kind: 'open', range, entries: [] }) as const)),
    ),
  }),
  fc.record({ kind: fc.constantFrom('have' as const, 'want' as const), isLast: fc.boolean(), holdings }),
  fc.record({ kind: fc.constant('genesis' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 50 }) }),
  fc.record({
    kind: fc.constant('envelopes' as const),
    documentId: hex(16),
    envelopes: blocks.filter(({ length }) => length > 0),
  }),
  fc.record({ kind: fc.constant('record-ids' as const), ids: hashes }),
  fc.record({ kind: fc.constant('records' as const), isLast: fc.boolean(), records: blocks }),
  fc.record({
    kind: fc.constant('late-changes' as const),
    documentId: hex(16),
    envelopes: blocks.filter(({ length }) => length > 0),
  }),
  fc
    .record({
      documentId: hex(16),
      genesis: hex(32),
      at: fc.nat(100),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
    })
    .map((found) => ({ kind: 'base', ...found, total: found.at + found.bytes.length + 3 }) as const),
  fc
    .record({
      isWanted: fc.boolean(),
      documentId: hex(16),
      hashes: fc.uniqueArray(hex(32), { minLength: 1, maxLength: 4 }),
    })
    .map(({ isWanted, documentId, hashes: some }) => {
      return { kind: 'late-names', isWanted, names: some.toSorted().map((hash) => ({ documentId, hash })) } as const
    }),
)

test('a message reads back as it was written', (t) => {
  fc.assert(
    fc.property(messages, (message) => {
      const bytes = encodeMessage(message)
      const read = decodeMessage(bytes)
      return read.ok && Buffer.compare(encodeMessage(read.message), bytes) === 0 && read.message.kind === message.kind
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('bytes of any kind are read without an error, and a message has one form', (t) => {
  const isOneForm = (bytes: Uint8Array) => {
    const read = decodeMessage(bytes)
    return !read.ok || Buffer.compare(encodeMessage(read.message), bytes) === 0
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), isOneForm))
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 }), fc.nat(11), fc.uint8Array({ maxLength: 200 }), (version, kind, body) =>
      isOneForm(Uint8Array.of(version, kind, ...body)),
    ),
    { numRuns: 1_000 },
  )
  fc.assert(
    fc.property(messages, fc.nat(), fc.nat(255), (message, at, byte) => {
      const bytes = encodeMessage(message)
      bytes[at % bytes.length] = byte
      return isOneForm(bytes) && isOneForm(bytes.subarray(0, at % bytes.length))
    }),
    { numRuns: 1_000 },
  )
  t.pass()
})

test('a message that is cut short or followed by more is refused', (t) => {
  fc.assert(
    fc.property(
      messages.filter(({ kind }) => kind !== 'genesis' && kind !== 'base'),
      (message) => !decodeMessage(Buffer.concat([encodeMessage(message), Uint8Array.of(0)])).ok,
    ),
  )
  t.pass()
})

test('a batch holds what fits, an item that is too large goes alone, and nothing is one empty batch', (t) => {
  t.deepEqual(
    inBatches([3, 3, 3, 9, 1], (size) => size, 6),
    [[3, 3], [3], [9], [1]],
  )
  t.deepEqual(
    inBatches([], () => 1, 6),
    [[]],
  )
})

test('a bucket lets through what it holds, and one more after each while', (t) => {
  const clock = createManualClock()
  const bucket = createTokenBucket(clock, 4, 10)
  const taken = () => Array.from({ length: 6 }, () => bucket.take()).filter((isTaken) => isTaken).length
  t.is(taken(), 4)
  t.is(bucket.untilHalfMs(), 20)
  clock.advance(9)
  t.is(taken(), 0)
  clock.advance(2)
  t.is(bucket.untilHalfMs(), 9)
  t.is(taken(), 1)
  clock.advance(9)
  t.is(taken(), 1)
  clock.advance(1_000)
  t.is(bucket.untilHalfMs(), 0)
  t.is(taken(), 4)
})

const samples: readonly Message[] = [
  { kind: 'meet', round: 3, root: '11'.repeat(32), records: '22'.repeat(32), gives: true, again: false },
  { kind: 'digest', isLast: true, messages: [{ kind: 'ranges', ranges: new Map([[7, '33'.repeat(32)]]) }] },
  {
    kind: 'digest',
    isLast: false,
    messages: [{ kind: 'open', range: 7, entries: [{ documentId: '07'.repeat(16), leaf: '44'.repeat(32) }] }],
  },
  {
    kind: 'have',
    isLast: true,
    holdings: [
      { documentId: '07'.repeat(16), state: 'absent' },
      { documentId: '08'.repeat(16), state: 'whole', hashes: ['55'.repeat(32)] },
      {
        documentId: '09'.repeat(16),
        state: 'part',
        after: '0'.repeat(64),
        until: 'f'.repeat(64),
        hashes: ['66'.repeat(32)],
      },
    ],
  },
  { kind: 'want', isLast: true, holdings: [] },
  { kind: 'genesis', bytes: Uint8Array.of(1, 2, 3) },
  { kind: 'envelopes', documentId: '07'.repeat(16), envelopes: [Uint8Array.of(4, 5), Uint8Array.of(6)] },
  { kind: 'record-ids', ids: ['77'.repeat(32)] },
  { kind: 'records', isLast: true, records: [Uint8Array.of(7, 8)] },
]

const laterSamples: readonly Message[] = [
  {
    kind: 'have',
    isLast: false,
    holdings: [
      { documentId: '01'.repeat(16), state: 'absent' },
      { documentId: '02'.repeat(16), state: 'whole', hashes: ['33'.repeat(32)] },
      { documentId: '03'.repeat(16), state: 'whole', hashes: [], later: { epoch: 7, genesis: '44'.repeat(32) } },
    ],
  },
  {
    kind: 'want',
    isLast: true,
    holdings: [
      {
        documentId: '04'.repeat(16),
        state: 'part',
        after: '00'.repeat(32),
        until: 'ff'.repeat(32),
        hashes: ['55'.repeat(32)],
        later: { epoch: 2, genesis: '66'.repeat(32) },
      },
    ],
  },
  {
    kind: 'base',
    documentId: '05'.repeat(16),
    genesis: '77'.repeat(32),
    total: 9,
    at: 4,
    bytes: Uint8Array.of(1, 2, 3),
  },
  { kind: 'late-names', isWanted: true, names: [{ documentId: '06'.repeat(16), hash: '88'.repeat(32) }] },
  { kind: 'late-changes', documentId: '07'.repeat(16), envelopes: [Uint8Array.of(4, 5)] },
]

for (const [format, given] of [
  [1, samples],
  [2, laterSamples],
] as const)
  test(`the fixture of format ${format} decodes, and encodes to the same bytes`, (t) => {
    const file = new URL(`../fixtures/replication-messages.${format}.hex`, import.meta.url)
    const written = `${given.map((message) => Buffer.from(encodeMessage(message)).toString('hex')).join('\n')}\n`
    if (process.env.GOLDEN === 'write') writeFileSync(file, written)
    t.is(written, readFileSync(file, 'utf8'))
    for (const [at, line] of written.trimEnd().split('\n').entries()) {
      const read = decodeMessage(Buffer.from(line, 'hex'))
      if (!read.ok) return t.fail(read.refusal.message)
      t.is(Number.parseInt(line.slice(0, 2), 16), format)
      t.deepEqual(Buffer.from(encodeMessage(read.message)).toString('hex'), line)
      t.deepEqual(JSON.stringify(read.message), JSON.stringify(given[at]))
    }
  })
