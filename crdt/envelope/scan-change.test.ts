import * as A from 'automerge'
import test from 'ava'
import fc from 'fast-check'
import { changeLimits } from './change-limits.ts'
import { forgeBody, forgeChange, forgeChunk } from './forge-change.contract.ts'
import { checkStartOp, scanChange } from './scan-change.ts'

type Flat = Record<string, A.ImmutableString | number | boolean>

/** What follows the length of a plain chunk. */
const bodyOf = (plain: Uint8Array): Uint8Array =>
  plain.subarray(plain.findIndex((byte, at) => at >= 9 && byte < 128) + 1)
const actors = ['aa', 'bb', 'cc'].map((pair) => pair.repeat(16))
const lastChange = (doc: A.Doc<Flat>): Uint8Array => {
  const change = A.getLastLocalChange(doc)
  if (change === undefined) throw new Error('nothing was changed')
  return change
}
const edit = (doc: A.Doc<Flat>, change: (map: Flat) => void): A.Doc<Flat> => A.change(doc, { time: 0 }, change)

const putOne = (map: Flat): void => {
  map.a = 1
}

const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => new A.ImmutableString(text)),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  // A whole number past 2^53 has no exact value in a lane.
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n) || Number.isSafeInteger(n)),
)
const key = fc.constantFrom('a', 'b', 'c', 'version', 'ü')
const edits = fc.uniqueArray(fc.tuple(key, fc.option(value, { nil: undefined })), {
  minLength: 1,
  selector: ([name]) => name,
})
const step = fc.record({ replica: fc.nat({ max: 2 }), edits, isMerged: fc.boolean() })

test('of every change Automerge makes to a flat map, the scan says what Automerge says', (t) => {
  let scannedChanges = 0
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const replicas = actors.map((actor) => A.init<Flat>({ actor }))
      for (const { replica, edits, isMerged } of steps) {
        let doc = replicas[replica]!
        if (isMerged) doc = A.merge(doc, replicas[(replica + 1) % 3]!)
        doc = edit(doc, (map) => {
          for (const [name, next] of edits) {
            if (next === undefined) delete map[name]
            else map[name] = next
          }
        })
        replicas[replica] = doc
      }
      for (const doc of replicas)
        for (const change of A.getAllChanges(doc)) {
          const decoded = A.decodeChange(change)
          const scanned = scanChange(change)
          if (!scanned.ok) return t.fail(scanned.refusal.message)
          const { actor, seq, startOp, deps, hash } = decoded
          const maxOp = startOp + decoded.ops.length - 1
          t.deepEqual(scanned.header, { actor, seq, startOp, maxOp, deps, opCount: decoded.ops.length, hash: hash! })
          scannedChanges++
        }
      for (const doc of replicas) A.free(doc)
    }),
    { numRuns: 60 },
  )
  t.true(scannedChanges > 100)
})

test('a deflated change has the same header and hash as its plain form', (t) => {
  const doc = edit(A.init<Flat>({ actor: actors[0]! }), (map) => {
    map.long = new A.ImmutableString('words '.repeat(500))
  })
  const plain = lastChange(doc)
  const packed = forgeChunk(bodyOf(plain), { deflate: true })
  t.true(packed.length < plain.length / 10)
  t.is(A.decodeChange(packed).hash, A.decodeChange(plain).hash)
  t.deepEqual(scanChange(packed), scanChange(plain))
  t.true(scanChange(packed).ok)
})

test('an empty change, which only joins others, has no operations', (t) => {
  const doc = A.emptyChange(edit(A.init<Flat>({ actor: actors[0]! }), putOne), { time: 0 })
  const scanned = scanChange(lastChange(doc))
  t.like(scanned, { ok: true, header: { opCount: 0, startOp: 2, maxOp: 1, seq: 2 } })
})

test('a forged change that breaks nothing passes, and Automerge reads it', (t) => {
  t.like(scanChange(forgeChange()), { ok: true, header: { opCount: 1, startOp: 1, seq: 1 } })
  t.is(A.decodeChange(forgeChange()).ops.length, 1)
  t.deepEqual(scanChange(forgeChunk(forgeBody(), { deflate: true })), scanChange(forgeChange()))
})

test('lists, nested maps, plain texts, counters, dates, bytes and nothing have no place in a lane', (t) => {
  const shapes: Record<string, unknown> = {
    list: [1],
    map: { a: 1 },
    text: 'typed',
    counter: new A.Counter(1),
    date: new Date(5),
    bytes: new Uint8Array(3),
    nothing: null,
    'not a number': Number.NaN,
    endless: Number.POSITIVE_INFINITY,
  }
  for (const [name, shape] of Object.entries(shapes)) {
    const doc = A.change(A.init<Record<string, unknown>>({ actor: actors[0]! }), { time: 0 }, (map) => {
      map.a = shape
    })
    const scanned = scanChange(A.getLastLocalChange(doc)!)
    t.like(scanned, { ok: false, refusal: { code: 'unsupported-shape' } }, name)
  }
})

test('a clock or words in a change are refused: both are chosen by nobody who signs', (t) => {
  const start = A.init<Flat>({ actor: actors[0]! })
  const timed = A.change(A.clone(start), { time: 1_700_000_000 }, putOne)
  const worded = A.change(A.clone(start), { time: 0, message: 'hello' }, putOne)
  for (const doc of [timed, worded])
    t.like(scanChange(lastChange(doc)), { ok: false, refusal: { code: 'unsupported-shape' } })
})

test('a change starts exactly one after the largest operation it stands on', (t) => {
  t.is(checkStartOp({ startOp: 1 }, []), undefined)
  t.is(checkStartOp({ startOp: 8 }, [3, 7]), undefined)
  for (const [startOp, deps] of [
    [2, []],
    [7, [3, 7]],
    [9, [3, 7]],
    [4, [3, 7]],
    [2 ** 31, [7]],
  ] as const)
    t.is(checkStartOp({ startOp }, deps)?.code, 'bad-start-op', `${startOp} after ${deps}`)
  t.is(
    checkStartOp({ startOp: 9 }, new Map([['x', 7]]).values())?.message,
    'the change starts at operation 9; after what it stands on comes 8',
  )
})

test('the limits are those of the design', (t) => {
  t.like(changeLimits, { operations: 1_000, dependencies: 16, bytes: 262_144, valueBytes: 16_384 })
})
