import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { contentLimits, type DepositContent, packDeposit, readDeposit, writeDeposit } from './deposit-content.ts'

const piece = fc.uint8Array({ maxLength: 60 })
const lane = fc.record(
  {
    document: fc.stringMatching(/^[0-9a-f]{32}$/),
    genesis: piece,
    base: fc.uint8Array({ minLength: 1, maxLength: 60 }),
    envelopes: fc.array(piece, { maxLength: 12 }),
  },
  { requiredKeys: ['document', 'genesis', 'envelopes'] },
)
const content: fc.Arbitrary<DepositContent> = fc.record({
  records: fc.array(piece, { maxLength: 12 }),
  lanes: fc.array(lane, { maxLength: 4 }),
})
const plain = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, one) => (ArrayBuffer.isView(one) ? [...(one as Uint8Array)] : one)))

test('what is written reads the same', (t) => {
  fc.assert(fc.property(content, (one) => t.deepEqual(plain(readDeposit(writeDeposit(one))), plain(one))))
})

test('bytes that no parent wrote are read as nothing, never with an error and never with more than they hold', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 }), fc.uint8Array({ maxLength: 200 }), (format, bytes) => {
      const read = readDeposit(Uint8Array.of(format, ...bytes))
      if (read === undefined || read === 'newer-format') return
      t.deepEqual([...writeDeposit(read)], [format, ...bytes])
    }),
  )
  fc.assert(
    fc.property(content, fc.nat(), (one, at) => {
      const bytes = writeDeposit(one)
      t.is(readDeposit(bytes.subarray(0, at % bytes.length)), undefined)
      t.is(readDeposit(Uint8Array.of(...bytes, 0)), undefined)
    }),
  )
  t.is(readDeposit(Uint8Array.of(3)), 'newer-format')
  t.is(readDeposit(new Uint8Array(0)), undefined)
  // Four thousand million records in nine bytes.
  t.is(readDeposit(Uint8Array.of(1, 255, 255, 255, 255, 0, 0, 0, 0)), undefined)
  const many = Buffer.alloc(9 + 4 * (contentLimits.records + 1))
  many.writeUInt8(1)
  many.writeUInt32BE(contentLimits.records + 1, 1)
  t.is(readDeposit(many), undefined)
})

test('the newest envelopes that fit are packed, in their order, and what has to be there always is', (t) => {
  fc.assert(
    fc.property(content, fc.array(piece, { maxLength: 8 }), fc.nat(1_500), (one, more, room) => {
      const packed = packDeposit(one.records, more, one.lanes, room)
      if (packed === undefined) {
        const least = writeDeposit({ ...one, lanes: one.lanes.map((some) => ({ ...some, envelopes: [] })) })
        t.true(least.length > room)
        return
      }
      t.true(writeDeposit(packed).length <= room)
      t.deepEqual(packed.records.slice(0, one.records.length), one.records)
      t.deepEqual(packed.records.slice(one.records.length), newest(more, packed.records.length - one.records.length))
      for (const [at, some] of packed.lanes.entries())
        t.deepEqual(some.envelopes, newest(one.lanes[at]?.envelopes ?? [], some.envelopes.length))
    }),
  )
})
const newest = <Item>(items: readonly Item[], count: number) => items.slice(items.length - count)

test('with room for all of it all is packed, and a long lane does not push a short one out', (t) => {
  const many = (count: number, size: number) => Array.from({ length: count }, (_, at) => new Uint8Array(size).fill(at))
  const lanes = [
    { document: '0a'.repeat(16), genesis: new Uint8Array(10), envelopes: many(2_000, 500) },
    { document: '0b'.repeat(16), genesis: new Uint8Array(10), envelopes: many(5, 500) },
  ]
  const packed = packDeposit(many(3, 100), many(3, 100), lanes)
  t.is(packed?.lanes[1]?.envelopes.length, 5)
  t.true((packed?.lanes[0]?.envelopes.length ?? 0) > 900)
  const whole = packDeposit([], many(4, 10), [lanes[1]!])
  t.is(whole?.records.length, 4)
  t.is(whole?.lanes[0]?.envelopes.length, 5)
  t.is(packDeposit(many(1, contentLimits.bytes), [], []), undefined)
})

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text))
const first: DepositContent = {
  records: [bytesOf('a record'), bytesOf('a version')],
  lanes: [{ document: '0a'.repeat(16), genesis: bytesOf('genesis'), envelopes: [bytesOf('one'), bytesOf('two')] }],
}
const later: DepositContent = {
  ...first,
  lanes: [
    ...first.lanes,
    { document: '0b'.repeat(16), genesis: bytesOf('genesis'), base: bytesOf('base'), envelopes: [bytesOf('three')] },
  ],
}

for (const [format, one] of [
  [1, first],
  [2, later],
] as const)
  test(`a deposit of format ${format} reads, and is written again to the same bytes`, (t) => {
    const path = new URL(`fixtures/deposit-content.${format}.hex`, import.meta.url)
    if (!existsSync(path)) writeFileSync(path, `${Buffer.from(writeDeposit(one)).toString('hex')}\n`)
    const kept = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex')
    t.is(kept[0], format)
    t.deepEqual(plain(readDeposit(kept)), plain(one))
    t.is(Buffer.from(writeDeposit(one)).toString('hex'), kept.toString('hex'))
  })
