import * as A from 'automerge'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { type ChangeLimits, changeLimits } from './change-limits.ts'
import type { ChangeRefusal } from './change-refusal.ts'
import {
  distinctPuts,
  type ForgedChange,
  forgeBody,
  forgeChange,
  forgeChunk,
  putColumns,
  signed,
  unsigned,
  withColumns,
} from './forge-change.contract.ts'
import { scanChange } from './scan-change.ts'

const codeOf = (change: Uint8Array, limits?: ChangeLimits): ChangeRefusal['code'] | 'passes' => {
  const scanned = scanChange(change, limits)
  return scanned.ok ? 'passes' : scanned.refusal.code
}
const refused = (t: ExecutionContext, change: Uint8Array, code: ChangeRefusal['code'], words?: string) =>
  t.is(codeOf(change), code, words)

/** How many bytes of memory a piece of work took at most, beyond rounding. */
const grownBytes = (work: () => void): number => {
  const before = process.memoryUsage().rss
  work()
  return process.memoryUsage().rss - before
}

test('a hundred bytes that stand for a gigabyte are refused in no memory', (t) => {
  const doc = A.change(A.init<Record<string, unknown>>({ actor: 'ee'.repeat(16) }), { time: 0 }, (map) => {
    map.l = new Array(2_000).fill(null)
  })
  const bomb = A.getLastLocalChange(doc)!
  t.true(bomb.length < 200)
  t.not(codeOf(bomb), 'passes')
  const larger = forgeChange({ columns: putColumns(2 ** 40) })
  t.true(larger.length < 100, `${larger.length} bytes`)
  t.true(grownBytes(() => refused(t, larger, 'too-many-operations')) < 16 * 1024 * 1024)
})

test('deflated zeros are refused before they are inflated further than a change may be', (t) => {
  const bomb = forgeChunk(new Uint8Array(256 * 1024 * 1024), { deflate: true })
  t.true(bomb.length < changeLimits.bytes * 2)
  const short = forgeChunk(new Uint8Array(128 * 1024 * 1024), { deflate: true })
  t.true(short.length < changeLimits.bytes)
  t.true(grownBytes(() => refused(t, short, 'bad-inflate')) < 16 * 1024 * 1024)
})

test('every limit alone stops what it is there for', (t) => {
  const dep = (n: number) => n.toString(16).padStart(64, '0')
  const actor = (n: number) => [16, ...Buffer.from(n.toString(16).padStart(32, '0'), 'hex')]
  const many = (count: number) =>
    withColumns(
      putColumns(1),
      [112, [...signed(1), ...unsigned(count)]],
      [113, [...signed(count), 0]],
      [115, [...signed(count), ...signed(1)]],
    )
  const attacks: readonly (readonly [keyof ChangeLimits, ChangeRefusal['code'], ForgedChange])[] = [
    ['operations', 'too-many-operations', { columns: distinctPuts(1_001) }],
    ['dependencies', 'too-many-dependencies', { deps: Array.from({ length: 17 }, (_, n) => dep(n)) }],
    ['actors', 'too-many-actors', { others: Array.from({ length: 257 }, (_, n) => actor(n)) }],
    ['predecessors', 'too-many-predecessors', { columns: many(4_097), startOp: unsigned(5_000) }],
    ['startOp', 'bad-start-op', { startOp: unsigned(2 ** 31 - 3) }],
    [
      'keyBytes',
      'key-too-long',
      { columns: withColumns(putColumns(1), [21, [1, ...unsigned(300), ...new Array<number>(300).fill(0x61)]]) },
    ],
    [
      'valueBytes',
      'value-too-large',
      {
        columns: withColumns(
          putColumns(1),
          [86, [...signed(1), ...unsigned(20_000 * 16 + 6)]],
          [87, new Array<number>(20_000).fill(0x61)],
        ),
      },
    ],
  ]
  for (const [limit, code, change] of attacks) {
    refused(t, forgeChange(change), code, limit)
    t.is(codeOf(forgeChange(change), { ...changeLimits, [limit]: 2 ** 40 }), 'passes', `without the limit of ${limit}`)
  }
  const body = forgeBody({
    columns: withColumns(putColumns(1), [21, [1, ...unsigned(200), ...new Array<number>(200).fill(0x61)]]),
  })
  const large = forgeChunk(body, { deflate: true })
  t.true(large.length < body.length)
  t.is(codeOf(large, { ...changeLimits, bytes: body.length }), 'passes')
  t.is(codeOf(large, { ...changeLimits, bytes: body.length - 1 }), 'bad-inflate')
  refused(t, new Uint8Array(changeLimits.bytes + 1), 'change-too-large')
  t.is(codeOf(large, { ...changeLimits, bytes: 20 }), 'change-too-large')
})

test('a start that would wedge a document for good is refused', (t) => {
  for (const startOp of [0, 16_000_001, 2 ** 31 - 3, 2 ** 32 - 2, 2 ** 40, 2 ** 52])
    refused(t, forgeChange({ startOp: unsigned(startOp) }), 'bad-start-op', `${startOp}`)
  refused(t, forgeChange({ startOp: [255, 255, 255, 255, 255, 255, 255, 255, 255, 1] }), 'malformed')
  refused(t, forgeChange({ startOp: [0x81, 0x00] }), 'malformed', 'a longer form of 1')
  refused(t, forgeChange({ seq: [0] }), 'bad-sequence')
})

test('columns that do not belong together are refused', (t) => {
  const columns = (...others: [number, number[]][]): ForgedChange => ({
    columns: withColumns(putColumns(2), ...others),
  })
  const cases: readonly (readonly [words: string, ForgedChange, ChangeRefusal['code']])[] = [
    ['more keys than operations', columns([21, [3, 1, 0x61]]), 'malformed'],
    ['more values than operations', columns([86, [3, 2]]), 'malformed'],
    ['more flags than operations', columns([52, [3]]), 'malformed'],
    ['more predecessor counts', columns([112, [3, 0]]), 'malformed'],
    ['predecessors that are counted but not there', columns([112, [2, 1]]), 'malformed'],
    ['predecessors that nobody counts', columns([113, [2, 0]], [115, [2, 0]]), 'malformed'],
    [
      'a predecessor of an actor not listed',
      columns([112, [0x7e, 0, 1]], [113, [0x7f, 1]], [115, [0x7f, 1]]),
      'malformed',
    ],
    ['a predecessor in the future', columns([112, [0x7e, 1, 0]], [113, [0x7f, 0]], [115, [0x7f, 1]]), 'malformed'],
    ['a run of a huge negative count', columns([66, [...signed(-(2 ** 50)), 1]]), 'too-many-operations'],
    ['a huge run of nulls', columns([66, [0, ...unsigned(2 ** 50)]]), 'too-many-operations'],
    ['nulls for actions', columns([66, [0, 2]]), 'unsupported-shape'],
    ['an empty run', columns([66, [0, 0]]), 'malformed'],
    ['an insertion into a list', columns([52, [0, 2]]), 'unsupported-shape'],
    ['a list position', columns([19, [2, 1]]), 'unsupported-shape'],
    ['an object', columns([1, [2, 0]], [2, [2, 1]]), 'unsupported-shape'],
    ['a mark', columns([165, [2, 1, 0x61]]), 'unsupported-shape'],
    ['a deflated column', columns([29, [2, 1, 0x61]]), 'unsupported-shape'],
    ['a key that is no UTF-8', columns([21, [2, 1, 0xff]]), 'malformed'],
    ['an empty key', columns([21, [2, 0]]), 'key-too-long'],
    ['values longer than their bytes', columns([86, [2, 0x16]], [87, [0x61]]), 'malformed'],
    ['values shorter than their bytes', columns([87, [0x61]]), 'malformed'],
    ['a text that is no UTF-8', columns([86, [2, 0x16]], [87, [0xff, 0xfe]]), 'malformed'],
    ['a number that is not whole', columns([86, [2, 0x14]], [87, [0x80, 0x80]]), 'malformed'],
    ['a value of no known kind', columns([86, [2, 0x0f]]), 'unsupported-shape'],
    ['a deletion with a value', columns([66, [2, 3]]), 'malformed'],
    ['a deletion of nothing', columns([66, [2, 3]], [86, [2, 0]]), 'malformed'],
    ['a key twice', columns(), 'unsupported-shape'],
    ['an unsigned number', columns([86, [2, 0x13]], [87, [1, 1]]), 'unsupported-shape'],
    ['a predecessor of the same change', columns([112, [0x7e, 0, 1]], [113, [0x7f, 0]], [115, [0x7f, 1]]), 'malformed'],
    ['bytes after the columns', { extra: [1, 2, 3] }, 'malformed'],
    ['an actor of another length', { actor: [15, ...new Array<number>(15).fill(1)] }, 'malformed'],
    ['its own actor among the others', { others: [[16, ...new Array<number>(16).fill(0xaa)]] }, 'malformed'],
    ['the same dependency twice', { deps: ['11'.repeat(32), '11'.repeat(32)] }, 'malformed'],
    ['columns out of order', { columns: putColumns(1).toReversed() }, 'malformed'],
    ['a column twice', { columns: [...putColumns(1), ...putColumns(1).slice(-1)] }, 'malformed'],
  ]
  for (const [words, change, code] of cases) refused(t, forgeChange(change), code, words)
})

test('chunks that are not one change are refused', (t) => {
  refused(t, new Uint8Array(0), 'malformed')
  for (const kind of [0, 3, 4, 255]) refused(t, forgeChunk(forgeBody(), { kind }), 'not-a-change', `kind ${kind}`)
  refused(t, Buffer.from('not a change at all'), 'not-a-change')
  refused(t, Buffer.concat([forgeChange(), forgeChange()]), 'malformed', 'two changes in a row')
  refused(t, A.save(A.from({ a: 1 })), 'not-a-change', 'a whole document')
  const packed = forgeChunk(forgeBody({ columns: putColumns(900) }), { deflate: true })
  const size = packed[9]!
  const tailed = Uint8Array.from([...packed.subarray(0, 9), size + 2, ...packed.subarray(10), 7, 7])
  refused(t, tailed, 'bad-inflate', 'bytes after the end of the deflated stream')
})

const sample = (): Uint8Array => {
  let doc = A.change(A.init<Record<string, unknown>>({ actor: 'ab'.repeat(16) }), { time: 0 }, (map) => {
    map.a = new A.ImmutableString('{"decision":"x"}')
    map.n = 4
  })
  doc = A.change(A.clone(doc, { actor: 'cd'.repeat(16) }), { time: 0 }, (map) => {
    map.a = new A.ImmutableString('{"decision":"y"}')
    map.f = 1.5
  })
  return A.getLastLocalChange(doc)!
}

test('a change cut anywhere or with any bit flipped is refused', (t) => {
  for (const change of [
    sample(),
    A.encodeChange(A.decodeChange(sample())),
    forgeChunk(forgeBody(), { deflate: true }),
  ]) {
    t.is(codeOf(change), 'passes')
    for (let end = 0; end < change.length; end++) t.not(codeOf(change.subarray(0, end)), 'passes', `cut at ${end}`)
    for (let bit = 0; bit < change.length * 8; bit++) {
      const flipped = Uint8Array.from(change)
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7))
      t.not(codeOf(flipped), 'passes', `bit ${bit}`)
    }
  }
})

test('whatever a body says under a right checksum, the scan ends without an error, in little memory', (t) => {
  const change = sample()
  const body = change.subarray(10)
  const cut = fc.record({
    edits: fc.array(fc.tuple(fc.nat({ max: body.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
    end: fc.nat({ max: body.length }),
    isCut: fc.boolean(),
    deflate: fc.boolean(),
  })
  const grown = grownBytes(() =>
    fc.assert(
      fc.property(cut, ({ edits, end, isCut, deflate }) => {
        const bytes = Uint8Array.from(isCut ? body.subarray(0, end) : body)
        for (const [at, byte] of edits) if (at < bytes.length) bytes[at] = byte
        const scanned = scanChange(forgeChunk(bytes, { deflate }))
        // What passes, Automerge decodes to as many operations.
        if (scanned.ok) t.is(A.decodeChange(forgeChunk(bytes, { deflate })).ops.length, scanned.header.opCount)
      }),
      { numRuns: 3_000 },
    ),
  )
  t.true(grown < 128 * 1024 * 1024, `${grown} bytes`)
})
