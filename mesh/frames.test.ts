import test from 'ava'
import fc from 'fast-check'
import { createFrameReader, encodeFrame, type Frame, frameKinds, GarbageError } from './frames.ts'

const anyFrame: fc.Arbitrary<Frame> = fc.record({
  kind: fc.constantFrom(...frameKinds),
  stream: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  payload: fc.uint8Array({ maxLength: 300 }),
})

test('frames come out as they went in, however the bytes are cut', (t) => {
  fc.assert(
    fc.property(fc.array(anyFrame), fc.integer({ min: 1, max: 700 }), (frames, cutBytes) => {
      const bytes = Buffer.concat(frames.map(encodeFrame))
      const read = createFrameReader()
      const out: Frame[] = []
      for (let at = 0; at < bytes.byteLength; at += cutBytes) out.push(...read(bytes.subarray(at, at + cutBytes)))
      t.deepEqual(
        out.map((frame) => ({ ...frame, payload: [...frame.payload] })),
        frames.map((frame) => ({ ...frame, payload: [...frame.payload] })),
      )
    }),
    { numRuns: 50 },
  )
})

test('random bytes are read as frames or refused as garbage, never anything else', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        return createFrameReader()(bytes).length >= 0
      } catch (error) {
        return error instanceof GarbageError
      }
    }),
  )
  t.pass()
})

test('a frame that is too long is told from one that makes no sense', (t) => {
  const kindOf = (bytes: number[]) =>
    t.throws(() => createFrameReader()(Uint8Array.from(bytes)), { instanceOf: GarbageError })?.kind
  t.is(kindOf([0, 1, 0, 6, 0, 0, 0, 0, 0]), 'oversize')
  t.is(kindOf([0, 0, 0, 4, 0, 0, 0, 0, 0]), 'garbage')
  t.is(kindOf([0, 0, 0, 5, 10, 0, 0, 0, 0]), 'garbage')
})
